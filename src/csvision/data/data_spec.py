"""What a second file must match to be used with a first one."""

from dataclasses import dataclass

from csvision.config.pixel_range import PixelRange
from csvision.layer_shapes import Shape

LabelValues = list[int | str]


@dataclass(frozen=True)
class DataSpec:
    """The image shape (C, H, W), labels, classes and columns that a file must match.

    A test file must match the training file; a file for evaluation must match the run.
    `pixel_range` has the values of black and white. `label_column` is the name of the label column,
    its number if there was no header, None if it is not known. `pixel_columns` are the names of the
    pixels in their order; None if their names are numbers or if there was no header.
    """

    image_shape: Shape
    label_values: LabelValues
    classes: list[str]
    pixel_range: PixelRange | None = None
    label_column: str | None = None
    pixel_columns: list[str] | None = None

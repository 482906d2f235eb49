"""The content of a data file, and what is known before it is parsed.

Shapes: N rows, C channels, H height, W width.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csvision.config.pixel_range import PixelRange
from csvision.data.data_spec import DataSpec, LabelValues
from csvision.data.label_kind import LabelKind, kind_of
from csvision.data.pixel_range import BYTES


@dataclass(frozen=True)
class ParsedFile:
    """The content of a data file.

    `images` (N, C, H, W) are from 0 to 255. `labels` (N,) are indices into `label_values`, the
    labels of the file in ascending order; None if the file has no labels. `hashes` (N,) are equal
    for equal images. `constant` (N,) marks images whose pixels all have the same value.
    `pixel_range` has the values of black and white in the file. `sha256` is the hash of the file.
    `ids` has the identifier of each row, `split` "train", "val" or "test", if the file has them.
    `notices` has one line per decision to report.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    hashes: NDArray[np.uint64]
    constant: NDArray[np.bool_]
    label_values: LabelValues
    pixel_range: PixelRange
    sha256: str
    ids: list[str] | None = None
    split: list[str] | None = None
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ParseSettings:
    """What is known about the cells of a file before it is parsed.

    `pixel_range` is None if the pixels decide; then `guess` is tried first. `reference` is what the
    file must match, except for its labels without `check_labels`.
    """

    pixel_range: PixelRange | None = None
    guess: PixelRange = BYTES
    reference: DataSpec | None = None
    check_labels: bool = True

    def key(self) -> list[Any]:
        """Return what changes the parsed file, as plain values."""
        reference = self.reference
        decided = None if reference is None else (reference.pixel_range, reference.label_values)
        return [self.pixel_range, decided, *([] if self.check_labels else ["unchecked labels"])]

    @property
    def reference_range(self) -> PixelRange | None:
        """The range of the pixels of the training file, if it is known."""
        return None if self.reference is None else self.reference.pixel_range

    @property
    def label_kind(self) -> LabelKind | None:
        """The kind of the labels; None if the labels decide."""
        if not self.check_labels:
            return LabelKind.unchecked
        return None if self.reference is None else kind_of(self.reference.label_values)

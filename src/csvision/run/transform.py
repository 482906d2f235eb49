"""The transform of all images of a run: padding, permutation and the user's own.

Shapes: C channels, H height, W width.
"""

from torch import nn

from csvision.config import schema
from csvision.layer_shapes import Shape, transformed_shape
from csvision.run.custom_parts import build_custom_transform, custom_transform_shape
from csvision.transforms import PadAndPermute


def build_transform(
    data: schema.DataConfig, custom: schema.TransformConfig, image_shape: Shape
) -> tuple[nn.Module, Shape]:
    """Return the transform of images (C, H, W) as stored in the file, and the shape that it gives.

    Raises ConfigError if the user's own transform cannot be used.
    """
    padded = transformed_shape(image_shape, data)
    transform = PadAndPermute(data, image_shape)
    if custom.path is None:
        return transform, padded
    built = build_custom_transform(custom, padded)
    return nn.Sequential(transform, built), custom_transform_shape(custom, built, padded)

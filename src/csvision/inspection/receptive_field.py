"""Measure which pixels a value of a feature map depends on.

A pixel that is NaN makes every value NaN that depends on it, whatever the layers are: convolution,
pooling and activations all return NaN if an input is NaN. Rows and columns are measured separately,
with one image for each: the receptive field is a rectangle.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from csvision.inspection.layers import record_layers
from csvision.layer_shapes import Shape

MAX_VALUES = 2**20
"""Values of one batch of images."""


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that the value in the middle of a feature map depends on.

    The value is at `row` and `column` of the map; the pixels are rows `top` to `bottom` and columns
    `left` to `right` of the image, both included. Parts outside of the image do not count.
    """

    row: int
    column: int
    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows of the image."""
        return self.bottom - self.top + 1

    @property
    def width(self) -> int:
        """Columns of the image."""
        return self.right - self.left + 1


def measure_receptive_fields(network: nn.Module, image_shape: Shape) -> dict[str, ReceptiveField]:
    """Return the receptive field of each layer that has feature maps, by the name of its call.

    A layer without an entry depends on no pixel, or hides NaN.
    """
    network = copy.deepcopy(network).cpu().float().eval()
    height = image_shape[1]
    reached: dict[str, list[Tensor]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    probes = probe_images(image_shape)
    with plain_convolutions():
        for batch in torch.split(probes, max(1, MAX_VALUES // probes[0].numel())):
            for call in record_layers(network, batch):
                if not call.is_spatial or len(call.output) != len(batch):
                    continue
                rows, columns = call.output.shape[2:]
                sizes[call.name] = rows, columns
                middle = call.output[:, :, rows // 2, columns // 2]
                reached.setdefault(call.name, []).append(middle.isnan().any(dim=1))
    fields = {}
    for name, parts in reached.items():
        depends = torch.cat(parts)
        rows_reached = depends[:height].nonzero()
        columns_reached = depends[height:].nonzero()
        if len(rows_reached) and len(columns_reached):
            fields[name] = ReceptiveField(
                sizes[name][0] // 2,
                sizes[name][1] // 2,
                int(rows_reached[0]),
                int(rows_reached[-1]),
                int(columns_reached[0]),
                int(columns_reached[-1]),
            )
    return fields


@contextmanager
def plain_convolutions() -> Iterator[None]:
    """Compute convolutions on the CPU window by window.

    The Winograd algorithm of NNPACK reads a larger area, in which a NaN would spread.
    """
    backend = torch.backends.mkldnn
    before = backend.enabled
    with torch.backends.nnpack.flags(enabled=False):
        backend.enabled = False  # type: ignore[assignment]
        try:
            yield
        finally:
            backend.enabled = before


def probe_images(image_shape: Shape) -> Tensor:
    """Return images (H + W, C, H, W) of which each has one row, then one column, of NaN."""
    _, height, width = image_shape
    images = torch.full((height + width, *image_shape), 0.5)
    for row in range(height):
        images[row, :, row, :] = torch.nan
    for column in range(width):
        images[height + column, :, :, column] = torch.nan
    return images

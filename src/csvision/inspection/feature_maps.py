"""What each layer computes for single images, with the arithmetic of the layer.

Shapes: N images, C channels, H height, W width.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import nn

from csvision.inspection.applicable import NotApplicable
from csvision.inspection.layers import SKIPPED, LayerCall
from csvision.inspection.receptive_field import ReceptiveField, measure_receptive_fields
from csvision.layer_shapes import LayerSummary, Shape
from csvision.models.summary import profile_layers


@dataclass(frozen=True)
class LayerMaps:
    """The outputs of a layer for the shown images.

    `values` is (N, C, H, W) for feature maps and (N, units) for vectors; `zero_fraction` is the
    fraction of its values that are zero. `receptive_field` is None for vectors.
    """

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    parameters: int
    multiply_adds: int
    receptive_field: ReceptiveField | None
    zero_fraction: float
    values: NDArray[np.float32] = field(repr=False)

    @property
    def is_spatial(self) -> bool:
        """Whether the output is a stack of feature maps."""
        return self.values.ndim == 4 and self.values.shape[2] * self.values.shape[3] > 1


def collect_feature_maps(
    network: nn.Module, calls: Sequence[LayerCall], image_shape: Shape
) -> list[LayerMaps]:
    """Return the outputs of all layers that change values.

    Raises NotApplicable if no layer was recorded.
    """
    fields = measure_receptive_fields(network, image_shape)
    table = arithmetic(network, image_shape)
    maps = [
        LayerMaps(
            call.name,
            type(call.module).__name__,
            tuple(call.input.shape[1:]),
            tuple(call.output.shape[1:]),
            *table.get(call.name, (0, 0)),
            fields.get(call.name),
            float((call.output == 0).float().mean()),
            call.output.float().cpu().numpy().reshape(len(call.output), *visible_shape(call)),
        )
        for call in calls
        if not isinstance(call.module, SKIPPED)
    ]
    if not maps:
        raise NotApplicable("the network calls no layer that accepts a hook")
    return maps


def visible_shape(call: LayerCall) -> Shape:
    """Return (C, H, W) for feature maps; any other output of an image is one vector (units,)."""
    shape = tuple(call.output.shape[1:])
    return shape if call.is_spatial else (int(np.prod(shape)),)


def arithmetic(network: nn.Module, image_shape: Shape) -> dict[str, tuple[int, int]]:
    """Return parameters and multiply-adds for one image of each call of a layer, by its name."""
    rows = profile_layers(copy.deepcopy(network).cpu().float(), image_shape)
    counts: dict[str, int] = {}
    table = {}
    for row in rows:
        table[number_call(row, counts)] = row.parameters, row.multiply_adds
    return table


def number_call(row: LayerSummary, counts: dict[str, int]) -> str:
    """Return the name of a call as `record_layers` numbers it."""
    counts[row.name] = counts.get(row.name, 0) + 1
    number = counts[row.name]
    return row.name if number == 1 else f"{row.name}#{number}"

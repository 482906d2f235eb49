"""The first layer's weights as images, beside their initial values.

Shapes: F filters or units, C channels, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from csvision.inspection.applicable import NotApplicable
from csvision.inspection.layers import LayerCall
from csvision.layer_shapes import Shape

MAX_FILTERS = 64
"""Filters or units to show; of more, those whose weights have the largest norm."""


@dataclass(frozen=True)
class Filters:
    """The weights of the first layer that has any, as images.

    `trained` and `initial` are (F, C, H, W): the filters whose numbers are in `shown`. `norms` and
    `initial_norms` are their L2 norms, `changes` the L2 norm of the difference divided by that of
    the initial weights; all three have every filter of the layer. Without initial weights,
    `initial` and all that is computed from them are None, and `initial_status` says why.
    """

    layer: str
    kind: str
    total: int
    shown: list[int]
    trained: NDArray[np.float64] = field(repr=False)
    initial: NDArray[np.float64] | None = field(repr=False)
    norms: list[float]
    initial_norms: list[float] | None
    changes: list[float] | None
    initial_status: str


def find_first_weights(calls: Sequence[LayerCall]) -> LayerCall:
    """Return the first call of a convolution or a fully connected layer.

    Raises NotApplicable without one.
    """
    for call in calls:
        if isinstance(call.module, nn.Conv2d | nn.Linear):
            return call
    raise NotApplicable("the network calls no nn.Conv2d and no nn.Linear that accepts a hook")


def weight_images(module: nn.Module, image_shape: Shape) -> NDArray[np.float64]:
    """Return weights as images: (F, C, H, W).

    Raises NotApplicable for a fully connected layer whose inputs are not the pixels of an image.
    """
    weight = module.weight
    assert isinstance(weight, Tensor)
    values: NDArray[np.float64] = weight.detach().cpu().double().numpy()
    if isinstance(module, nn.Conv2d):
        return values
    if values.shape[1] != np.prod(image_shape):
        raise NotApplicable(
            f"the first layer with weights is fully connected and has {values.shape[1]} inputs, "
            f"which are not the {np.prod(image_shape)} pixels of an image"
        )
    return values.reshape(len(values), *image_shape)


def compare_filters(
    calls: Sequence[LayerCall], image_shape: Shape, initial: nn.Module | None, status: str
) -> Filters:
    """Return the first weights of a network beside those of the same network before training.

    `calls` are those of the trained network; `status` says how the initial weights were obtained,
    or why there are none. Raises NotApplicable if there are no weights to show.
    """
    first = find_first_weights(calls)
    name = first.name.partition("#")[0]
    trained = weight_images(first.module, image_shape)
    norms = filter_norms(trained)
    order = np.argsort(-norms, kind="stable")[:MAX_FILTERS]
    shown = np.sort(order)
    before, initial_norms, changes = None, None, None
    if initial is not None:
        weights = weight_images(initial.get_submodule(name), image_shape)
        before = weights[shown]
        initial_norms = filter_norms(weights)
        changes = filter_norms(trained - weights) / np.maximum(
            initial_norms, np.finfo(np.float64).tiny
        )
    return Filters(
        name,
        type(first.module).__name__,
        len(trained),
        shown.tolist(),
        trained[shown],
        before,
        norms.tolist(),
        None if initial_norms is None else initial_norms.tolist(),
        None if changes is None else changes.tolist(),
        status,
    )


def filter_norms(filters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the L2 norm of each filter (F,)."""
    norms: NDArray[np.float64] = np.sqrt((filters.reshape(len(filters), -1) ** 2).sum(axis=1))
    return norms

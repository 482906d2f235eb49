"""Which parts of an image decide the prediction: Grad-CAM, occlusion and integrated gradients.

captum computes them, for the predicted class. Each is repeated with a control: the same network
with new random weights (Adebayo et al. 2018). A method whose maps resemble those of the control
shows the image rather than what the network has learned.
Shapes: N images, C channels, H height, W width, h x w cells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from csvision.inspection.applicable import NotApplicable
from csvision.inspection.layers import LayerCall

OCCLUSION_CELLS = 7
"""Windows along the shorter side of an image."""

UNITS = {
    "Grad-CAM": "weighted sum of the feature maps",
    "occlusion": "fall of the probability",
    "integrated gradients": "share of the logit",
}
"""What the values of the maps of each method are."""

STEPS = 32
"""Points on the path of integrated gradients."""


@dataclass(frozen=True)
class Attribution:
    """Maps of one method: (N, h, w) for the trained network and for the control.

    `similarity` is the rank correlation (Spearman) of the two maps of each image; None if one of
    them is constant. `layer` is that of Grad-CAM.
    """

    method: str
    unit: str
    layer: str | None
    trained: NDArray[np.float64] = field(repr=False)
    control: NDArray[np.float64] = field(repr=False)
    similarity: list[float | None]


@dataclass(frozen=True)
class ShownImages:
    """What is attributed: the inputs of the network (N, C, H, W) and the predicted classes (N,).

    `black` is the value of a black pixel (C, 1, 1).
    """

    network: nn.Module
    control: nn.Module
    values: Tensor
    targets: Tensor
    black: Tensor
    batch_size: int

    @property
    def baseline(self) -> Tensor:
        """Black images (N, C, H, W)."""
        return self.black.expand(self.values.shape)


def find_last_convolution(calls: Sequence[LayerCall]) -> LayerCall:
    """Return the last call of a convolution with feature maps; raises NotApplicable without one."""
    for call in reversed(calls):
        if isinstance(call.module, nn.Conv2d) and call.is_spatial:
            return call
    raise NotApplicable("the network has no convolution whose output has more than one cell")


def grad_cam(network: nn.Module, layer: str, values: Tensor, targets: Tensor) -> Tensor:
    """Return Grad-CAM (N, h, w) of a layer: positive parts only (Selvaraju et al. 2017)."""
    from captum.attr import LayerGradCam

    method = LayerGradCam(network, network.get_submodule(layer))
    maps: Tensor = method.attribute(values.requires_grad_(), target=targets, relu_attributions=True)
    return maps.detach()[:, 0]


def occlude(network: nn.Module, values: Tensor, shown: ShownImages, size: int) -> Tensor:
    """Return the fall of the probability if a square of `size` pixels is black: (N, h, w)."""
    from captum.attr import Occlusion

    def probabilities(images: Tensor) -> Tensor:
        output: Tensor = network(images).softmax(dim=1)
        return output

    window = (values.shape[1], size, size)
    with torch.no_grad():
        maps: Tensor = Occlusion(probabilities).attribute(
            values,
            sliding_window_shapes=window,
            strides=window,
            target=shown.targets,
            baselines=shown.baseline,
        )
    # All pixels of a window have the same value.
    return maps[:, 0, ::size, ::size]


def integrate_gradients(network: nn.Module, values: Tensor, shown: ShownImages) -> Tensor:
    """Return integrated gradients of the logit from a black image, summed over C: (N, H, W).

    Sundararajan, Taly and Yan (2017).
    """
    from captum.attr import IntegratedGradients

    maps: Tensor = IntegratedGradients(network).attribute(
        values.requires_grad_(),
        baselines=shown.baseline,
        target=shown.targets,
        n_steps=STEPS,
        internal_batch_size=max(shown.batch_size, len(values)),
    )
    return maps.detach().sum(dim=1)


def compare_with_control(
    method: str,
    shown: ShownImages,
    attribute: Callable[[nn.Module, Tensor], Tensor],
    layer: str | None = None,
) -> Attribution:
    """Return the maps of one method for the network and for its control."""
    trained, control = (
        attribute(network, shown.values.detach().clone()).double().cpu().numpy()
        for network in (shown.network, shown.control)
    )
    similarity = [rank_correlation(*pair) for pair in zip(trained, control, strict=True)]
    return Attribution(method, UNITS[method], layer, trained, control, similarity)


def rank_correlation(one: NDArray[np.float64], two: NDArray[np.float64]) -> float | None:
    """Return Spearman's rank correlation of two maps; None if one of them is constant."""
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return None
    return float(spearmanr(one, two, axis=None).statistic)


def attribute_by_grad_cam(shown: ShownImages, calls: Sequence[LayerCall]) -> Attribution:
    """Return Grad-CAM of the last convolution; raises NotApplicable without one."""
    layer = find_last_convolution(calls).name.partition("#")[0]
    return compare_with_control(
        "Grad-CAM",
        shown,
        lambda network, values: grad_cam(network, layer, values, shown.targets),
        layer,
    )


def attribute_by_occlusion(shown: ShownImages) -> Attribution:
    """Return the fall of the probability for each occluded square."""
    size = occlusion_size(shown.values.shape[2], shown.values.shape[3])
    return compare_with_control(
        "occlusion", shown, lambda network, values: occlude(network, values, shown, size)
    )


def occlusion_size(height: int, width: int) -> int:
    """Return the side of the occluded squares in pixels."""
    return ceil(min(height, width) / OCCLUSION_CELLS)


def attribute_by_integrated_gradients(shown: ShownImages) -> Attribution:
    """Return integrated gradients from a black image."""
    return compare_with_control(
        "integrated gradients",
        shown,
        lambda network, values: integrate_gradients(network, values, shown),
    )

"""Residual blocks (He et al. 2015)."""

from collections import OrderedDict

from torch import Tensor, nn

from csvision.models.layers import activation_layer, normalization_layer
from csvision.schema import Activation, Normalization


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose outcome is added to the input; keeps the shape (N, C, H, W)."""

    def __init__(self, filters: int, normalization: Normalization, activation: Activation) -> None:
        super().__init__()
        self.first = half(filters, normalization)
        self.second = half(filters, normalization)
        self.activation = activation_layer(activation)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        change = self.second(self.activation(self.first(maps)))
        result: Tensor = self.activation(maps + change)
        return result


def half(filters: int, normalization: Normalization) -> nn.Sequential:
    """A convolution and its normalisation."""
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        convolution=nn.Conv2d(filters, filters, 3, padding=1)
    )
    if normalization is not Normalization.none:
        parts["normalization"] = normalization_layer(normalization, filters)
    return nn.Sequential(parts)

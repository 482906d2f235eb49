"""Residual blocks (He et al. 2015)."""

from collections import OrderedDict

from torch import Tensor, nn

from csvision.config.model_schema import Activation, Normalization
from csvision.models.layers import activation_layer, normalization_layer


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose output is added to the input; keeps the shape (N, C, H, W).

    The names `first` and `second` are part of checkpoints and of weights_sha256.
    """

    def __init__(self, filters: int, normalization: Normalization, activation: Activation) -> None:
        super().__init__()
        self.first = conv_norm(filters, normalization)
        self.second = conv_norm(filters, normalization)
        self.activation = activation_layer(activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        residual = self.second(self.activation(self.first(x)))
        output: Tensor = self.activation(x + residual)
        return output


def conv_norm(filters: int, normalization: Normalization) -> nn.Sequential:
    """Return a convolution followed by its normalization."""
    modules: OrderedDict[str, nn.Module] = OrderedDict(
        convolution=nn.Conv2d(filters, filters, 3, padding=1)
    )
    if normalization is not Normalization.none:
        modules["normalization"] = normalization_layer(normalization, filters)
    return nn.Sequential(modules)

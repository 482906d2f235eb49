"""Layers that more than one network is made of."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from csvision.schema import Activation, Normalization, PaddingMode, Pool


def activation_layer(activation: Activation) -> nn.Module:
    """The module of a pointwise non-linearity."""
    match activation:
        case Activation.relu:
            return nn.ReLU()
        case Activation.leaky_relu:
            return nn.LeakyReLU()
        case Activation.gelu:
            return nn.GELU()
        case Activation.silu:
            return nn.SiLU()
        case Activation.tanh:
            return nn.Tanh()
        case Activation.sigmoid:
            return nn.Sigmoid()
        case Activation.none:
            return nn.Identity()


def dense_layers(
    inputs: int, hidden: Sequence[int], activation: Activation, dropout: float
) -> tuple[nn.Sequential, int]:
    """Hidden layers on a vector of `inputs`, and the units that they end in."""
    layers = []
    for units in hidden:
        parts: OrderedDict[str, nn.Module] = OrderedDict(linear=nn.Linear(inputs, units))
        parts["activation"] = activation_layer(activation)
        if dropout:
            parts["dropout"] = nn.Dropout(dropout)
        layers.append(nn.Sequential(parts))
        inputs = units
    return nn.Sequential(*layers), inputs


def padding_layer(mode: PaddingMode, amounts: tuple[int, int]) -> nn.Module:
    """Padding by (before, after) along both axes, for what nn.Conv2d cannot do: an uneven one."""
    before, after = amounts
    sides = (before, after, before, after)
    match mode:
        case PaddingMode.zeros:
            return nn.ZeroPad2d(sides)
        case PaddingMode.reflect:
            return nn.ReflectionPad2d(sides)
        case PaddingMode.replicate:
            return nn.ReplicationPad2d(sides)
        case PaddingMode.circular:
            return nn.CircularPad2d(sides)


class MinPool2d(nn.MaxPool2d):
    """Keeps the smallest value of each window: -max(-x)."""

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W')."""
        smallest: Tensor = -super().forward(-maps)
        return smallest


def normalization_layer(normalization: Normalization, filters: int) -> nn.Module:
    """The module of a normalisation of `filters` maps."""
    match normalization:
        case Normalization.batch:
            return nn.BatchNorm2d(filters)
        case Normalization.instance:
            return nn.InstanceNorm2d(filters)
        case Normalization.layer:
            return nn.GroupNorm(1, filters)
        case Normalization.none:
            return nn.Identity()


def pooling_layer(pool: Pool, size: int, stride: int) -> nn.Module:
    """The module of a pooling; `none` is the identity."""
    match pool:
        case Pool.max:
            return nn.MaxPool2d(size, stride)
        case Pool.avg:
            return nn.AvgPool2d(size, stride)
        case Pool.min:
            return MinPool2d(size, stride)
        case Pool.none:
            return nn.Identity()

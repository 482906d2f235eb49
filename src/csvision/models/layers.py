"""Layers shared by the networks."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from csvision.config.model_schema import Activation, Normalization, PaddingMode, Pool


def activation_layer(activation: Activation) -> nn.Module:
    """Return the module of an activation function."""
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
    """Return hidden layers for a vector of `inputs`, and their number of outputs."""
    layers = []
    for units in hidden:
        modules: OrderedDict[str, nn.Module] = OrderedDict(linear=nn.Linear(inputs, units))
        modules["activation"] = activation_layer(activation)
        if dropout:
            modules["dropout"] = nn.Dropout(dropout)
        layers.append(nn.Sequential(modules))
        inputs = units
    return nn.Sequential(*layers), inputs


class Dropout(nn.Dropout):
    """Dropout whose mask, on a CPU, does not depend on the memory layout of its input.

    torch draws the mask in the order of the memory, so that channels_last would change the results
    of a seed.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) -> (N, ...)."""
        if not self.training or x.device.type != "cpu" or x.is_contiguous():
            output: Tensor = super().forward(x)
            return output
        keep = 1 - self.p
        mask = torch.empty_like(x, memory_format=torch.contiguous_format)
        return x * mask.bernoulli_(keep).div_(keep)


def padding_layer(mode: PaddingMode, amounts: tuple[int, int]) -> nn.Module:
    """Return padding by (before, after) along both axes; nn.Conv2d pads only symmetrically."""
    before, after = amounts
    padding = (before, after, before, after)
    match mode:
        case PaddingMode.zeros:
            return nn.ZeroPad2d(padding)
        case PaddingMode.reflect:
            return nn.ReflectionPad2d(padding)
        case PaddingMode.replicate:
            return nn.ReplicationPad2d(padding)
        case PaddingMode.circular:
            return nn.CircularPad2d(padding)


class MinPool2d(nn.MaxPool2d):
    """The minimum of each window: -max(-x)."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W')."""
        minimum: Tensor = -super().forward(-x)
        return minimum


def normalization_layer(normalization: Normalization, filters: int) -> nn.Module:
    """Return the normalization layer for `filters` channels."""
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
    """Return the pooling layer; `none` is the identity."""
    match pool:
        case Pool.max:
            return nn.MaxPool2d(size, stride)
        case Pool.avg:
            return nn.AvgPool2d(size, stride)
        case Pool.min:
            return MinPool2d(size, stride)
        case Pool.none:
            return nn.Identity()

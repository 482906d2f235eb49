"""The configuration of networks: types, help texts and ranges of the keys of `model=`.

Default values are defined in conf/, except those of a stage: a list given on the command line
replaces the whole list.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from csvision.config.limits import MAX_LAYERS, MAX_PIXELS, MAX_UNITS
from csvision.config.option import option


class ModelName(StrEnum):
    """Choices of `model=`."""

    mlp = "mlp"
    cnn = "cnn"
    custom = "custom"


class Activation(StrEnum):
    """Activation functions, named as in torch."""

    relu = "relu"
    leaky_relu = "leaky_relu"
    gelu = "gelu"
    silu = "silu"
    tanh = "tanh"
    sigmoid = "sigmoid"
    none = "none"


class PaddingMode(StrEnum):
    """Padding modes, named as in torch."""

    zeros = "zeros"
    reflect = "reflect"
    replicate = "replicate"
    circular = "circular"


class Normalization(StrEnum):
    """Normalization layers after a convolution; `layer` normalizes over C, H and W."""

    none = "none"
    batch = "batch"
    instance = "instance"
    layer = "layer"


class Pool(StrEnum):
    """Pooling layers."""

    max = "max"
    avg = "avg"
    min = "min"
    none = "none"


class GlobalPool(StrEnum):
    """Global pooling of the last feature maps; `none` flattens them."""

    none = "none"
    avg = "avg"
    max = "max"


@dataclass
class ModelConfig:
    """Keys of every network."""

    name: ModelName = option("network architecture")


@dataclass
class MLPConfig(ModelConfig):
    """A fully connected network on the flattened image."""

    hidden: list[int] = option(
        "units of each hidden layer", ge=1, le=MAX_UNITS, max_length=MAX_LAYERS
    )
    activation: Activation = option("activation after each hidden layer")
    dropout: float = option("dropout probability after each hidden layer", ge=0, lt=1)


@dataclass
class Stage:
    """One stage of a CNN: convolution, normalization, activation, pooling, residual, dropout.

    Max pooling comes before relu, which gives the same values.
    """

    filters: int = option("output channels of the convolution", 32, ge=1, le=MAX_UNITS)
    kernel_size: int = option("side of the square kernel", 3, ge=1, le=MAX_PIXELS)
    stride: int = option("stride of the convolution", 1, ge=1, le=MAX_PIXELS)
    padding: int | str = option("valid, same, full, or pixels on each side", 1, le=MAX_PIXELS)
    padding_mode: PaddingMode = option("how padding is filled", PaddingMode.zeros)
    dilation: int = option("dilation of the kernel", 1, ge=1, le=MAX_PIXELS)
    normalization: Normalization = option("layer after the convolution", Normalization.none)
    activation: Activation = option("activation after the normalization", Activation.relu)
    pool: Pool = option(
        "pooling after the activation; max comes before relu, which gives the same values", Pool.max
    )
    pool_size: int = option("side of the pooling window", 2, ge=1, le=MAX_PIXELS)
    pool_stride: int | None = option(
        "stride of the pooling; null: pool_size", None, ge=1, le=MAX_PIXELS
    )
    residual: int = option(
        "residual blocks of two 3x3 convolutions after the pooling", 0, ge=0, le=MAX_LAYERS
    )
    dropout: float = option("dropout probability at the end of the stage", 0.0, ge=0, lt=1)

    def __post_init__(self) -> None:
        """Accept strings from Python, spelled as on the command line."""
        self.padding_mode = PaddingMode(self.padding_mode)
        self.normalization = Normalization(self.normalization)
        self.activation = Activation(self.activation)
        self.pool = Pool(self.pool)


@dataclass
class CNNConfig(ModelConfig):
    """Convolutional stages, global pooling or flattening, then dense layers."""

    stages: list[Stage] = option(
        "one entry per stage; model.stages.0.filters=64 edits one", max_length=MAX_LAYERS
    )
    global_pool: GlobalPool = option("avg, max, or none: flatten the last feature maps")
    hidden: list[int] = option(
        "units of each dense layer before the logits", ge=1, le=MAX_UNITS, max_length=MAX_LAYERS
    )
    activation: Activation = option("activation after each dense layer")
    dropout: float = option("dropout probability after each dense layer", ge=0, lt=1)


@dataclass
class CustomModelConfig(ModelConfig):
    """A network defined in the user's own file, imported only if the command line names it."""

    KEY: ClassVar[str] = "model.path"

    path: str = option(
        "FILE.py:CLASS, called with image_shape=, num_classes= and model.kwargs",
        example="FILE.py:CLASS",
    )
    kwargs: dict[str, Any] = option("keyword arguments: model.kwargs.NAME=VALUE")

"""The layer table: output sizes, parameters and multiply-adds, computed without torch.

Shapes: C channels, H height, W width; an image is (C, H, W), a vector (units,).
A multiply-add is one multiplication and one addition; biases are not counted.
Formulas: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from csvision.config.model_schema import (
    CNNConfig,
    GlobalPool,
    MLPConfig,
    ModelConfig,
    Normalization,
    PaddingMode,
    Pool,
    Stage,
)
from csvision.config.schema import DataConfig
from csvision.errors import ConfigError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerSummary:
    """A row of the layer table; multiply-adds are for one image."""

    name: str
    parameters: int
    multiply_adds: int
    input_shape: Shape
    output_shape: Shape


def transformed_shape(image_shape: Shape, data: DataConfig) -> Shape:
    """Return the shape (C, H, W) of an image after the padding of `data.pad`."""
    channels, height, width = image_shape
    return channels, height + 2 * data.pad, width + 2 * data.pad


def resolve_padding(padding: int | str, kernel_size: int, dilation: int = 1) -> tuple[int, int]:
    """Return the pixels added (before, after) along one axis.

    For an even kernel, `same` adds one more pixel after than before, as torch does.
    Raises ValueError for a string other than valid, same and full, and for a negative number.
    """
    full = dilation * (kernel_size - 1)
    match padding:
        case int() if padding >= 0:
            return padding, padding
        case "valid":
            return 0, 0
        case "same":
            return full // 2, full - full // 2
        case "full":
            return full, full
        case _:
            raise ValueError(f"padding={padding} must be valid, same, full or a number >= 0")


def output_size(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: tuple[int, int] = (0, 0),
    dilation: int = 1,
) -> int:
    """Return the output size along one axis; below 1, the window does not fit."""
    span = dilation * (kernel_size - 1) + 1
    return (size + sum(padding) - span) // stride + 1


def dense_row(name: str, inputs: int, outputs: int) -> LayerSummary:
    """Return the row of a fully connected layer."""
    return LayerSummary(name, inputs * outputs + outputs, inputs * outputs, (inputs,), (outputs,))


def conv_row(name: str, shape: Shape, stage: Stage) -> LayerSummary:
    """Return the row of a stage's convolution on an input of `shape` (C, H, W).

    Raises ConfigError, naming the stage and its sizes, if the output would be empty or the
    padding is larger than the input allows.
    """
    channels, *sizes = shape
    padding = resolve_padding(stage.padding, stage.kernel_size, stage.dilation)
    check_padding_fits(name, shape, stage.padding_mode, max(padding))
    output = (
        stage.filters,
        *(output_size(n, stage.kernel_size, stage.stride, padding, stage.dilation) for n in sizes),
    )
    window = f"kernel_size={stage.kernel_size}, padding={stage.padding}, dilation={stage.dilation}"
    check_output_not_empty(name, shape, output, window)
    weights = stage.filters * channels * stage.kernel_size**2
    return LayerSummary(name, weights + stage.filters, weights * prod(output[1:]), shape, output)


def pool_row(name: str, shape: Shape, stage: Stage) -> LayerSummary:
    """Return the row of a stage's pooling; raises ConfigError if the window exceeds the input."""
    stride = stage.pool_stride or stage.pool_size
    channels, *sizes = shape
    output = (channels, *(output_size(n, stage.pool_size, stride) for n in sizes))
    check_output_not_empty(name, shape, output, f"pool_size={stage.pool_size}")
    return LayerSummary(name, 0, 0, shape, output)


def check_output_not_empty(name: str, shape: Shape, output: Shape, window: str) -> None:
    """Raise ConfigError if an output is smaller than 1x1."""
    if min(output[1:]) < 1:
        raise ConfigError(
            f"model.{name}: {window} does not fit into its {shape[1]}x{shape[2]} input; "
            "use a smaller window, more padding or fewer stages"
        )


def check_padding_fits(name: str, shape: Shape, mode: PaddingMode, padding: int) -> None:
    """Raise ConfigError if reflect or circular padding exceeds what the input allows."""
    available = {PaddingMode.reflect: min(shape[1:]) - 1, PaddingMode.circular: min(shape[1:])}
    if mode in available and padding > available[mode]:
        raise ConfigError(
            f"model.{name}: padding_mode={mode} cannot pad its {shape[1]}x{shape[2]} input by "
            f"{padding} pixels; use at most {available[mode]}"
        )


def stage_rows(index: int, shape: Shape, stage: Stage) -> list[LayerSummary]:
    """Return the rows of one stage, without activation and dropout."""
    prefix = f"stages.{index}"
    layers = [conv_row(f"{prefix}.convolution", shape, stage)]
    shape = layers[-1].output_shape
    layers += norm_rows(f"{prefix}.normalization", shape, stage.normalization)
    if stage.pool is not Pool.none:
        layers.append(pool_row(f"{prefix}.pool", shape, stage))
        shape = layers[-1].output_shape
    for block in range(stage.residual):
        layers += residual_rows(f"{prefix}.residual.{block}", shape, stage.normalization)
    return layers


def residual_rows(prefix: str, shape: Shape, normalization: Normalization) -> list[LayerSummary]:
    """Return the rows of a residual block, which keeps the shape (C, H, W)."""
    same = Stage(filters=shape[0], kernel_size=3, padding=1)
    layers = []
    for name in ("first", "second"):
        layers.append(conv_row(f"{prefix}.{name}.convolution", shape, same))
        layers += norm_rows(f"{prefix}.{name}.normalization", shape, normalization)
    return layers


def norm_rows(name: str, shape: Shape, normalization: Normalization) -> list[LayerSummary]:
    """Return the row of a normalization layer on (C, H, W); no row for none.

    Raises ConfigError if it would normalize a single value.
    """
    if normalization is Normalization.none:
        return []
    values = {Normalization.instance: prod(shape[1:]), Normalization.layer: prod(shape)}
    if values.get(normalization) == 1:
        raise ConfigError(
            f"model.{name}={normalization} would normalize a single value: the input is "
            f"{shape[1]}x{shape[2]}; use batch or none, or a larger input"
        )
    # Instance normalization has no weights by default in torch.
    parameters = 0 if normalization is Normalization.instance else 2 * shape[0]
    return [LayerSummary(name, parameters, 0, shape, shape)]


def dense_rows(inputs: int, hidden: Sequence[int], num_classes: int) -> list[LayerSummary]:
    """Return the rows of hidden layers and logits on a vector of `inputs`."""
    units = [inputs, *hidden, num_classes]
    names = [f"dense.{index}" for index in range(len(hidden))] + ["logits"]
    return [dense_row(*row) for row in zip(names, units[:-1], units[1:], strict=True)]


def cnn_table(model: CNNConfig, image_shape: Shape, num_classes: int) -> list[LayerSummary]:
    """Return the layer table of a CNN."""
    layers: list[LayerSummary] = []
    shape = image_shape
    for index, stage in enumerate(model.stages):
        layers += stage_rows(index, shape, stage)
        shape = layers[-1].output_shape
    flatten = model.global_pool is GlobalPool.none
    units = prod(shape) if flatten else shape[0]
    layers.append(LayerSummary("flatten" if flatten else "global_pool", 0, 0, shape, (units,)))
    return layers + dense_rows(units, model.hidden, num_classes)


def mlp_table(model: MLPConfig, image_shape: Shape, num_classes: int) -> list[LayerSummary]:
    """Return the layer table of an MLP."""
    units = prod(image_shape)
    flatten = LayerSummary("flatten", 0, 0, image_shape, (units,))
    return [flatten, *dense_rows(units, model.hidden, num_classes)]


def layer_table(
    model: ModelConfig, image_shape: Shape, num_classes: int
) -> list[LayerSummary] | None:
    """Return the layers of a configured network; None for a custom network.

    Raises ConfigError if a layer does not fit its input.
    """
    match model:
        case CNNConfig():
            return cnn_table(model, image_shape, num_classes)
        case MLPConfig():
            return mlp_table(model, image_shape, num_classes)
        case _:
            return None

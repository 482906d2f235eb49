"""Arithmetic of layers in plain integers: output sizes, parameters, multiply-adds.

Shapes: C channels, H height, W width; an image is (C, H, W), a vector (units,).
A multiply-add is one multiplication and one addition; biases are not counted.
Formulas: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from csvision.errors import ConfigError
from csvision.schema import CNN, MLP, Head, Model, Normalization, PaddingMode, Pool, Stage

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A row of the layer table; multiply-adds are those of one image."""

    name: str
    parameters: int
    multiply_adds: int
    input_shape: Shape
    output_shape: Shape


def padding_amounts(padding: int | str, kernel_size: int, dilation: int = 1) -> tuple[int, int]:
    """Pixels that a padding adds (before, after) along one axis.

    With an even span `same` adds one more after than before, as torch does.
    Raises ValueError for a word other than valid, same and full and for a negative number.
    """
    reach = dilation * (kernel_size - 1)
    match padding:
        case int() if padding >= 0:
            return padding, padding
        case "valid":
            return 0, 0
        case "same":
            return reach // 2, reach - reach // 2
        case "full":
            return reach, reach
        case _:
            raise ValueError(f"padding={padding} must be valid, same, full or a number >= 0")


def output_size(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: tuple[int, int] = (0, 0),
    dilation: int = 1,
) -> int:
    """Positions of a filter or pooling window along one axis; below 1: it fits nowhere."""
    span = dilation * (kernel_size - 1) + 1
    return (size + sum(padding) - span) // stride + 1


def dense(name: str, inputs: int, outputs: int) -> Layer:
    """The layer that joins every input with every output."""
    return Layer(name, inputs * outputs + outputs, inputs * outputs, (inputs,), (outputs,))


def convolution(name: str, shape: Shape, stage: Stage) -> Layer:
    """The convolution of a stage on maps of `shape` (C, H, W).

    Raises ConfigError, naming the stage and its sizes, when nothing is left of the maps or the
    maps are too small for their padding.
    """
    channels, *sizes = shape
    padding = padding_amounts(stage.padding, stage.kernel_size, stage.dilation)
    refuse_padding_beyond_image(name, shape, stage.padding_mode, max(padding))
    output = (
        stage.filters,
        *(output_size(n, stage.kernel_size, stage.stride, padding, stage.dilation) for n in sizes),
    )
    window = f"kernel_size={stage.kernel_size}, padding={stage.padding}, dilation={stage.dilation}"
    refuse_vanished(name, shape, output, window)
    weights = stage.filters * channels * stage.kernel_size**2
    return Layer(name, weights + stage.filters, weights * prod(output[1:]), shape, output)


def pooling(name: str, shape: Shape, stage: Stage) -> Layer:
    """The pooling of a stage; raises ConfigError when the window is larger than the maps."""
    stride = stage.pool_stride or stage.pool_size
    channels, *sizes = shape
    output = (channels, *(output_size(n, stage.pool_size, stride) for n in sizes))
    refuse_vanished(name, shape, output, f"pool_size={stage.pool_size}")
    return Layer(name, 0, 0, shape, output)


def refuse_vanished(name: str, shape: Shape, output: Shape, window: str) -> None:
    """Raise ConfigError when an output is smaller than 1x1."""
    if min(output[1:]) < 1:
        raise ConfigError(
            f"model.{name}: {window} leaves nothing of its {shape[1]}x{shape[2]} input; "
            "use a smaller window, more padding or fewer stages"
        )


def refuse_padding_beyond_image(name: str, shape: Shape, mode: PaddingMode, padding: int) -> None:
    """Raise ConfigError when a padding that repeats the image needs more than the image has."""
    available = {PaddingMode.reflect: min(shape[1:]) - 1, PaddingMode.circular: min(shape[1:])}
    if padding > available.get(mode, padding):
        raise ConfigError(
            f"model.{name}: padding_mode={mode} cannot add {padding} pixels to its "
            f"{shape[1]}x{shape[2]} input; use at most {available[mode]}"
        )


def stage_layers(index: int, shape: Shape, stage: Stage) -> list[Layer]:
    """The rows of one stage; activation and dropout have no parameters and keep the shape."""
    prefix = f"stages.{index}"
    layers = [convolution(f"{prefix}.convolution", shape, stage)]
    maps = layers[-1].output_shape
    layers += normalizations(f"{prefix}.normalization", maps, stage.normalization)
    if stage.pool is not Pool.none:
        layers.append(pooling(f"{prefix}.pool", maps, stage))
        maps = layers[-1].output_shape
    for block in range(stage.residual):
        layers += residual_layers(f"{prefix}.residual.{block}", maps, stage.normalization)
    return layers


def residual_layers(prefix: str, shape: Shape, normalization: Normalization) -> list[Layer]:
    """Two 3x3 convolutions that keep the shape (C, H, W), each with its normalisation."""
    same = Stage(filters=shape[0], kernel_size=3, padding=1)
    layers = []
    for half in ("first", "second"):
        layers.append(convolution(f"{prefix}.{half}.convolution", shape, same))
        layers += normalizations(f"{prefix}.{half}.normalization", shape, normalization)
    return layers


def normalizations(name: str, shape: Shape, normalization: Normalization) -> list[Layer]:
    """The row of a normalisation of maps (C, H, W); none for none.

    Raises ConfigError when a single value has to go by itself.
    """
    if normalization is Normalization.none:
        return []
    values = {Normalization.instance: prod(shape[1:]), Normalization.layer: prod(shape)}
    if values.get(normalization) == 1:
        raise ConfigError(
            f"model.{name}={normalization} has a single value to go by in its "
            f"{shape[1]}x{shape[2]} input; use batch or none, or keep the maps larger"
        )
    # Instance normalisation has no weights in torch's default form.
    parameters = 0 if normalization is Normalization.instance else 2 * shape[0]
    return [Layer(name, parameters, 0, shape, shape)]


def dense_layers(inputs: int, hidden: Sequence[int], classes: int) -> list[Layer]:
    """Hidden layers and the layer of logits on a vector of `inputs`."""
    units = [inputs, *hidden, classes]
    names = [f"dense.{index}" for index in range(len(hidden))] + ["logits"]
    return [dense(*row) for row in zip(names, units[:-1], units[1:], strict=True)]


def cnn_layers(model: CNN, image_shape: Shape, classes: int) -> list[Layer]:
    """The layer table of a CNN, input to logits."""
    layers: list[Layer] = []
    shape = image_shape
    for index, stage in enumerate(model.stages):
        layers += stage_layers(index, shape, stage)
        shape = layers[-1].output_shape
    units = prod(shape) if model.head is Head.flatten else shape[0]
    layers.append(Layer("head", 0, 0, shape, (units,)))
    return layers + dense_layers(units, model.hidden, classes)


def mlp_layers(model: MLP, image_shape: Shape, classes: int) -> list[Layer]:
    """The layer table of an MLP, input to logits."""
    units = prod(image_shape)
    flatten = Layer("flatten", 0, 0, image_shape, (units,))
    return [flatten, *dense_layers(units, model.hidden, classes)]


def layer_table(model: Model, image_shape: Shape, classes: int) -> list[Layer] | None:
    """The layers of a configured network; None for a user's own, which only torch can tell.

    Raises ConfigError when a stage leaves nothing of its input.
    """
    match model:
        case CNN():
            return cnn_layers(model, image_shape, classes)
        case MLP():
            return mlp_layers(model, image_shape, classes)
        case _:
            return None

"""The tensors that a forward pass keeps for the backward pass, in float32 on the CPU.

A tensor is kept once, by the layer that computes it or by the layer that uses it: a convolution
keeps its input, ReLU its output, max pooling its input and the index of each maximum. Sizes are
for one image; the loss is not counted.
"""

from dataclasses import dataclass, field
from math import prod

from csvision.arithmetic.windows import conv_window
from csvision.config.model_schema import (
    Activation,
    CNNConfig,
    GlobalPool,
    MLPConfig,
    Normalization,
    PaddingMode,
    Pool,
    Stage,
)
from csvision.layer_shapes import LayerSummary

FLOAT_BYTES = 4
INDEX_BYTES = 8

IMAGE = "image"
"""The name of the images of a batch among the layers that have computed a tensor."""

KEEPS_OUTPUT = (Activation.relu, Activation.tanh, Activation.sigmoid)
"""Activations that keep their output; the others keep their input."""


@dataclass
class KeptBytes:
    """The bytes that each layer keeps: `per_image`, and `constant` for any number of images."""

    per_image: dict[str, int] = field(default_factory=dict)
    constant: dict[str, int] = field(default_factory=dict)

    def of_batch(self, name: str, batch_size: int) -> int:
        """Return the bytes of the tensors that a layer has computed, for a batch."""
        return self.per_image.get(name, 0) * batch_size + self.constant.get(name, 0)


class Tape:
    """The last tensor that was computed: its layer, its size, and whether it is kept.

    What is computed from the images alone has no gradient, and keeps nothing.
    """

    def __init__(self, elements: int) -> None:
        self.kept = KeptBytes()
        self.layer, self.elements, self.is_kept = IMAGE, elements, False
        self.has_gradient = False
        self.channels_last = False

    def multiply_weights(self, layer: str, elements: int) -> None:
        """Continue with the output of a layer with weights, whose gradient needs the input."""
        self.has_gradient = True
        self.keep()
        self.compute(layer, elements)

    def keep(self) -> None:
        """Keep the last tensor; the second layer that keeps it needs no more memory."""
        if self.has_gradient and not self.is_kept:
            self.add(self.layer, self.elements * FLOAT_BYTES)
            self.is_kept = True

    def compute(self, layer: str, elements: int) -> None:
        """Continue with a new tensor of `elements` values."""
        self.layer, self.elements, self.is_kept = layer, elements, False

    def add(self, layer: str, size: int) -> None:
        """Keep more bytes of each image for a layer."""
        if self.has_gradient:
            self.kept.per_image[layer] = self.kept.per_image.get(layer, 0) + size


def kept_bytes(model: CNNConfig | MLPConfig, layers: list[LayerSummary]) -> KeptBytes:
    """Return what training keeps of each layer of the layer table of a network."""
    tape = Tape(prod(layers[0].input_shape))
    rows = {layer.name: layer for layer in layers}
    if isinstance(model, CNNConfig):
        for index, stage in enumerate(model.stages):
            keep_stage(tape, f"stages.{index}", stage, rows)
        keep_global_pool(tape, model, rows)
    for index, units in enumerate(model.hidden):
        tape.multiply_weights(f"dense.{index}", units)
        keep_activation(tape, f"dense.{index}", model.activation)
        keep_dropout(tape, f"dense.{index}", model.dropout)
    tape.multiply_weights("logits", prod(rows["logits"].output_shape))
    return tape.kept


def keep_stage(tape: Tape, prefix: str, stage: Stage, rows: dict[str, LayerSummary]) -> None:
    """Add the tensors of one stage."""
    convolution, pool = f"{prefix}.convolution", f"{prefix}.pool"
    keep_padding(tape, convolution, stage, rows)
    keep_conv_norm(tape, prefix, stage.normalization, rows)
    # The network pools before ReLU if both orders give equal results.
    pools_first = stage.activation is Activation.relu and stage.pool is Pool.max
    if not pools_first:
        keep_activation(tape, tape.layer, stage.activation)
    if stage.pool is not Pool.none:
        keep_pool(tape, pool, stage.pool, prod(rows[pool].output_shape))
    if pools_first:
        keep_activation(tape, pool, stage.activation)
    for block in range(stage.residual):
        name = f"{prefix}.residual.{block}"
        channels_last = tape.channels_last
        keep_conv_norm(tape, f"{name}.first", stage.normalization, rows)
        keep_activation(tape, tape.layer, stage.activation)
        keep_conv_norm(tape, f"{name}.second", stage.normalization, rows)
        # The sum with the input is a new tensor; it has the layout of the input.
        tape.compute(tape.layer, tape.elements)
        tape.channels_last = channels_last
        keep_activation(tape, tape.layer, stage.activation)
    keep_dropout(tape, tape.layer, stage.dropout)


def keep_padding(tape: Tape, layer: str, stage: Stage, rows: dict[str, LayerSummary]) -> None:
    """Add a padded copy of the input; symmetric padding with zeros needs none."""
    before, after = conv_window(stage).padding
    mode = stage.padding_mode
    if before == after and (before == 0 or mode is PaddingMode.zeros):
        return
    if mode in (PaddingMode.reflect, PaddingMode.replicate):
        tape.keep()
    channels, height, width = rows[layer].input_shape
    tape.compute(layer, channels * (height + before + after) * (width + before + after))


def keep_conv_norm(
    tape: Tape, prefix: str, normalization: Normalization, rows: dict[str, LayerSummary]
) -> None:
    """Add a convolution and its normalization."""
    convolution, layer = f"{prefix}.convolution", f"{prefix}.normalization"
    tape.multiply_weights(convolution, prod(rows[convolution].output_shape))
    # The layout of the weights of a CNN; for a single weight per filter, both layouts are the same.
    filters = rows[convolution].output_shape[0]
    tape.channels_last = rows[convolution].parameters > 2 * filters
    if normalization is Normalization.none:
        return
    tape.keep()
    channels = rows[layer].output_shape[0]
    # Mean and inverse standard deviation: per channel, per image and channel, or per image.
    match normalization:
        case Normalization.batch:
            tape.kept.constant[layer] = 2 * channels * FLOAT_BYTES
        case Normalization.instance:
            tape.channels_last = False
            tape.add(layer, 2 * channels * FLOAT_BYTES)
        case Normalization.layer:
            tape.add(layer, 2 * FLOAT_BYTES)
    tape.compute(layer, tape.elements)


def keep_activation(tape: Tape, layer: str, activation: Activation) -> None:
    """Add an activation function."""
    if activation is Activation.none:
        return
    if activation not in KEEPS_OUTPUT:
        tape.keep()
    tape.compute(layer, tape.elements)
    if activation in KEEPS_OUTPUT:
        tape.keep()


def keep_pool(tape: Tape, layer: str, pool: Pool, outputs: int) -> None:
    """Add a pooling; min pooling is max pooling of a negated copy."""
    if pool is Pool.min:
        tape.compute(layer, tape.elements)
    tape.keep()
    if pool is not Pool.avg:
        tape.add(layer, outputs * INDEX_BYTES)
    tape.compute(layer, outputs)


def keep_dropout(tape: Tape, layer: str, probability: float) -> None:
    """Add the mask of a dropout, of one float per value."""
    if probability:
        tape.add(layer, tape.elements * FLOAT_BYTES)
        tape.compute(layer, tape.elements)


def keep_global_pool(tape: Tape, model: CNNConfig, rows: dict[str, LayerSummary]) -> None:
    """Add the global pooling, or the flattening, which copies maps with the channels last."""
    if model.global_pool is GlobalPool.none:
        channels, *sides = rows["flatten"].input_shape
        if tape.channels_last and channels > 1 and prod(sides) > 1:
            tape.compute("flatten", tape.elements)
        return
    channels = prod(rows["global_pool"].output_shape)
    if model.global_pool is GlobalPool.max:
        tape.keep()
        tape.add("global_pool", channels * INDEX_BYTES)
    tape.compute("global_pool", channels)

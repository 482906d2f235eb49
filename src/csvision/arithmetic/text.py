"""Format the explanation of a network as text."""

from collections.abc import Iterator, Sequence

from csvision.arithmetic.layers import LayerExplanation, NetworkExplanation

MIB = 2**20

SHAPE_HEADER = ("layer", "input", "output", "output height and width", "parameters")
COUNT_HEADER = (
    "layer",
    "multiply-adds",
    "receptive field",
    "corner uses",
    "center uses",
    "outputs",
    "kept",
    "gradients",
)

NOTES = """\
multiply-adds: for one image, without biases. receptive field: pixels of the image that one value
depends on. corner uses, center uses: windows over a corner and over the middle value of the input.
outputs: bytes of the outputs of a batch; their gradients have the same size. kept: what a training
step keeps for the backward pass. gradients: those of the weights."""

STAGE_NOTE = """\
a stage is convolution, normalization, activation, pooling, residual blocks and dropout, in this
order; max pooling comes before relu, which gives the same values.
Activations and dropout have no line; what they keep is added to the layer before them."""


def format_network(network: NetworkExplanation) -> str:
    """Return two tables of the layers, and the totals."""
    shapes = [shape_row(layer) for layer in network.layers]
    counts = [count_row(layer) for layer in network.layers]
    total = ("total", "", "", "", f"{network.parameters:,}")
    totals = (
        "total",
        f"{network.multiply_adds:,}",
        "",
        "",
        "",
        format_size(network.output_bytes),
        ""
        if network.kept_bytes is None
        else format_size(network.kept_bytes - kept_images(network)),
        format_size(network.gradient_bytes),
    )
    image = format_shape(network.image_shape)
    lines = [
        f"{network.model} on images of {image} (channels x height x width), "
        f"{network.num_classes:,} classes",
        "",
        *align([SHAPE_HEADER, *shapes, total], "<<<<>"),
        "",
        f"for a batch of {network.batch_size:,}, float32:",
        *align([COUNT_HEADER, *counts, totals], "<>>>>>>>"),
        "",
        *memory_lines(network),
        "",
        NOTES,
        *(
            [STAGE_NOTE]
            if any(layer.name.startswith("stages.") for layer in network.layers)
            else []
        ),
    ]
    return "\n".join(lines)


def kept_images(network: NetworkExplanation) -> int:
    """Return what is kept of the batch of images itself."""
    layers = [layer.kept_bytes for layer in network.layers if layer.kept_bytes is not None]
    return (network.kept_bytes or 0) - sum(layers) if layers else 0


def memory_lines(network: NetworkExplanation) -> Iterator[str]:
    """Yield the memory of a training step, without that of the optimizer."""
    parts = {
        "weights": network.weight_bytes,
        "gradients of the weights": network.gradient_bytes,
        "kept for the backward pass, with the images": network.kept_bytes,
    }
    for name, size in parts.items():
        yield f"{name}: {'not measured' if size is None else f'{size:,} bytes'}"


def shape_row(layer: LayerExplanation) -> tuple[str, ...]:
    """Return the cells of a layer in the table of shapes."""
    return (
        layer.name,
        format_shape(layer.input_shape),
        format_shape(layer.output_shape),
        layer.output_formula,
        layer.parameter_formula or f"{layer.parameters:,}",
    )


def count_row(layer: LayerExplanation) -> tuple[str, ...]:
    """Return the cells of a layer in the table of counts."""
    return (
        layer.name,
        f"{layer.multiply_adds:,}",
        format_field(layer),
        "" if layer.corner_uses is None else f"{layer.corner_uses:,}",
        "" if layer.center_uses is None else f"{layer.center_uses:,}",
        format_size(layer.output_bytes),
        "" if layer.kept_bytes is None else format_size(layer.kept_bytes),
        format_size(layer.gradient_bytes),
    )


def format_field(layer: LayerExplanation) -> str:
    """Return a receptive field, as height x width if it is not the whole image."""
    field = layer.receptive_field
    return format_shape(field) if isinstance(field, tuple) else field or "not measured"


def format_shape(shape: Sequence[int]) -> str:
    """Return a shape such as 32x28x28."""
    return "x".join(map("{:,}".format, shape))


def format_size(size: int) -> str:
    """Return bytes in KiB or MiB."""
    if size < MIB:
        return f"{size / 1024:.1f} KiB" if size else "0"
    return f"{size / MIB:.1f} MiB"


def align(rows: Sequence[Sequence[str]], directions: str) -> list[str]:
    """Return rows as lines with aligned columns; `directions` has < or > for each column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:{direction}{width}}"
            for cell, direction, width in zip(row, directions, widths, strict=True)
        ).rstrip()
        for row in rows
    ]

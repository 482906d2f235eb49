"""Estimate the memory of a run from below, before its network is built.

The estimate counts what training cannot do without: weights, gradients and optimizer states, and
the outputs of all layers for one batch. Real runs need more, so a run that is refused would fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path

import psutil

from csvision.config import model_schema, schema
from csvision.data.packing import GIB
from csvision.errors import ConfigError
from csvision.layer_shapes import LayerSummary, Shape, layer_table

PROCESS_BYTES = 100 << 20
"""What each process needs for Python and torch alone."""

CGROUP_FILES = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""The limit of a container, in versions 2 and 1 of Linux's control groups."""


@dataclass(frozen=True)
class MemoryUse:
    """The bytes that a part of a run needs, and the keys that reduce them."""

    name: str
    size: int
    keys: tuple[str, ...]


def check_training_memory(
    config: schema.TrainConfig, image_shape: Shape, num_classes: int, rows: int
) -> None:
    """Raise ConfigError if training on this many rows needs more memory than there is.

    `image_shape` is (C, H, W) after transforms. Only the batches of a custom network are counted.
    """
    layers = layer_table(config.model, image_shape, num_classes) or []
    batch = min(config.batch_size, ceil(rows / config.accelerator.devices))
    uses = [
        *weight_uses(config, layers, copies=2 + optimizer_states(config.optimizer)),
        *batch_uses(config, layers, image_shape, batch),
    ]
    check_uses(config, uses, "training", config.accelerator.devices)


def check_weights_memory(config: schema.TrainConfig, image_shape: Shape, num_classes: int) -> None:
    """Raise ConfigError if the weights alone need more memory than there is."""
    layers = layer_table(config.model, image_shape, num_classes) or []
    check_uses(config, [*weight_uses(config, layers, copies=1)], "the network")


def check_uses(
    config: schema.TrainConfig, uses: list[MemoryUse], what: str, processes: int = 1
) -> None:
    """Raise ConfigError, naming the largest part, if all parts exceed the memory."""
    needed = processes * (PROCESS_BYTES + sum(use.size for use in uses))
    available = machine_memory()
    if needed <= available or not uses:
        return
    if (on_device := device_memory(config.accelerator.name)) is not None:
        needed, available = needed // processes, on_device
        if needed <= available:
            return
    largest = max(uses, key=lambda use: use.size)
    keys = [*(["accelerator.devices"] if processes > 1 else []), *largest.keys]
    if 2 * largest.size * processes < needed:
        keys.append("the number of layers")
    raise ConfigError(
        f"{largest.name}: {what} needs at least {format_gib(needed)} of memory, "
        f"{format_gib(largest.size)} of it for this alone, but there is {format_gib(available)}; "
        f"reduce {' or '.join(keys)}"
    )


def weight_uses(
    config: schema.TrainConfig, layers: list[LayerSummary], copies: int
) -> Iterator[MemoryUse]:
    """Yield the memory of the weights of each layer and of `copies` - 1 tensors of their size."""
    size = 8 if config.accelerator.precision == "64-true" else 4
    for layer in layers:
        keys = layer_keys(config, layer)
        yield MemoryUse(f"model.{layer.name}", layer.parameters * size * copies, keys)


def batch_uses(
    config: schema.TrainConfig, layers: list[LayerSummary], image_shape: Shape, batch: int
) -> Iterator[MemoryUse]:
    """Yield the memory of the images of a batch and of the outputs of each layer for them."""
    size = {"64-true": 8, "32-true": 4}.get(config.accelerator.precision, 2)
    of_batch = ("batch_size",) if batch > 1 else ()
    pad = ("data.pad",) if config.data.pad else ()
    yield MemoryUse("batch_size", batch * prod(image_shape) * size, (*of_batch, *pad))
    if shift := config.augmentation.translate:
        channels, height, width = image_shape
        pixels = batch * channels * (height + 2 * shift) * (width + 2 * shift)
        yield MemoryUse(
            "augmentation.translate", pixels, ("augmentation.translate", *of_batch, *pad)
        )
    for layer in layers:
        # Flattening makes no copy.
        if layer.name != "flatten":
            outputs = batch * prod(layer.output_shape) * size
            keys = (*of_batch, *layer_keys(config, layer))
            yield MemoryUse(f"model.{layer.name}", outputs, keys)


def layer_keys(config: schema.TrainConfig, layer: LayerSummary) -> tuple[str, ...]:
    """Return the keys that make a layer smaller."""
    pad = ("data.pad",) if config.data.pad else ()
    match layer.name.split("."):
        case ["stages", index, "convolution"] if layer.output_shape[1] > layer.input_shape[1]:
            return (f"model.stages.{index}.padding", f"model.stages.{index}.filters", *pad)
        case ["stages", index, *_]:
            return (f"model.stages.{index}.filters", *pad)
        case ["dense", index]:
            return (f"model.hidden.{index}", *pad)
        case _:
            assert isinstance(config.model, model_schema.CNNConfig | model_schema.MLPConfig)
            return ("model.hidden", *pad)


def optimizer_states(optimizer: schema.OptimizerConfig) -> int:
    """Return how many tensors of the size of the weights an optimizer keeps."""
    if isinstance(optimizer, schema.SGDConfig):
        return 1 if optimizer.momentum else 0
    return 2


def machine_memory() -> int:
    """Return the bytes of memory of this machine, or of its container if that has a limit."""
    return min([psutil.virtual_memory().total, *container_limits()])


def container_limits() -> Iterator[int]:
    """Yield the limits of memory that the control group of a container sets."""
    for path in CGROUP_FILES:
        try:
            yield int(path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            # No such file, or the word `max`: there is no limit.
            continue


def device_memory(name: schema.AcceleratorName) -> int | None:
    """Return the bytes of memory of a GPU; None if the accelerator uses that of the machine."""
    if name is schema.AcceleratorName.cpu:
        return None
    # Not at the top: torch takes seconds to import.
    import torch

    from csvision.run.device import torch_device

    if torch_device(name).type != "cuda":
        return None
    return torch.cuda.get_device_properties(0).total_memory


def format_gib(size: int) -> str:
    """Return a number of bytes in GiB."""
    return f"{size / GIB:,.1f} GiB"

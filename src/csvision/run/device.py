"""Which accelerators this machine has."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from csvision.errors import ConfigError
from csvision.schema import AcceleratorName


def available() -> list[AcceleratorName]:
    """The accelerators that are there, the CPU always among them."""
    names = [AcceleratorName.cpu]
    if torch.cuda.is_available():
        names.append(AcceleratorName.gpu)
    if torch.backends.mps.is_available():
        names.append(AcceleratorName.mps)
    return names


def require(name: AcceleratorName, devices: int = 1) -> None:
    """Raise ConfigError when an accelerator, or a number of them, is asked for and not there."""
    names = available()
    if name not in (AcceleratorName.auto, *names):
        raise ConfigError(f"accelerator={name} is not there; this machine has {', '.join(names)}")
    kind = torch_device(name).type
    present = {"cuda": torch.cuda.device_count(), "mps": 1}.get(kind, devices)
    if devices > present:
        raise ConfigError(f"accelerator.devices={devices}: this machine has {present} of {kind}")


def torch_device(name: AcceleratorName) -> torch.device:
    """Where torch computes for an accelerator; `auto` is the best that is there."""
    best = available()[-1] if name is AcceleratorName.auto else name
    return torch.device({"gpu": "cuda"}.get(best.value, best.value))


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Compute on the CPU with so many threads, and then with the caller's number again."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Which accelerators this machine has."""

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


def require(name: AcceleratorName) -> None:
    """Raise ConfigError when an accelerator was asked for that is not there."""
    names = available()
    if name not in (AcceleratorName.auto, *names):
        raise ConfigError(f"accelerator={name} is not there; this machine has {', '.join(names)}")


def torch_device(name: AcceleratorName) -> torch.device:
    """Where torch computes for an accelerator; `auto` is the best that is there."""
    best = available()[-1] if name is AcceleratorName.auto else name
    return torch.device({"gpu": "cuda"}.get(best.value, best.value))

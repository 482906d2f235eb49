"""The accelerators of this machine."""

import torch

from csvision.config.schema import AcceleratorName
from csvision.errors import ConfigError


def available_accelerators() -> list[AcceleratorName]:
    """Return the available accelerators, the CPU first."""
    names = [AcceleratorName.cpu]
    if torch.cuda.is_available():
        names.append(AcceleratorName.gpu)
    if torch.backends.mps.is_available():
        names.append(AcceleratorName.mps)
    return names


def validate_accelerator(name: AcceleratorName, devices: int = 1, key: str = "accelerator") -> None:
    """Raise ConfigError if an accelerator, or the number of devices, is not available.

    `key` is the key with which the accelerator was chosen.
    """
    available = available_accelerators()
    if name not in (AcceleratorName.auto, *available):
        raise ConfigError(f"{key}={name} is not available; this machine has {', '.join(available)}")
    kind = torch_device(name).type
    counts = {"cuda": torch.cuda.device_count(), "mps": 1}
    if kind in counts and devices > counts[kind]:
        raise ConfigError(
            f"accelerator.devices={devices}: this machine has {counts[kind]} {kind} device(s)"
        )


def torch_device(name: AcceleratorName) -> torch.device:
    """Return the torch device of an accelerator; `auto` is the best one available."""
    best = available_accelerators()[-1] if name is AcceleratorName.auto else name
    return torch.device({"gpu": "cuda"}.get(best.value, best.value))

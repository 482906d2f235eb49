"""The accelerators of this machine, and its processors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psutil
import torch

from csvision.config.schema import AcceleratorConfig, AcceleratorName
from csvision.errors import ConfigError
from csvision.run.log import log

BACKGROUND_LOAD = 0.1
"""Below this fraction of busy processors, the load of other processes does not count."""


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


@contextmanager
def limit_threads(count: int | None) -> Iterator[None]:
    """Use `count` CPU threads, or the current number if None; restore it afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choose_num_threads(accelerator: AcceleratorConfig) -> int:
    """Return the configured number of CPU threads, or the default for the load of the machine.

    Without accelerator.num_threads it is the default of torch, but not more than there are idle
    processors: threads that wait for a processor make every step several times slower. If
    OMP_NUM_THREADS is set, or if there are several processes, the default is kept.
    """
    default = torch.get_num_threads()
    if accelerator.num_threads is not None:
        return accelerator.num_threads
    if "OMP_NUM_THREADS" in os.environ or accelerator.devices > 1:
        return default
    idle = idle_processors()
    if idle is None or idle >= default:
        return default
    count = max(1, idle)
    log.info(
        "accelerator.num_threads=%d instead of %d: other processes use the other processors",
        count,
        default,
    )
    return count


@cache
def idle_processors() -> int | None:
    """Return how many processors other processes leave idle; None if they use hardly any.

    Measured once: the load of this process, of a sweep for example, must not count.
    """
    try:
        usage = psutil.cpu_percent(interval=0.2, percpu=True)
    except (OSError, psutil.Error):
        return None
    # In a container, a process may be limited to some of the processors.
    if hasattr(os, "sched_getaffinity"):
        usage = [usage[index] for index in os.sched_getaffinity(0) if index < len(usage)]
    busy = sum(usage) / 100
    return None if busy < BACKGROUND_LOAD * len(usage) else round(len(usage) - busy)

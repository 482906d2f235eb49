"""The GPUs of this machine, each lent to a limited number of processes by lock files."""

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_runtime_path

POLL_SECONDS = 0.2

VARIABLE = "CUDA_VISIBLE_DEVICES"

DRIVER_FILES = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))
"""One of these exists if a driver for the GPUs of torch is loaded, also in containers and WSL."""

LEASES: list[FileLock] = []
"""The lock of the GPU that this process uses; the system releases it when the process ends."""


def may_have_gpu() -> bool:
    """Return whether this machine may have a GPU; if not, torch need not be imported to ask it."""
    return sys.platform != "linux" or any(path.exists() for path in DRIVER_FILES)


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, named as in CUDA_VISIBLE_DEVICES."""
    if not may_have_gpu():
        return []
    import torch

    if not torch.cuda.is_available():
        return []
    if names := os.environ.get(VARIABLE):
        return [name.strip() for name in names.split(",")]
    return [str(index) for index in range(torch.cuda.device_count())]


def lease_gpu(devices: Sequence[str], jobs_per_gpu: int, folder: Path | None = None) -> str:
    """Make one GPU the only visible one in this process, until it ends; return its name.

    At most `jobs_per_gpu` processes use a GPU, those of other sweeps included; waits until one is
    free. `folder` has the lock files (default: a folder of the user on this machine). A second call
    changes nothing: a process cannot change its GPU.
    """
    if not LEASES:
        LEASES.append(acquire_lock(devices, jobs_per_gpu, folder or lock_folder()))
    name = Path(LEASES[0].lock_file).name.partition(".")[0]
    os.environ[VARIABLE] = next(each for each in devices if file_name(each) == name)
    return os.environ[VARIABLE]


def acquire_lock(devices: Sequence[str], jobs_per_gpu: int, folder: Path) -> FileLock:
    """Return the lock of a free GPU; wait until there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        for lock in locks(devices, jobs_per_gpu, folder):
            try:
                return lock.acquire(timeout=0).lock
            except Timeout:
                continue
        time.sleep(POLL_SECONDS)


def locks(devices: Sequence[str], jobs_per_gpu: int, folder: Path) -> Iterator[FileLock]:
    """Yield the locks of all GPUs; the least used GPU comes first."""
    for slot in range(jobs_per_gpu):
        for device in devices:
            yield FileLock(folder / f"{file_name(device)}.{slot}.lock")


def file_name(device: str) -> str:
    """Return the name of a GPU as a part of a file name."""
    return "gpu-" + re.sub(r"[^\w-]", "_", device)


def lock_folder() -> Path:
    """Return the folder of the lock files, which belongs to this user and this machine."""
    return user_runtime_path("csvision")

"""What a run was made from and what came of it, as hashes and names that can be compared."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from csvision import schema
from csvision.data.split import Parts

PACKAGE = Path(__file__).parents[1]

PACKAGES = ("csvision", "torch", "lightning", "torchmetrics", "numpy", "pandas", "scikit-learn")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that decide a run's figures."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def machine() -> dict[str, Any]:
    """The machine: equal ones compute equal bits."""
    return {
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def code_hashes(model: schema.Model) -> dict[str, str]:
    """The sha256 of each source file of csvision, and of the user's own network's file."""
    files = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    if isinstance(model, schema.Custom):
        file = Path(model.path.rpartition(":")[0])
        files["model.path"] = file
    return {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in sorted(files)}


def git_state() -> dict[str, Any] | None:
    """The commit of csvision's checkout and whether it was changed since; None without git."""
    if not git("ls-files", "--error-unmatch", "__init__.py"):
        return None
    return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}


def git(*arguments: str) -> str:
    """What git says of csvision's folder; nothing when it cannot be asked."""
    try:
        command = ["git", "-C", str(PACKAGE), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def data_hashes(parts: Parts) -> dict[str, Any]:
    """The sha256 of the files, and of the row numbers of the three parts."""
    rows = (parts.train.rows, parts.val.rows, parts.test.rows)
    return {
        "sha256": parts.train.table.sha256,
        "test_sha256": parts.test.table.sha256,
        "split_sha256": arrays_sha256(*rows),
    }


def arrays_sha256(*arrays: NDArray[Any]) -> str:
    """The sha256 of arrays with their types and shapes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def weights_sha256(state: Mapping[str, Tensor]) -> str:
    """The sha256 of a state_dict, names, types and shapes included, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def shortened(line: str) -> str:
    """A line with hashes cut to what tells them apart."""
    return " ".join(word[:12] if len(word) == 64 else word for word in line.split(" "))

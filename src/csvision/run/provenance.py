"""Record what a run depends on, and hash its results, so that runs can be compared."""

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from csvision.config.baseline_schema import RunConfig
from csvision.data.splits import Splits
from csvision.models.user_code import model_file, named_code, user_code

PACKAGE = Path(__file__).parents[1]

PACKAGE_NAMES = (
    "csvision",
    "torch",
    "lightning",
    "torchmetrics",
    "numpy",
    "pandas",
    "scikit-learn",
)


def run_metadata(config: RunConfig, splits: Splits, device: str) -> dict[str, Any]:
    """Return what run.json records about data, code and machine; `device` is torch's name."""
    table = splits.train.table
    return {
        "data": {
            "image_shape": list(table.image_shape),
            "label_values": table.label_values,
            "classes": table.classes,
            "pixel_range": list(table.pixel_range),
            "label_column": table.label_column,
            "pixel_columns": table.pixel_columns,
            "notices": table.notices,
            "rows": {"train": len(splits.train), "val": len(splits.val), "test": len(splits.test)},
            **data_hashes(splits),
        },
        "code": code_hashes(*user_code(config)),
        "git": git_state(),
        "versions": package_versions(),
        "machine": machine_info(),
        "accelerator": device,
        "threads": torch.get_num_threads(),
    }


def result_hashes(weights: str, probabilities: NDArray[np.float32]) -> dict[str, str]:
    """Return the hashes that a reproduction of the run must match; `weights` is one of them."""
    return {"weights_sha256": weights, "predictions_sha256": arrays_sha256(probabilities)}


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that affect the results of a run."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGE_NAMES}


def machine_info() -> dict[str, Any]:
    """Return what can change the last bits of a result: system, processors and their instructions.

    Files of version 0.1 have the keys "processors" and "instructions", too.
    """
    return {
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def code_hashes(*parts: Any) -> dict[str, str]:
    """Return the sha256 of each source file of csvision and of the user's own code in `parts`."""
    files = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    files |= {code.KEY: model_file(code) for code in named_code(*parts)}
    return {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in sorted(files)}


def git_state() -> dict[str, Any] | None:
    """Return commit and state of the checkout of csvision; None without git."""
    # The package may be installed inside the checkout of another project.
    if not git("ls-files", "--error-unmatch", "__init__.py"):
        return None
    return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}


def git(*arguments: str) -> str:
    """Return the output of git in the folder of csvision; empty if git fails."""
    try:
        command = ["git", "-C", str(PACKAGE), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def data_hashes(splits: Splits) -> dict[str, Any]:
    """Return the sha256 of the files and of the row indices of the three splits."""
    indices = (splits.train.indices, splits.val.indices, splits.test.indices)
    return {
        "sha256": splits.train.table.sha256,
        "test_sha256": splits.test.table.sha256,
        "split_sha256": arrays_sha256(*indices),
    }


def arrays_sha256(*arrays: NDArray[Any]) -> str:
    """Return the sha256 of arrays, including their types and shapes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def weights_sha256(state: Mapping[str, Tensor]) -> str:
    """Return the sha256 of a state_dict: names, types, shapes and values, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def abbreviate_hashes(line: str) -> str:
    """Return a line with each sha256 cut to 12 characters."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1", line)

"""Runs that attacks damage."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import csvision
from tests.attacks.attack import TRAIN

Prepare = Callable[[Path], None]
Change = Callable[[dict[str, Any]], None]


def train_run(folder: Path, *overrides: str) -> Path:
    """Train a run in this process; return its directory."""
    files = (f"data.csv={folder / 'digits.csv'}", f"output_dir={folder / 'outputs'}")
    options = [word for word in TRAIN.split()[1:] if not word.startswith("data.csv=")]
    return csvision.train(*options, *files, "quiet=true", *overrides).directory


def finished(path: Path) -> None:
    """Train the run `run`."""
    train_run(path).rename(path / "run")


def interrupted(path: Path) -> None:
    """Train the run `run` and mark it as interrupted."""
    finished(path)
    change_manifest(lambda content: content.update(state="interrupted"))(path)


def change_manifest(change: Change) -> Prepare:
    """Return a function that changes the content of run/run.json."""

    def prepare(path: Path) -> None:
        file = path / "run" / "run.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        change(content)
        file.write_text(json.dumps(content), encoding="utf-8")

    return prepare


def change_checkpoint(change: Change) -> Prepare:
    """Return a function that changes the content of run/checkpoints/last.ckpt."""

    def prepare(path: Path) -> None:
        file = path / "run" / "checkpoints" / "last.ckpt"
        content = torch.load(file)
        change(content)
        torch.save(content, file)

    return prepare


def swap_checkpoint(path: Path) -> None:
    """Replace run/checkpoints/last.ckpt by that of another run."""
    other = train_run(path, "seed=5")
    shutil.copy(other / "checkpoints" / "last.ckpt", path / "run" / "checkpoints" / "last.ckpt")
    shutil.rmtree(path / "outputs")


def write_manifest(text: str) -> Prepare:
    """Return a function that writes run/run.json."""

    def prepare(path: Path) -> None:
        (path / "run" / "run.json").write_text(text, encoding="utf-8")

    return prepare


def both(first: Prepare, second: Prepare) -> Prepare:
    """Return a function that calls two."""

    def prepare(path: Path) -> None:
        first(path)
        second(path)

    return prepare

"""The directory of a run: claimed once, never overwritten, readable without executing anything."""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from csvision import config, schema
from csvision.errors import RunError

PACKAGES = ("csvision", "torch", "lightning", "torchmetrics", "numpy", "pandas", "scikit-learn")


class RunDirectory:
    """The files of one run under their names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path / "run.json"
        self.metrics = path / "metrics.json"
        self.history = path / "history.csv"
        self.log = path / "train.log"
        self.best = path / "checkpoints" / "best.ckpt"
        self.last = path / "checkpoints" / "last.ckpt"
        self.evaluations = path / "evaluations"
        self.predictions = path / "predictions"

    def read_manifest(self) -> dict[str, Any]:
        """What run.json says; raises RunError when this is no run's directory."""
        if not self.path.is_dir():
            raise RunError(f"run={self.path}: there is no such folder")
        try:
            content: dict[str, Any] = json.loads(self.manifest.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(
                f"run={self.path} is no run: it has no run.json; name a folder that train.py made"
            ) from None
        except ValueError as error:
            raise RunError(f"{self.manifest} is damaged: {error}") from error
        return content

    def checkpoint(self) -> Path:
        """The weights that the run's test figures come from; raises RunError without any."""
        for path in (self.best, self.last):
            if path.exists():
                return path
        raise RunError(f"run={self.path} has no checkpoint; its training did not get that far")


def stamp() -> str:
    """The present moment to the microsecond, as it stands in names of directories."""
    return datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")


def new_path(settings: schema.Train) -> Path:
    """The name of a new run below `outputs`, as conf/train.yaml forms it for Hydra."""
    name = f"{stamp()}_{settings.model.name}_seed{settings.seed}"
    return Path(settings.outputs) / "runs" / name


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def claim(path: Path, settings: schema.Train, overrides: Sequence[str]) -> RunDirectory:
    """Make a directory a run's own by creating run.json in it, which can be done only once.

    Raises RunError when it already is a run's or cannot be written.
    """
    run = RunDirectory(path)
    content = {
        "state": "running",
        "started": datetime.now().astimezone().isoformat(),
        "overrides": list(overrides),
        "config": config.plain(settings),
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in PACKAGES},
        "machine": {"platform": platform.platform(), "processors": os.cpu_count()},
    }
    try:
        path.mkdir(parents=True, exist_ok=True)
        with run.manifest.open("x", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
    except FileExistsError:
        raise RunError(f"{path} already holds a run; choose another directory") from None
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}; choose outputs=") from error
    write_hydra_files(path, settings, overrides)
    return run


def write_hydra_files(path: Path, settings: schema.Train, overrides: Sequence[str]) -> None:
    """Leave .hydra/ as Hydra's own entry point does, for a run that began in Python."""
    folder = path / ".hydra"
    if folder.exists():
        return
    folder.mkdir()
    OmegaConf.save(config.plain(settings), folder / "config.yaml")
    OmegaConf.save(list(overrides), folder / "overrides.yaml")


def add_to_manifest(run: RunDirectory, **content: Any) -> None:
    """Add facts to run.json."""
    write_json(run.manifest, run.read_manifest() | content)


@contextmanager
def state_recorded(run: RunDirectory) -> Iterator[None]:
    """Write how the run ended into run.json."""
    state = "failed"
    try:
        yield
        state = "finished"
    except (KeyboardInterrupt, SystemExit):
        state = "interrupted"
        raise
    finally:
        add_to_manifest(run, state=state, ended=datetime.now().astimezone().isoformat())


def read_config(run: RunDirectory) -> schema.Train:
    """The configuration of a run; it can name no code, and raises RunError when it is damaged."""
    manifest = run.read_manifest()
    try:
        return config.from_plain(manifest["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{run.manifest}: its config is damaged: {error}") from error

"""The directory of a run: claimed once, never overwritten, readable without executing anything."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from csvision import config, schema
from csvision.errors import RunError
from csvision.stamp import stamp

SWEEP_FILE = "multirun.yaml"
"""What Hydra leaves in the folder of a sweep."""

RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
"""Where launchers of several processes tell each its number."""


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
        self.previous = path / "checkpoints" / "previous.ckpt"
        self.lock = path / ".lock"
        self.evaluations = path / "evaluations"
        self.predictions = path / "predictions"
        self.reproductions = path / "reproductions"

    def read_manifest(self) -> dict[str, Any]:
        """What run.json says; raises RunError when this is no run's directory."""
        if not self.path.is_dir():
            raise RunError(f"run={self.path}: there is no such folder")
        try:
            content = dict(json.loads(self.manifest.read_text(encoding="utf-8")))
        except FileNotFoundError:
            if (self.path / SWEEP_FILE).exists():
                raise RunError(f"run={self.path} is a sweep; name the folder of a job") from None
            raise RunError(
                f"run={self.path} is no run: it has no run.json; name a folder that train.py made"
            ) from None
        except (TypeError, ValueError) as error:
            raise RunError(f"{self.manifest} is damaged: {error}") from error
        return content

    def checkpoint(self, weights: schema.Weights) -> Path:
        """The weights that the run's test figures come from; raises RunError without any.

        Without validation rows there is no best.
        """
        if weights is schema.Weights.best and self.best.exists():
            return self.best
        if self.last.exists():
            return self.last
        raise RunError(
            f"run={self.path} has no {self.last.name}; its training did not get that far"
        )


def new_path(settings: schema.Train) -> Path:
    """The name of a new run below `outputs`, as conf/train.yaml forms it for Hydra."""
    name = f"{stamp()}_{settings.model.name}_seed{settings.seed}"
    return Path(settings.outputs) / "runs" / name


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def claim(path: Path, settings: schema.Train, overrides: Sequence[str]) -> RunDirectory:
    """Make a directory a run's own by creating run.json in it, which can be done only once.

    Raises RunError when it already is a run's or cannot be written.
    """
    run = RunDirectory(path)
    content = {
        "state": "running",
        "started": now(),
        "overrides": list(overrides),
        "config": config.plain(with_absolute_paths(settings)),
    }
    try:
        path.mkdir(parents=True, exist_ok=True)
        with run.manifest.open("x", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
    except FileExistsError:
        raise RunError(f"{path} already holds a run; choose another directory") from None
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror}; choose another folder"
        ) from error
    write_hydra_files(path, settings, overrides)
    return run


def claim_again(path: Path) -> RunDirectory:
    """Take up a run that has not finished; raises RunError when there is none."""
    run = RunDirectory(path)
    if run.read_manifest().get("state") == "finished":
        raise RunError(f"run={path} is finished; there is nothing to go on with")
    return run


def new_folder(path: Path) -> Path:
    """Make a folder for results; raises RunError when it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path} cannot be made: {error.strerror}; results go there") from error
    return path


@contextmanager
def locked(run: RunDirectory) -> Iterator[None]:
    """Keep other processes from a run; the system lets go of it even when this one is killed.

    Raises RunError when another process has it.
    """
    lock = FileLock(run.lock, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(f"run={run.path} is under way in another process") from None
    except OSError as error:
        raise RunError(f"run={run.path} cannot be written to: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def now() -> str:
    """The present moment with its time zone."""
    return datetime.now().astimezone().isoformat()


def with_absolute_paths(settings: schema.Train, folder: Path | None = None) -> schema.Train:
    """The settings with data files that are found from anywhere, as seen from a folder."""
    here = folder or Path.cwd()
    data = settings.data
    csv = data.csv if data.csv == schema.EMBEDDED else str(here / Path(data.csv).expanduser())
    test_csv = data.test_csv and str(here / Path(data.test_csv).expanduser())
    return replace(settings, data=replace(data, csv=csv, test_csv=test_csv))


def write_hydra_files(path: Path, settings: schema.Train, overrides: Sequence[str]) -> None:
    """Leave .hydra/ as Hydra's own entry point does, for a run that began in Python."""
    folder = path / ".hydra"
    if folder.exists():
        return
    folder.mkdir()
    OmegaConf.save(config.plain(settings), folder / "config.yaml")
    OmegaConf.save(list(overrides), folder / "overrides.yaml")


def leads() -> bool:
    """Whether this process is the one that writes, among those that train together."""
    return not any(int(os.environ.get(name, "0")) for name in RANKS)


def add_to_manifest(run: RunDirectory, **content: Any) -> None:
    """Add facts to run.json."""
    write_json(run.manifest, run.read_manifest() | content)


@contextmanager
def state_recorded(run: RunDirectory) -> Iterator[None]:
    """Write how the run ended into run.json."""
    state = "interrupted"
    try:
        yield
        state = "finished"
    except Exception:
        state = "failed"
        raise
    finally:
        # Where even this cannot be written, the run is found unfinished all the same.
        with nullcontext() if state == "finished" else suppress(OSError, RunError):
            add_to_manifest(run, state=state, ended=now())

"""The directory of a run: created once, never overwritten, readable without executing code."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from csvision.config import model_schema, schema
from csvision.config.baseline_schema import BaselineConfig, RunConfig
from csvision.config.serialize import config_to_dict, is_baseline, run_config_from_dict
from csvision.errors import DivergedError, PrunedError, RunError, first_line
from csvision.files import iso_time, timestamp, write_json
from csvision.run.manifest import read_manifest
from csvision.run.sweep_folder import check_folder, is_sweep

AnyConfig = TypeVar("AnyConfig", bound=RunConfig)


class RunDirectory:
    """The paths of the files of a run, and its manifest run.json."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path / "run.json"
        self.splits = path / "splits.npz"
        self.metrics = path / "metrics.json"
        self.history = path / "history.csv"
        self.log = path / "train.log"
        self.checkpoints = path / "checkpoints"
        self.best = self.checkpoints / "best.ckpt"
        self.last = self.checkpoints / "last.ckpt"
        self.previous = self.checkpoints / "previous.ckpt"
        self.evaluations = path / "evaluations"
        self.predictions = path / "predictions"
        self.exports = path / "exports"
        self.reproductions = path / "reproductions"

    @classmethod
    def create(cls, path: Path, config: RunConfig, overrides: Sequence[str]) -> "RunDirectory":
        """Make a folder the directory of a new run; its run.json appears complete or not at all.

        Raises RunError if it already contains a run or cannot be written.
        """
        run_dir = cls(path)
        content = {
            "state": "running",
            "started": iso_time(),
            "overrides": list(overrides),
            "config": config_to_dict(with_absolute_paths(config)),
        }
        try:
            path.mkdir(parents=True, exist_ok=True)
            # Of two processes that find no run, only one may write it.
            with run_dir.lock():
                if run_dir.manifest.exists():
                    raise RunError(f"{path} already contains a run; choose another directory")
                write_json(run_dir.manifest, content)
                write_hydra_files(path, config, overrides)
        except OSError as error:
            raise RunError(
                f"{path} cannot be written: {error.strerror}; choose another output_dir"
            ) from error
        return run_dir

    @classmethod
    def reopen(cls, path: Path) -> "RunDirectory":
        """Open the directory of an unfinished run; raises RunError if the run is finished."""
        run_dir = cls(path)
        if run_dir.read_manifest().get("state") == "finished":
            raise RunError(
                f"run={path} is finished; there is nothing to resume; to train longer (for "
                "scheduler=none, step or plateau), write epochs=NUMBER"
            )
        return run_dir

    def read_manifest(self) -> dict[str, Any]:
        """Return the content of run.json; raises RunError if it is damaged or missing."""
        try:
            check_folder(self.path)
            return read_manifest(self.manifest)
        except FileNotFoundError:
            if is_sweep(self.path):
                raise RunError(
                    f"run={self.path} is a sweep; give the directory of one of its jobs"
                ) from None
            raise RunError(
                f"run={self.path} is not a run directory: it has no run.json; "
                "give a directory that training has created"
            ) from None
        except OSError as error:
            raise RunError(f"run={self.path} cannot be read: {error.strerror}") from error

    def update_manifest(self, **content: Any) -> None:
        """Add entries to run.json."""
        self.write_manifest(self.read_manifest() | content)

    def write_manifest(self, content: dict[str, Any]) -> None:
        """Replace the content of run.json."""
        write_json(self.manifest, content)

    def is_baseline(self) -> bool:
        """Return whether this is the run of a baseline; raises RunError if run.json is damaged."""
        return self.manifest.is_file() and is_baseline(self.read_manifest()["config"])

    def read_config(self) -> schema.TrainConfig:
        """Return the configuration of a training run; raises RunError if it is not one."""
        config = self.read_run_config()
        if isinstance(config, BaselineConfig):
            raise RunError(
                f"run={self.path} is a baseline ({config.model.name}), not a trained network; give "
                "the directory of a training run"
            )
        return config

    def read_baseline_config(self) -> BaselineConfig:
        """Return the configuration of a baseline; raises RunError if it is not one."""
        config = self.read_run_config()
        if not isinstance(config, BaselineConfig):
            raise RunError(f"run={self.path} is a trained network, not a baseline")
        return config

    def read_run_config(self) -> RunConfig:
        """Return the configuration of the run; raises RunError if it is damaged.

        The cache folder in run.json is ignored: a file must not decide where csvision writes.
        """
        manifest = self.read_manifest()
        try:
            return with_default_cache(run_config_from_dict(manifest["config"]))
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise RunError(f"{self.manifest} is damaged: config: {first_line(error)}") from error

    def checkpoint(self, name: schema.CheckpointName) -> Path:
        """Return the path of the checkpoint to test; raises RunError if there is no checkpoint.

        Without a validation split there is no best.ckpt, and last.ckpt is used.
        """
        if name is schema.CheckpointName.best and self.best.exists():
            return self.best
        if self.last.exists():
            return self.last
        raise RunError(
            f"run={self.path} has no {self.last.name}: "
            + (
                "its checkpoints were deleted; put them back, or train again"
                if self.read_manifest().get("state") == "finished"
                else "training stopped before the first checkpoint, or it was deleted; train again"
            )
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Exclude other processes; the system releases the lock even if this process is killed.

        Raises RunError if another process holds the lock.
        """
        lock = FileLock(self.path / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise RunError(f"run={self.path} is running in another process") from None
        except OSError as error:
            raise RunError(f"run={self.path} cannot be written: {error.strerror}") from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def record_state(self) -> Iterator[None]:
        """Record in run.json how the run ended."""
        state, reason = "interrupted", {}
        try:
            yield
            state = "finished"
        except DivergedError as error:
            state, reason = "diverged", {"reason": first_line(error)}
            raise
        except PrunedError:
            state = "pruned"
            raise
        except Exception as error:
            state, reason = "failed", {"reason": first_line(error) or type(error).__name__}
            raise
        finally:
            # If run.json of a failed run cannot be written, either, keep the original error.
            with nullcontext() if state == "finished" else suppress(OSError, RunError):
                self.update_manifest(state=state, ended=iso_time(), **reason)


def default_run_dir(config: RunConfig) -> Path:
    """Return the absolute path of a new run in output_dir, formed as in conf/train.yaml."""
    name = f"{timestamp()}_{config.model.name}_seed{config.seed}"
    return Path(config.output_dir).absolute() / "runs" / name


def with_absolute_paths(config: AnyConfig, folder: Path | None = None) -> AnyConfig:
    """Return the configuration with absolute paths of files, relative ones from `folder`."""
    cwd = folder or Path.cwd()
    data = config.data
    csv = data.csv if data.csv == schema.BUNDLED else str(cwd / Path(data.csv).expanduser())
    test_csv = data.test_csv and str(cwd / Path(data.test_csv).expanduser())
    config = replace(config, data=replace(data, csv=csv, test_csv=test_csv))
    if isinstance(config, schema.TrainConfig) and config.init_from is not None:
        config = replace(config, init_from=str(cwd / Path(config.init_from).expanduser()))
    return config


def with_default_cache(config: AnyConfig) -> AnyConfig:
    """Return the configuration with the default cache folder; data.cache=none is kept."""
    cache = schema.NO_CACHE if config.data.cache == schema.NO_CACHE else None
    return replace(config, data=replace(config.data, cache=cache))


def custom_model_path(config: RunConfig) -> str | None:
    """Return the path of the code of a custom network; None for other networks."""
    model = config.model
    return model.path if isinstance(model, model_schema.CustomModelConfig) else None


def with_model_path(config: AnyConfig, run_dir: RunDirectory, model_path: str | None) -> AnyConfig:
    """Return the configuration with the code of a custom network from the command line.

    The path in run.json is never used. Raises RunError if `model_path` is missing.
    """
    if isinstance(config, BaselineConfig):
        return config
    if not isinstance(config.model, model_schema.CustomModelConfig):
        return config
    if model_path is None:
        raise RunError(f"{run_dir.path} has a custom network; write model.path=FILE.py:CLASS")
    return replace(config, model=replace(config.model, path=model_path))


def write_hydra_files(path: Path, config: RunConfig, overrides: Sequence[str]) -> None:
    """Write .hydra/ as Hydra's entry point does, for a run that was started from Python."""
    folder = path / ".hydra"
    if folder.exists():
        return
    folder.mkdir()
    OmegaConf.save(config_to_dict(config), folder / "config.yaml")
    OmegaConf.save(list(overrides), folder / "overrides.yaml")

"""Find jobs of a sweep whose directory is damaged, and set them aside so that they start again."""

from collections.abc import Iterator
from pathlib import Path

from csvision.config import schema
from csvision.config.baseline_schema import BaselineConfig, RunConfig
from csvision.errors import RunError, first_line
from csvision.run.checkpoints import check_archive, read_checkpoint_config
from csvision.run.directory import RunDirectory
from csvision.run.manifest import read_json_object
from csvision.run.recorded_splits import read_splits

DAMAGED = "damaged"
"""The folder inside a sweep to which damaged jobs are moved."""


def find_damage(run_dir: RunDirectory) -> str:
    """Return what is damaged in the directory of a job; empty if it can be kept or resumed.

    An unfinished job is not damaged if one of its checkpoints can be read, or if it has none.
    """
    if not run_dir.manifest.exists():
        left = run_dir.checkpoints.exists() or run_dir.log.exists()
        return f"{run_dir.manifest} is missing" if left else ""
    try:
        config, manifest = run_dir.read_run_config(), run_dir.read_manifest()
        if manifest["state"] == "finished":
            check_results_readable(run_dir, config)
        else:
            check_checkpoint_readable(run_dir)
            if run_dir.splits.exists() and "data" in manifest:
                read_splits(run_dir.splits, manifest["data"]["split_sha256"])
    except RunError as error:
        return first_line(error)
    return ""


def check_results_readable(run_dir: RunDirectory, config: RunConfig) -> None:
    """Raise RunError if the metrics or the tested checkpoint of a finished job cannot be read.

    A checkpoint that was deleted, to save space for example, is no damage.
    """
    try:
        read_json_object(run_dir.metrics)
    except OSError as error:
        raise RunError(f"{run_dir.metrics} cannot be read: {error.strerror}") from error
    if isinstance(config, BaselineConfig):
        return
    names = schema.CheckpointName
    tested = run_dir.best if config.tested_checkpoint is names.best else run_dir.last
    if tested.exists():
        check_archive(tested)


def check_checkpoint_readable(run_dir: RunDirectory) -> None:
    """Raise RunError if an unfinished job has checkpoints, but none that can be read."""
    if run_dir.best.exists():
        check_archive(run_dir.best)
    errors = []
    for path in (run_dir.last, run_dir.previous):
        if path.exists():
            try:
                read_checkpoint_config(path)
            except RunError as error:
                errors.append(error)
            else:
                return
    if errors:
        raise errors[0]


def set_aside(sweep: Path, run_dir: RunDirectory) -> Path:
    """Move the directory of a damaged job into SWEEP/damaged/; return its new path.

    Raises RunError if another process uses it or if it cannot be moved.
    """
    with run_dir.lock():
        try:
            target = next(path for path in new_paths(sweep, run_dir.path) if not path.exists())
            target.parent.mkdir(parents=True, exist_ok=True)
            return run_dir.path.rename(target)
        except OSError as error:
            raise RunError(f"{run_dir.path} cannot be moved: {error.strerror}") from error


def new_paths(sweep: Path, directory: Path) -> Iterator[Path]:
    """Yield paths for a damaged job: its name, then with .2, .3 and so on."""
    path = sweep / DAMAGED / directory.relative_to(sweep)
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.name}.{number}")
        number += 1

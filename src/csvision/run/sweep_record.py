"""sweep.json: the jobs of a sweep as they were composed when it started."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from csvision.config.baseline_schema import RunConfig
from csvision.config.serialize import config_to_dict
from csvision.errors import RunError, first_line
from csvision.files import is_inner_path, write_json
from csvision.run.config_reader import ConfigReader
from csvision.run.directory import with_absolute_paths, with_default_cache
from csvision.run.manifest import is_text_list, read_json_object
from csvision.run.sweep_folder import SWEEP_RECORD


@dataclass(frozen=True)
class RecordedJob:
    """A job of a sweep: its directory below the sweep's folder, overrides and configuration."""

    directory: str
    overrides: list[str]
    config: RunConfig


@dataclass(frozen=True)
class SweepCommand:
    """The KEY=VALUE arguments that started a sweep, and the folder in which it was started."""

    arguments: list[str]
    cwd: str


def write_record(folder: Path, jobs: Sequence[RecordedJob], command: SweepCommand) -> None:
    """Write the jobs of a sweep into its folder; raises OSError if it cannot be written.

    A resumed sweep needs neither the search path of the start nor the files found there.
    """
    content = [
        {
            "directory": job.directory,
            "overrides": job.overrides,
            "config": config_to_dict(with_absolute_paths(job.config)),
        }
        for job in jobs
    ]
    write_json(folder / SWEEP_RECORD, {"command": asdict(command), "jobs": content})


def has_record(folder: Path) -> bool:
    """Return whether the jobs of a sweep are recorded in its folder."""
    return (folder / SWEEP_RECORD).is_file()


def read_record(folder: Path) -> list[RecordedJob]:
    """Return the recorded jobs of a sweep in their order.

    The record selects no code and no folder outside of the sweep. Raises RunError if it is damaged.
    """
    with report_damage(folder):
        reader = ConfigReader()
        jobs = read_json_object(folder / SWEEP_RECORD)["jobs"]
        return [read_job(job, reader) for job in jobs]


def read_overrides(folder: Path) -> dict[str, list[str]]:
    """Return the overrides of the recorded jobs by directory, in their order.

    Their configurations are not validated, which takes much longer. Raises RunError if the record
    is damaged.
    """
    with report_damage(folder):
        jobs = read_json_object(folder / SWEEP_RECORD)["jobs"]
        return dict(map(read_names, jobs))


@contextmanager
def report_damage(folder: Path) -> Iterator[None]:
    """Raise RunError for the exceptions that a damaged record causes."""
    file = folder / SWEEP_RECORD
    try:
        yield
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror}") from error
    except RunError as error:
        raise RunError(f"{first_line(error)}; resume its jobs one by one: run={folder}/JOB") from (
            error
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        reason = first_line(error) or type(error).__name__
        raise RunError(
            f"{file} is damaged: {reason}; resume its jobs one by one: run={folder}/JOB"
        ) from error


def read_command(folder: Path) -> SweepCommand:
    """Return the command line of a sweep; raises RunError if it is not recorded or damaged."""
    file = folder / SWEEP_RECORD
    try:
        content = read_json_object(file).get("command")
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror}; no job can be added") from error
    match content:
        case {"arguments": list() as arguments, "cwd": str() as cwd} if is_text_list(arguments):
            return SweepCommand(arguments, cwd)
        case None:
            reason = "the sweep was started by an earlier version"
        case _:
            reason = "the entry command is damaged"
    raise RunError(f"{file}: {reason}, so no job can be added; start a new sweep")


def read_job(content: dict[str, Any], reader: ConfigReader) -> RecordedJob:
    """Return a job from its entry in the record; raises what Python raises for other content."""
    directory, overrides = read_names(content)
    config = with_default_cache(reader.read(content["config"]))
    return RecordedJob(directory, overrides, config)


def read_names(content: dict[str, Any]) -> tuple[str, list[str]]:
    """Return directory and overrides of a job; raises what Python raises for other content."""
    directory, overrides = content["directory"], content["overrides"]
    if not is_inner_path(Path(directory)):
        raise ValueError(f"directory is {directory}; it must be a path inside the sweep")
    if not is_text_list(overrides):
        raise ValueError("overrides must be a list of strings")
    return directory, overrides

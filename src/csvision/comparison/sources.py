"""Find the runs in sweeps, in folders of runs, and single ones."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from csvision.comparison.index import RunIndex
from csvision.comparison.record import RunRecord, read_run
from csvision.errors import RunError
from csvision.run.sweep_folder import check_folder, is_sweep
from csvision.run.sweep_record import read_overrides

MAX_DEPTH = 3
"""Folders below the given one in which runs are found, as in outputs/sweeps/SWEEP/JOB."""


@dataclass(frozen=True)
class Source:
    """What was given to compare: a run, a sweep, or a folder with runs or sweeps."""

    path: Path
    records: list[RunRecord]
    sweep: bool

    @property
    def single(self) -> bool:
        """Whether the source is a single run."""
        return not self.sweep and [record.directory for record in self.records] == [str(self.path)]


def read_source(path: Path) -> Source:
    """Return all runs at a path; raises RunError if there is none."""
    path = path.absolute()
    check_folder(path)
    try:
        if (path / "run.json").is_file():
            return Source(path, [read_run(path, {})], False)
        if is_sweep(path):
            return Source(path, read_jobs(path), True)
        records = [record for folder in run_folders(path) for record in read_folder(folder)]
    except OSError as error:
        raise RunError(f"run={path} cannot be read: {error.strerror}") from error
    if not records:
        raise RunError(f"run={path}: no run in this folder; give a sweep, a run, or [DIR,DIR]")
    return Source(path, records, False)


def run_folders(path: Path, depth: int = 0) -> Iterator[Path]:
    """Yield the folders that are a sweep or contain runs, in the order of their names."""
    if is_sweep(path):
        yield path
        return
    inner = child_folders(path)
    if any(is_run(f"{path}/{name}") for name in inner[:100]):
        yield path
    elif depth < MAX_DEPTH:
        for name in inner:
            yield from run_folders(path / name, depth + 1)


def read_folder(folder: Path) -> list[RunRecord]:
    """Return the runs in a folder, which may be a sweep."""
    if is_sweep(folder):
        return read_jobs(folder)
    names = [name for name in child_folders(folder) if is_run(f"{folder}/{name}")]
    return RunIndex(folder).update(names)


def is_run(folder: str) -> bool:
    """Return whether a folder is the directory of a run."""
    return os.path.exists(f"{folder}/run.json")  # noqa: PTH110 (three times as fast)


def child_folders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, without hidden ones and links, sorted."""
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        )


def read_jobs(sweep: Path) -> list[RunRecord]:
    """Return the jobs of a sweep in their order, those that have not started, too."""
    recorded = recorded_words(sweep)
    names = list(recorded) or sorted(numbered_folders(sweep), key=job_number)
    records = RunIndex(sweep).update(names)
    return [
        replace(record, words=recorded[name]) if name in recorded else record
        for name, record in zip(names, records, strict=True)
    ]


def recorded_words(sweep: Path) -> dict[str, tuple[str, ...]]:
    """Return the overrides of each job in sweep.json; nothing if it is missing or damaged."""
    try:
        return {name: tuple(words) for name, words in read_overrides(sweep).items()}
    except RunError:
        return {}


def numbered_folders(sweep: Path) -> list[str]:
    """Return the folders of the jobs of a sweep without a record."""
    return [name for name in child_folders(sweep) if name.partition("_")[0].isdecimal()]


def job_number(name: str) -> int:
    """Return the number at the start of the name of a job's folder."""
    return int(name.partition("_")[0])


def read_sources(paths: Sequence[Path]) -> list[Source]:
    """Return the runs at several paths.

    Raises RunError if there is none at one of them, or if a run is at two of them.
    """
    sources = [read_source(path) for path in paths]
    check_distinct(sources)
    return sources


def check_distinct(sources: Sequence[Source]) -> None:
    """Raise RunError if two sources have a run in common, which would be compared with itself."""
    owners: dict[str, Source] = {}
    for source in sources if len(sources) > 1 else []:
        path = str(source.path)
        # The folders in a source are no links.
        real = os.path.realpath(path)
        for record in source.records:
            run = real + record.directory.removeprefix(path)
            if (other := owners.setdefault(run, source)) is not source:
                inside = f" is in {other.path}, too" if source.path != other.path else " again"
                raise RunError(
                    f"run={path}{inside}: the same run twice ({run}); name each run once"
                )

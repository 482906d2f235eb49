"""The overrides by which a job differs from the other jobs of its sweep."""

from functools import lru_cache
from pathlib import Path

from csvision.config.labels import parse_override
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.sweep_folder import SWEEP_RECORD, is_sweep
from csvision.run.sweep_record import read_overrides


def swept_overrides(run_dir: RunDirectory) -> dict[str, str]:
    """Return the overrides of a job whose keys its sweep varies; nothing for a single run.

    For a sweep that has not recorded its jobs, all overrides of the job.
    """
    sweep = run_dir.path.parent
    if not is_sweep(sweep):
        return {}
    overrides = dict(map(parse_override, run_dir.read_manifest().get("overrides", [])))
    keys = varied_keys(sweep, record_time(sweep))
    return {key: text for key, text in overrides.items() if keys is None or key in keys}


def record_time(sweep: Path) -> int | None:
    """Return the time of the record of a sweep; None without a record."""
    try:
        return (sweep / SWEEP_RECORD).stat().st_mtime_ns
    except OSError:
        return None


@lru_cache(maxsize=8)
def varied_keys(sweep: Path, time: int | None) -> frozenset[str] | None:
    """Return the keys with several values in the record of a sweep; None without a record.

    A worker process reads a record once; `time` identifies its version.
    """
    try:
        jobs = [dict(map(parse_override, words)) for words in read_overrides(sweep).values()]
    except RunError:
        return None
    keys = {key for job in jobs for key in job}
    return frozenset(key for key in keys if len({job.get(key) for job in jobs}) > 1)

"""Which data the compared runs have used; runs of different data are not compared."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from shlex import quote

from csvision.comparison.record import RunRecord
from csvision.comparison.sources import Source
from csvision.errors import ConfigError, RunError


def data_names(records: Sequence[RunRecord]) -> dict[str, str]:
    """Return the name of each data set of finished runs by its hash: that of its file.

    Data sets with the same name are told apart by the start of the hash.
    """
    files = {run.data: file_name(run) for run in records if run.finished and run.data}
    counts = Counter(files.values())
    return {
        data: f"{name}@{data[:8]}" if counts[name] > 1 else name for data, name in files.items()
    }


def file_name(run: RunRecord) -> str:
    """Return the name of the data file of a run."""
    path = str(run.get("data.csv"))
    return PurePath(path).name or path


def check_same_data(records: Sequence[RunRecord]) -> None:
    """Raise RunError if finished runs have used different data; it names the data sets."""
    names = data_names(records)
    if len(names) < 2:
        return
    counts = Counter(run.data for run in records if run.finished and run.data in names)
    listed = ", ".join(
        f"{names[data]} ({count} {'run' if count == 1 else 'runs'})"
        for data, count in counts.most_common()
    )
    wanted = quote(f"dataset={names[counts.most_common(1)[0][0]]}")
    raise RunError(
        f"run: these runs have used different data, so their metrics cannot be compared: {listed}; "
        f"compare those of one: {wanted}"
    )


def select_data(sources: Sequence[Source], wanted: str | None) -> list[Source]:
    """Return the sources with the runs of one data set only, and those that have not started.

    Raises ConfigError if no finished run has used it.
    """
    if wanted is None:
        return [*sources]
    names = data_names([record for source in sources for record in source.records])
    if wanted not in names.values():
        known = ", ".join(names.values()) or "none"
        raise ConfigError(f"dataset={wanted}: no finished run has used it; write one of: {known}")
    kept = ("", *(data for data, name in names.items() if name == wanted))
    return [
        replace(source, records=[run for run in source.records if run.data in kept])
        for source in sources
    ]

"""What a page about a sweep shows, as plain data."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from csvision.command_hints import command_line
from csvision.comparison.importance import Cell, to_cell
from csvision.comparison.record import RunRecord
from csvision.comparison.result import ComparisonResult, SettingResult
from csvision.comparison.settings import to_text
from csvision.comparison.text import ranked
from csvision.config.labels import label, short_keys, short_value
from csvision.config.quoting import unquote_path

MAX_JOBS = 500
"""Jobs in the table of a page."""

MAX_SETTINGS = 200

MAX_DIFFERENCES = 50

MAX_CURVES = 6
"""Settings with curves: the best ones, which differ by color and marker."""

MAX_VALUES = 12
"""Values of a key in a heat map."""


@dataclass(frozen=True)
class JobRow:
    """A job in the table of a page; `href` is the path of its folder from that of the page."""

    name: str
    href: str
    label: str
    state: str
    value: float | None
    seconds: float | None
    command: str
    reason: str


@dataclass(frozen=True)
class HeatMap:
    """The best mean of a metric for each pair of values of two keys; None if there is none."""

    row_key: str
    column_key: str
    rows: list[str]
    columns: list[str]
    cells: list[list[float | None]]


def job_rows(records: Sequence[RunRecord], metric: str, folder: Path) -> list[JobRow]:
    """Return the jobs in their order; of many, those that failed and the first others."""
    keys = varied_words(records)
    names = short_keys(keys)
    kept = records
    if len(records) > MAX_JOBS:
        usual = ("finished", "not started")
        unusual = [record for record in records if record.state not in usual][:MAX_JOBS]
        others = (record for record in records if record.state in usual)
        kept = [*unusual, *islice(others, MAX_JOBS - len(unusual))]
    return [job_row(record, keys, names, metric, folder) for record in kept]


def varied_words(records: Sequence[RunRecord]) -> list[str]:
    """Return the override keys with several values."""
    values: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for record in records:
        for key, text in record.overrides.items():
            values.setdefault(key, set()).add(text)
            counts[key] = counts.get(key, 0) + 1
    total = len(records)
    return [key for key, found in values.items() if len(found) > 1 or counts[key] < total]


def job_row(
    record: RunRecord, keys: Sequence[str], names: dict[str, str], metric: str, folder: Path
) -> JobRow:
    """Return the row of a job; the command trains it again."""
    overrides = record.overrides
    values = {key: overrides[key] for key in keys if key in overrides}
    return JobRow(
        Path(record.directory).name,
        quote(os.path.relpath(record.directory, folder)) + "/",
        label(values, names),
        record.state,
        record.metrics.get(metric),
        record.seconds,
        command_line(
            "baseline" if record.is_baseline else "train", *map(unquote_path, record.words)
        ),
        record.reason or log_reason(record),
    )


def log_reason(record: RunRecord) -> str:
    """Return the last line of train.log of a failed run, which has its error."""
    if record.state not in ("failed", "diverged"):
        return ""
    try:
        with (Path(record.directory) / "train.log").open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 4096))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""


def key_columns(comparison: ComparisonResult) -> tuple[dict[str, list[Cell]], list[float]]:
    """Return the values of each key over the settings that have the metric, and the metric.

    Names of keys are short.
    """
    settings = [each for each in comparison.settings if comparison.metric in each.metrics]
    keys = list(dict.fromkeys(key for each in settings for key in each.values))
    names = short_keys(keys)
    columns = {names[key]: [to_cell(text_of(each, key)) for each in settings] for key in keys}
    for name, cells in columns.items():
        # An axis is of numbers only if all of its values are.
        if not all(isinstance(cell, float) for cell in cells):
            columns[name] = [short_text(cell) for cell in cells]
    return columns, [each.metrics[comparison.metric].mean for each in settings]


def text_of(setting: SettingResult, key: str) -> str:
    """Return the value of a key as text; a dash if the setting does not have it."""
    value = setting.values.get(key)
    if value is None:
        return "-"
    return value if isinstance(value, str) else to_text(value)


def short_text(cell: Cell) -> str:
    """Return a value as in labels."""
    return f"{cell:g}" if isinstance(cell, float) else short_value(cell)


def heat_map(
    columns: dict[str, list[Cell]], values: Sequence[float], keys: Sequence[str], high: bool
) -> HeatMap | None:
    """Return the map of the two most important keys with few values; None if there are not two."""
    few = [key for key in keys if 1 < len(set(columns[key])) <= MAX_VALUES][:2]
    if len(few) < 2:
        return None
    row_values, column_values = (sorted(set(columns[key]), key=sort_key) for key in few)
    found: dict[tuple[Cell, Cell], list[float]] = {}
    for row, column, value in zip(columns[few[0]], columns[few[1]], values, strict=True):
        found.setdefault((row, column), []).append(value)
    best = max if high else min
    cells = [
        [best(found[row, column]) if (row, column) in found else None for column in column_values]
        for row in row_values
    ]
    return HeatMap(
        row_key=few[0],
        column_key=few[1],
        rows=[short_text(value) for value in row_values],
        columns=[short_text(value) for value in column_values],
        cells=cells,
    )


def sort_key(cell: Cell) -> tuple[int, float, str]:
    """Return a key that sorts numbers before texts."""
    return (0, cell, "") if isinstance(cell, float) else (1, 0.0, cell)


def best_settings(comparison: ComparisonResult, count: int) -> list[SettingResult]:
    """Return the settings with the best means that have the metric."""
    return [each for each in ranked(comparison) if comparison.metric in each.metrics][:count]

"""Group runs into settings: runs that differ only in the keys that repeat a setting."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from csvision.comparison.record import RunRecord
from csvision.config.labels import label, short_keys
from csvision.errors import ConfigError
from csvision.wording import did_you_mean

Replicate = tuple[str, ...]
"""The values of the keys that repeat a setting, such as the seed, as JSON."""


DATA_FILES = ("data.csv", "data.test_csv")


@dataclass(frozen=True)
class Setting:
    """The runs with the same values of the compared keys, by replicate."""

    label: str
    values: dict[str, Any]
    runs: dict[Replicate, RunRecord] = field(repr=False)

    def metric(self, name: str) -> dict[Replicate, float]:
        """Return a metric of the finished runs that have it."""
        return {
            replicate: run.metrics[name]
            for replicate, run in self.runs.items()
            if name in run.metrics
        }

    def metric_values(self, name: str) -> list[float]:
        """Return the values of a metric in the order of the runs."""
        return [*self.metric(name).values()]


@dataclass(frozen=True)
class Grouping:
    """The keys that differ between the runs, and the settings; `repeated` counts runs left out."""

    keys: list[str]
    over: list[str]
    settings: list[Setting]
    repeated: int


def group_runs(records: Sequence[RunRecord], over: Sequence[str], one_sweep: bool) -> Grouping:
    """Return the settings of finished runs, in the order of their first runs.

    In one sweep, settings are named by its overrides, else by the configurations; short values that
    look the same are numbered. Paths of files with the same contents do not count. Of two finished
    runs of a setting with the same values of the keys in `over`, the later one counts.
    """
    runs = [record for record in records if record.finished]
    tables = [dict(run.overrides) for run in runs] if one_sweep else config_tables(runs)
    keys = differing_keys(tables)
    varied_over = [key for key in over if len({to_text(run.get(key)) for run in runs}) > 1]
    left_out = {*over, *(DATA_FILES if same_data(runs) else ())}
    keys = [key for key in keys if key not in left_out]
    names = short_keys(keys)
    found: dict[Replicate, Setting] = {}
    counts: dict[str, int] = {}
    repeated = 0
    for run, table in zip(runs, tables, strict=True):
        values = {key: table[key] for key in keys if key in table}
        identity = tuple(to_text(table.get(key)) for key in keys)
        if identity not in found:
            text = label(values, names) or "all runs"
            counts[text] = counts.get(text, 0) + 1
            number = f" ({counts[text]})" if counts[text] > 1 else ""
            found[identity] = Setting(text + number, values, {})
        replicate = tuple(to_text(run.get(key)) for key in varied_over)
        repeated += replicate in found[identity].runs
        found[identity].runs[replicate] = run
    return Grouping(keys, varied_over, [*found.values()], repeated)


def same_data(runs: Sequence[RunRecord]) -> bool:
    """Return whether all runs have recorded the same hash of their data files."""
    return len({run.data for run in runs}) == 1 and bool(runs[0].data)


def differing_keys(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys that do not have the same value in all tables, in their first order."""
    texts: dict[str, set[str]] = {}
    for table in tables:
        for key, value in table.items():
            texts.setdefault(key, set()).add(to_text(value))
    counts = dict.fromkeys(texts, 0)
    for table in tables:
        for key in table:
            counts[key] += 1
    return [key for key, found in texts.items() if len(found) > 1 or counts[key] < len(tables)]


def config_tables(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """Return the keys of each run that differ between runs with the same choices of groups.

    The name of a choice is the value of its group: model.name is shown as model. Keys that only
    networks have are compared between networks.
    """
    possible = possible_keys(runs)
    baseline_keys = possible - keys_of_networks(runs, possible)
    texts: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        for key in baseline_keys if run.is_baseline else possible:
            texts.setdefault((key, choice_of(run, key)), set()).add(to_text(run.get(key)))
    return [
        {
            key.removesuffix(".name") if is_choice(key) else key: run.get(key)
            for key in sorted(baseline_keys if run.is_baseline else possible, key=choices_first)
            if len(texts[key, choice_of(run, key)]) > 1
        }
        for run in runs
    ]


def keys_of_networks(runs: Sequence[RunRecord], keys: Iterable[str]) -> set[str]:
    """Return the keys that no baseline has, such as the number of epochs."""
    baselines = [run for run in runs if run.is_baseline]
    return {
        key
        for key in keys
        if not key.startswith("model.") and all(run.get(key) is None for run in baselines)
    }


def is_choice(key: str) -> bool:
    """Return whether the value of a key is the name of a choice of a group."""
    return key.endswith(".name") and key.count(".") == 1


def choices_first(key: str) -> tuple[bool, str]:
    """Return a key of sorting by which choices of groups come first."""
    return not is_choice(key), key


def possible_keys(runs: Sequence[RunRecord]) -> set[str]:
    """Return the configuration keys that may differ between runs."""
    bases = {id(run.base): run.base for run in runs}.values()
    keys = {key for run in runs for key in run.changes}
    union = {key for base in bases for key in base}
    return keys | {key for key in union if len({to_text(base.get(key)) for base in bases}) > 1}


def choice_of(run: RunRecord, key: str) -> str:
    """Return the name of the choice that a key of a group belongs to; "" for a choice itself."""
    return "" if is_choice(key) else str(run.get(f"{key.partition('.')[0]}.name"))


def to_text(value: Any) -> str:
    """Return a value as text by which it is compared."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def find_keys(wanted: Iterable[str], keys: Sequence[str], option: str) -> list[str]:
    """Return the keys that are meant by full or short names; raises ConfigError for others."""
    short = {name: key for key, name in short_keys(keys).items()}
    found = []
    for name in wanted:
        key = name if name in keys else short.get(name, name.removesuffix(".name"))
        if key not in keys:
            known = ", ".join(short)
            meant = did_you_mean(name, short)
            several = f"{f'{meant} ' if meant else ''}write one of: {known}"
            hint = several if len(short) > 1 else f"write {option}={known}"
            raise ConfigError(
                f"{option}={name}: no such key differs between the runs; "
                + (hint if short else f"no key does: leave out {option}")
            )
        found.append(key)
    return found


def find_setting(wanted: str, settings: Sequence[Setting]) -> Setting:
    """Return the only setting with a label or a value; raises ConfigError for none or several."""
    found = [setting for setting in settings if setting.label == wanted]
    if not found:
        words = set(wanted.split())
        found = [each for each in settings if words <= set(each.label.split())]
    if not found:
        found = [each for each in settings if wanted in map(to_text, each.values.values())]
    if len(found) == 1:
        return found[0]
    labels = "; ".join(setting.label for setting in (found or settings)[:10])
    problem = "several settings have it" if found else "no setting has it"
    raise ConfigError(f"reference={wanted}: {problem}; write one of: {labels}")

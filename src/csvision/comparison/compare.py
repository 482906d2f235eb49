"""Compare the settings of sweeps and runs: intervals, paired differences, the chosen setting."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from csvision.comparison.choose import best_by, best_settings, check_metric
from csvision.comparison.comparison import Comparison
from csvision.comparison.data_sets import check_same_data
from csvision.comparison.default_metric import default_metric
from csvision.comparison.differences import compare_pairs, setting_pairs
from csvision.comparison.metric import is_test, metric_bounds, metric_mode
from csvision.comparison.network_gain import find_gain
from csvision.comparison.notes import choice_notes, missing_notes, tie_notes, unfinished_notes
from csvision.comparison.predictions import compare_predictions
from csvision.comparison.record import RunRecord
from csvision.comparison.result import SettingResult
from csvision.comparison.settings import Setting, find_keys, find_setting, group_runs
from csvision.comparison.sources import Source, read_source, read_sources
from csvision.comparison.statistics import McNemarTest, MeanInterval, mean_interval
from csvision.config.flatten import REPLICATE_KEYS
from csvision.errors import ConfigError, RunError

LONG_KEYS = {"fold": "data.fold"}
"""Short names of keys that repeat a setting."""


def compare_runs(paths: Sequence[Path], **options: Any) -> Comparison:
    """Compare the runs at some paths; the options are those of `compare_sources`."""
    return compare_sources(read_sources(paths), **options)


def compare_sources(
    found: Sequence[Source],
    by: Sequence[str] = (),
    over: Sequence[str] = REPLICATE_KEYS,
    metric: str | None = None,
    baseline: str | None = None,
    show_test: bool = False,
) -> Comparison:
    """Compare the finished runs of sweeps and folders.

    Settings are runs that differ in the keys in `over` only. With `by`, the best setting for each
    combination of values of these keys is compared. `metric` is that of `default_metric` unless
    given. `baseline` is the label or value of a setting, or the directory of one of its runs.
    Raises RunError if there is no finished run or if runs have used different data, and ConfigError
    for keys that the runs do not have.
    """
    directory = None if baseline is None else find_run(baseline, found)
    sources = [*found, *baseline_sources(directory, found)]
    records = read_records(sources)
    metric = metric or default_metric(sources)
    one_sweep = len(sources) == 1 and sources[0].sweep
    repeating = check_over(over, records)
    grouping = group_runs(records, repeating, one_sweep)
    metric = check_metric(metric, grouping.settings, show_test)
    mode = metric_mode(metric, [run for each in grouping.settings for run in each.runs.values()])
    keys = find_keys(by, grouping.keys, "by")
    best = best_by(grouping.settings, keys, metric, mode)
    compared = [setting for setting, _ in best]
    reference = find_baseline(baseline, directory, compared)
    best_ones = best_settings(compared, metric, mode)
    chosen = next(iter(best_ones), None)
    pairs, total = setting_pairs(compared, reference, chosen)
    test_metric = metric.replace("val/", "test/")
    return Comparison(
        sources=[str(source.path) for source in sources],
        metric=metric,
        mode=mode,
        over=grouping.over,
        by=keys,
        test="all" if show_test else "chosen",
        baseline=None if reference is None else reference.label,
        chosen=None if chosen is None else chosen.label,
        settings=[
            setting_result(each, show_test or each is chosen, candidates)
            for each, candidates in best
        ],
        differences=[
            each
            for name in dict.fromkeys([metric, test_metric] if show_test else [metric])
            for each in compare_pairs(pairs, name, total, reference)
        ],
        correction="Holm" if total <= len(pairs) else f"Bonferroni, for all {total} pairs",
        states=dict(Counter(record.state for record in records)),
        notes=[
            *unfinished_notes(records, grouping.repeated, grouping.over),
            *choice_notes(keys, [candidates for _, candidates in best], metric),
            *tie_notes(best_ones, metric),
            *missing_notes(grouping.settings, metric),
        ],
        predictions=predictions_of_pair(sources),
        network_gain=find_gain(grouping.settings, metric, mode),
    )


def read_records(sources: Sequence[Source]) -> list[RunRecord]:
    """Return the runs of all sources; raises RunError if they cannot be compared."""
    first = sources[0]
    if len(sources) == 1 and first.single:
        raise RunError(f"run={first.path} is a single run; give a sweep or several: run=[DIR,DIR]")
    records = [record for source in sources for record in source.records]
    if not any(record.finished for record in records):
        raise RunError(f"run={first.path}: none of {len(records)} runs is finished; resume it")
    check_same_data(records)
    return records


def baseline_sources(directory: str | None, sources: Sequence[Source]) -> list[Source]:
    """Return the run of the baseline if it is one that the sources lack."""
    if directory is None or directory in directories(sources):
        return []
    return [read_source(Path(directory))]


def predictions_of_pair(sources: Sequence[Source]) -> McNemarTest | None:
    """Compare the predictions of two single runs; None for other sources."""
    if len(sources) != 2 or not all(source.single for source in sources):
        return None
    first, second = (source.records[0] for source in sources)
    return compare_predictions(first, second)


def find_run(baseline: str, sources: Sequence[Source]) -> str | None:
    """Return the directory of the run that a baseline names; None if it names a setting.

    That of a compared run is written as in its source.
    """
    path = Path(baseline)
    if not (path / "run.json").is_file():
        return None
    same = (each for each in directories(sources) if Path(each).name == path.resolve().name)
    return next((each for each in same if path.samefile(each)), str(path.absolute()))


def directories(sources: Sequence[Source]) -> list[str]:
    """Return the directories of all runs."""
    return [record.directory for source in sources for record in source.records]


def find_baseline(
    baseline: str | None, directory: str | None, settings: Sequence[Setting]
) -> Setting | None:
    """Return the setting of the baseline, that of the run in `directory` if there is one."""
    if baseline is None:
        return None
    if directory is None:
        return find_setting(baseline, settings)
    for setting in settings:
        if directory in (run.directory for run in setting.runs.values()):
            return setting
    raise RunError(
        f"reference={baseline}: this run is not compared, because it is not finished, a later run "
        "has the same setting and seed, or `by` chose another setting; name a setting instead: "
        f"{'; '.join(each.label for each in settings[:10])}"
    )


def check_over(over: Sequence[str], records: Sequence[RunRecord]) -> list[str]:
    """Return the keys that repeat a setting by full names; raises ConfigError for unknown ones."""
    keys = [LONG_KEYS.get(key, key) for key in over]
    known = {key for record in records for key in (*record.base, *record.changes)}
    for key in keys:
        if key not in known and key not in REPLICATE_KEYS:
            raise ConfigError(f"over={key}: the runs have no such key; write over=[seed]")
    return keys


def setting_result(setting: Setting, with_test: bool, candidates: int) -> SettingResult:
    """Return the intervals of a setting, those of test metrics only on request."""
    runs = [*setting.runs.values()]
    names = sorted({name for run in runs for name in run.metrics}, key=metric_order)
    metrics: dict[str, MeanInterval] = {
        name: mean_interval(setting.metric_values(name), metric_bounds(name))
        for name in names
        if with_test or not is_test(name)
    }
    seconds = [run.seconds for run in runs if run.seconds is not None]
    return SettingResult(
        setting.label,
        setting.values,
        metrics,
        [run.directory for run in runs],
        sum(seconds) if seconds else None,
        candidates,
    )


def metric_order(name: str) -> tuple[int, str]:
    """Return the place of a metric in tables: validation, test, training."""
    prefix = name.partition("/")[0]
    return ("val", "test", "train", prefix).index(prefix), name

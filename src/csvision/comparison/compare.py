"""Compare the settings of sweeps and runs: intervals, paired differences, the chosen setting."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from csvision.comparison.choose import best_by, best_setting, check_metric, is_test
from csvision.comparison.comparison import Comparison
from csvision.comparison.differences import compare_pairs, setting_pairs
from csvision.comparison.network_gain import find_gain
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
    metric: str = "val/acc",
    baseline: str | None = None,
    show_test: bool = False,
) -> Comparison:
    """Compare the finished runs of sweeps and folders.

    Settings are runs that differ in the keys in `over` only. With `by`, the best setting for each
    combination of values of these keys is compared. `baseline` is the label or value of a setting,
    or the directory of another run. Raises RunError if there is no finished run, and ConfigError
    for keys that the runs do not have.
    """
    sources = [*found]
    if len(sources) == 1 and sources[0].single:
        raise RunError(
            f"run={sources[0].path} is a single run; give a sweep or several: run=[DIR,DIR]"
        )
    pair = predictions_of_pair(sources)
    other = None if baseline is None else baseline_source(baseline, sources)
    if other is not None:
        sources.append(other)
    records = [record for source in sources for record in source.records]
    if not any(record.finished for record in records):
        raise RunError(f"run={sources[0].path}: none of {len(records)} runs is finished; resume it")
    one_sweep = len(sources) == 1 and sources[0].sweep
    repeating = check_over(over, records)
    grouping = group_runs(records, repeating, one_sweep)
    metric = check_metric(metric, grouping.settings, show_test)
    keys = find_keys(by, grouping.keys, "by")
    compared = best_by(grouping.settings, keys, metric) if keys else grouping.settings
    reference = find_baseline(baseline, other, compared)
    chosen = best_setting(compared, metric)
    pairs, total = setting_pairs(compared, reference, chosen)
    metrics = [metric]
    if show_test and (test := metric.replace("val/", "test/")) != metric:
        metrics.append(test)
    candidates = len(grouping.settings)
    return Comparison(
        sources=[str(source.path) for source in sources],
        metric=metric,
        over=grouping.over,
        by=keys,
        test="all" if show_test else "chosen",
        baseline=None if reference is None else reference.label,
        chosen=None if chosen is None else chosen.label,
        settings=[
            setting_result(each, show_test or each is chosen, candidates if keys else 1)
            for each in compared
        ],
        differences=[
            each for name in metrics for each in compare_pairs(pairs, name, total, reference)
        ],
        correction="Holm" if total <= len(pairs) else f"Bonferroni, for all {total} pairs",
        states=dict(Counter(record.state for record in records)),
        notes=[*notes(records, grouping.repeated, grouping.over, keys, candidates)],
        predictions=pair,
        network_gain=find_gain(grouping.settings, metric),
    )


def predictions_of_pair(sources: Sequence[Source]) -> McNemarTest | None:
    """Compare the predictions of two single runs; None for other sources."""
    if len(sources) != 2 or not all(source.single for source in sources):
        return None
    first, second = (source.records[0] for source in sources)
    return compare_predictions(first, second)


def baseline_source(baseline: str, sources: Sequence[Source]) -> Source | None:
    """Return the run that a baseline names by its directory; None if it names a setting."""
    path = Path(baseline)
    if not (path / "run.json").is_file():
        return None
    known = {record.directory for source in sources for record in source.records}
    found = read_source(path)
    if found.records[0].directory in known:
        raise ConfigError(
            f"reference={baseline} is one of the compared runs; name its setting instead"
        )
    return found


def find_baseline(
    baseline: str | None, other: Source | None, settings: Sequence[Setting]
) -> Setting | None:
    """Return the setting of the baseline."""
    if baseline is None:
        return None
    if other is None:
        return find_setting(baseline, settings)
    directory = other.records[0].directory
    found = [
        each for each in settings if directory in (run.directory for run in each.runs.values())
    ]
    if not found:
        raise RunError(
            f"reference={baseline} is not finished, or its setting was not chosen by `by`"
        )
    return found[0]


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
        name: mean_interval(setting.metric_values(name))
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


def notes(
    records: Sequence[RunRecord],
    repeated: int,
    over: Sequence[str],
    by: Sequence[str],
    candidates: int,
) -> list[str]:
    """Return what a reader must know to interpret the figures."""
    found = []
    unfinished = sum(not record.finished for record in records)
    if unfinished:
        found.append(f"{unfinished} of {len(records)} runs are not finished and left out")
    if repeated:
        found.append(f"{repeated} runs repeat a setting with the same seed; the last one counts")
    if "data.fold" in over:
        found.append(
            "folds share training rows, so intervals over folds are too narrow (Bengio and "
            "Grandvalet 2004)"
        )
    if by:
        found.append(f"for each {' and '.join(by)}, the best of {candidates} settings was chosen")
    return found

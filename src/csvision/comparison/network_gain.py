"""What the best network gains over the best baseline, each chosen by a validation metric."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from csvision.comparison.choose import best_settings
from csvision.comparison.differences import compare_pair
from csvision.comparison.metric import Mode, is_test
from csvision.comparison.predictions import compare_predictions, read_test_rows
from csvision.comparison.result import NetworkGain
from csvision.comparison.settings import Setting
from csvision.comparison.statistics import McNemarTest
from csvision.errors import RunError

OTHER_ROWS = (
    "their test rows differ; train both with the same data file, data.split_seed and data.test_size"
)

FEW_RUNS = "no two runs share a seed; train both with the same seeds, such as seed=0,1,2"


def find_gain(settings: Sequence[Setting], metric: str, mode: Mode) -> NetworkGain | None:
    """Compare the best network with the best baseline; None without one of each.

    Both are chosen by `metric` and compared by its test metric, which has chosen neither. For a
    test metric, which must not choose, the answer is None if there are several of a kind.
    """
    networks: list[Setting] = []
    baselines: list[Setting] = []
    for setting in settings:
        is_baseline = all(run.is_baseline for run in setting.runs.values())
        (baselines if is_baseline else networks).append(setting)
    best_networks, best_baselines = (
        best_ones(kind, metric, mode) for kind in (networks, baselines)
    )
    if not best_networks or not best_baselines:
        return None
    network, baseline = best_networks[0], best_baselines[0]
    test_metric = metric.replace("val/", "test/")
    has_test = network.metric(test_metric) and baseline.metric(test_metric)
    difference = compare_pair(
        (network, baseline), test_metric if has_test else metric, total=1, baseline=baseline
    )
    predictions, problem = None, ""
    try:
        if not tested_on_same_rows(network, baseline):
            problem = OTHER_ROWS
        elif difference.test is None:
            predictions = compare_single_runs(network, baseline, difference.metric)
            problem = FEW_RUNS if predictions is None else ""
    except RunError as error:
        problem = str(error)
    if problem:
        difference = replace(difference, pairs=0, test=None)
    return NetworkGain(
        difference,
        metric,
        mode,
        len(networks),
        len(baselines),
        [each.label for each in best_networks[1:]],
        [each.label for each in best_baselines[1:]],
        predictions,
        problem,
    )


def best_ones(settings: Sequence[Setting], metric: str, mode: Mode) -> list[Setting]:
    """Return the only setting, else the best ones by a validation metric, which may be none."""
    if is_test(metric) and len(settings) == 1:
        return [settings[0]]
    return best_settings(settings, metric, mode)


def tested_on_same_rows(network: Setting, baseline: Setting) -> bool:
    """Return whether the runs that are compared have the same test images and labels.

    Raises RunError if those that a run has recorded cannot be read.
    """
    single = next(iter(baseline.runs.values())) if len(baseline.runs) == 1 else None
    for replicate, run in network.runs.items():
        other = single or baseline.runs.get(replicate)
        if other is None:
            continue
        one, two = (read_test_rows(Path(each.directory)) for each in (run, other))
        if one != two:
            return False
    return True


def compare_single_runs(network: Setting, baseline: Setting, metric: str) -> McNemarTest | None:
    """Return McNemar's test if both settings have a single run; None for others.

    Raises RunError if a run has no predictions, or if the test rows are not the same.
    """
    if len(network.runs) > 1 or len(baseline.runs) > 1 or metric != "test/acc":
        return None
    return compare_predictions(*(next(iter(each.runs.values())) for each in (network, baseline)))

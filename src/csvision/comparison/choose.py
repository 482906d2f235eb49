"""Choose settings by a validation metric; test metrics never choose."""

from collections.abc import Sequence
from math import isclose

from csvision.comparison.metric import Mode, is_test
from csvision.comparison.settings import Setting, to_text
from csvision.errors import ConfigError
from csvision.wording import did_you_mean


def check_metric(metric: str, settings: Sequence[Setting], show_test: bool) -> str:
    """Return the metric that is compared; raises ConfigError if the runs do not have it.

    Runs without validation rows can be compared by test metrics if these are asked for, but then
    nothing is chosen.
    """
    available = sorted(
        {name for each in settings for run in each.runs.values() for name in run.metrics}
    )
    if is_test(metric) and not show_test:
        raise ConfigError(
            f"metric={metric}: test rows must not choose a setting; write metric=val/acc, or "
            "test=all to compare test figures without choosing"
        )
    if metric in available:
        return metric
    test = metric.replace("val/", "test/")
    if show_test and test in available:
        return test
    known = [name for name in available if show_test or not is_test(name)]
    meant = did_you_mean(metric, known)
    raise ConfigError(
        f"metric={metric}: no finished run has it; {f'{meant} ' if meant else ''}the runs have "
        f"{', '.join(known) or 'none'} (without validation rows, runs have no val/ metrics); write "
        "metric=NAME, or test=all to compare without choosing"
    )


def best_setting(settings: Sequence[Setting], metric: str, mode: Mode) -> Setting | None:
    """Return the first setting with the best mean; None for test metrics, which choose nothing."""
    return next(iter(best_settings(settings, metric, mode)), None)


def best_settings(settings: Sequence[Setting], metric: str, mode: Mode) -> list[Setting]:
    """Return all settings with the best mean, but for rounding; none for test metrics."""
    if is_test(metric):
        return []
    means = {
        index: sum(values) / len(values)
        for index, each in enumerate(settings)
        if (values := each.metric_values(metric))
    }
    if not means:
        return []
    best = (max if mode == "max" else min)(means.values())
    return [settings[index] for index, mean in means.items() if is_tied(mean, best)]


def is_tied(one: float, two: float) -> bool:
    """Return whether two means differ by rounding at most."""
    return isclose(one, two, rel_tol=1e-12)


def best_by(
    settings: Sequence[Setting], keys: Sequence[str], metric: str, mode: Mode
) -> list[tuple[Setting, int]]:
    """Return the best setting for each combination of values of some keys.

    With each comes the number of settings that it was chosen from. Without keys, nothing is chosen.
    Raises ConfigError for test metrics, which must not choose.
    """
    groups: dict[tuple[str, ...], list[Setting]] = {}
    for setting in settings:
        identity = tuple(to_text(setting.values.get(key)) for key in keys)
        groups.setdefault(identity, []).append(setting)
    if not keys or all(len(group) == 1 for group in groups.values()):
        return [(setting, 1) for setting in settings]
    if is_test(metric):
        raise ConfigError(
            f"by={','.join(keys)}: the other keys can be chosen by validation figures only, which "
            "these runs do not have; leave out by"
        )
    best = [(best_setting(group, metric, mode), len(group)) for group in groups.values()]
    return [(setting, count) for setting, count in best if setting is not None]

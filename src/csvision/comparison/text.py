"""A comparison as text."""

from collections.abc import Iterator, Sequence

from csvision.comparison.choose import is_tied
from csvision.comparison.format import DASH, align, format_mean, format_p, format_range, p_equation
from csvision.comparison.network_gain_text import describe_gain
from csvision.comparison.power_text import describe_equal, describe_power, format_detectable
from csvision.comparison.result import ComparisonResult, Difference, SettingResult
from csvision.comparison.statistics import CONFIDENCE, McNemarTest, MeanInterval

MAX_SETTINGS = 40
"""Settings in the text; the files have all."""

MAX_DIFFERENCES = 20


def format_comparison(comparison: ComparisonResult) -> str:
    """Return the tables of a comparison and what they mean, in plain text."""
    parts = [
        describe_runs(comparison),
        *setting_lines(comparison),
        *difference_lines(comparison),
        *(f"note: {note}" for note in comparison.notes),
    ]
    if comparison.network_gain is not None:
        parts += ["", describe_gain(comparison.network_gain)]
    if comparison.predictions is not None:
        parts.append(describe_predictions(comparison.predictions, comparison.sources))
    return "\n".join(parts)


def describe_runs(comparison: ComparisonResult) -> str:
    """Return how many runs there are, and what they repeat."""
    states = ", ".join(f"{count} {state}" for state, count in comparison.states.items())
    over = " and ".join(comparison.over)
    several = any(len(each.runs) > 1 for each in comparison.settings)
    repeated = f", repeated over {over}" if over and several else ", one run each"
    count = len(comparison.settings)
    return f"runs: {states}; {count} {'setting' if count == 1 else 'settings'}{repeated}"


def setting_lines(comparison: ComparisonResult) -> Iterator[str]:
    """Yield the table of settings, the chosen one, and its test figures."""
    names = [comparison.metric, *other_metrics(comparison)]
    header = ["", "setting", "n", *names, f"{100 * CONFIDENCE:g} % interval of {names[0]}"]
    ordered = ranked(comparison)
    rows = [
        [
            "*" if setting.label == comparison.chosen else "",
            setting.label,
            str(count_runs(setting, comparison.metric)),
            *(format_mean(setting.metrics.get(name)) for name in names),
            format_range(setting.metrics.get(names[0])),
        ]
        for setting in ordered[:MAX_SETTINGS]
    ]
    yield ""
    yield align([header, *rows])
    if len(ordered) > MAX_SETTINGS:
        yield f"... and {len(ordered) - MAX_SETTINGS} more settings in the files"
    yield ""
    yield describe_choice(comparison)


def other_metrics(comparison: ComparisonResult) -> list[str]:
    """Return the other validation metrics, and the test metrics if they are shown for all."""
    found = dict.fromkeys(name for each in comparison.settings for name in each.metrics)
    prefixes = ("val/", "test/") if comparison.test == "all" else ("val/",)
    return [name for name in found if name.startswith(prefixes) and name != comparison.metric]


def count_runs(setting: SettingResult, metric: str) -> int:
    """Return the number of runs that have the metric; without any, that of all runs."""
    interval = setting.metrics.get(metric)
    return len(setting.runs) if interval is None else interval.n


def ranked(comparison: ComparisonResult) -> list[SettingResult]:
    """Return the settings from the best to the worst mean of the metric."""
    sign = 1 if comparison.mode == "min" else -1
    return sorted(
        comparison.settings,
        key=lambda each: (
            sign * each.metrics[comparison.metric].mean
            if comparison.metric in each.metrics
            else float("inf")
        ),
    )


def describe_choice(comparison: ComparisonResult) -> str:
    """Return which setting was chosen and by what, with its test figures."""
    if comparison.chosen is None:
        return f"No setting is chosen: {comparison.metric} is not a validation metric"
    (chosen,) = (each for each in comparison.settings if each.label == comparison.chosen)
    ties = count_ties(comparison, chosen)
    tied = f", the first of {ties} settings with this mean" if ties > 1 else ""
    lines = [f"* Chosen by the mean of {comparison.metric}: {chosen.label}{tied}"]
    test = [name for name in chosen.metrics if name.startswith("test/")]
    if comparison.test == "all":
        lines.append("Test figures of all settings are shown; they must not choose one.")
    elif test:
        figures = ", ".join(describe_metric(name, chosen.metrics[name]) for name in test)
        lines.append(f"  Its test figures: {figures}")
        if len(comparison.settings) > 1:
            lines.append("  Add test=all to see the test figures of the other settings")
    return "\n".join(lines)


def count_ties(comparison: ComparisonResult, chosen: SettingResult) -> int:
    """Return the number of settings with the mean of the chosen one, which counts, too."""
    best = chosen.metrics[comparison.metric].mean
    found = [each.metrics.get(comparison.metric) for each in comparison.settings]
    return sum(each is not None and is_tied(each.mean, best) for each in found)


def describe_metric(name: str, interval: MeanInterval) -> str:
    """Return the name and the mean of a metric, and its interval if there is one."""
    ends = "" if interval.low is None else f" {format_range(interval)}"
    return f"{name} {format_mean(interval)}{ends}"


def difference_lines(comparison: ComparisonResult) -> Iterator[str]:
    """Yield the table of differences with the power of the tests."""
    tested = [each for each in comparison.differences if each.test is not None]
    if not tested:
        if len(comparison.settings) > 1 and comparison.predictions is None:
            yield "differences cannot be tested: no two settings share two seeds or folds"
        return
    shown = shown_differences(comparison, tested)
    for metric in dict.fromkeys(each.metric for each in shown):
        rows = [difference_cells(each) for each in shown if each.metric == metric]
        header = ["difference in " + metric, "pairs", "mean", "95 % interval"]
        header += ["p (t)", "p (perm.)", "p (corrected)"]
        yield ""
        yield align([[*header, "detectable", "runs needed"], *rows])
    if len(shown) < len(tested):
        yield f"... and {len(tested) - len(shown)} more differences in the files"
    yield ""
    yield f"p-values of the t-test are corrected by {comparison.correction}"
    yield from describe_equal(shown)
    yield from describe_power(shown)


def shown_differences(
    comparison: ComparisonResult, tested: Sequence[Difference]
) -> list[Difference]:
    """Return the differences in the text: those with the chosen setting or the baseline."""
    if len(tested) <= MAX_DIFFERENCES:
        return [*tested]
    names = {comparison.baseline, comparison.chosen}
    kept = [each for each in tested if {each.setting, each.reference} & names]
    return kept[:MAX_DIFFERENCES]


def difference_cells(difference: Difference) -> list[str]:
    """Return the cells of a difference."""
    test = difference.test
    assert test is not None
    return [
        f"{difference.setting} - {difference.reference}",
        str(difference.pairs) if difference.pairs else f"{test.difference.n} to 1",
        f"{test.difference.mean:+.4f}",
        format_range(test.difference, "+.4f"),
        format_p(test.p_t),
        format_p(test.p_permutation),
        format_p(difference.p_corrected),
        DASH if test.detectable is None else format_detectable(difference),
        DASH if test.needed is None else str(test.needed),
    ]


def describe_predictions(test: McNemarTest, sources: Sequence[str]) -> str:
    """Return McNemar's test in words."""
    first, second = sources[:2]
    return (
        f"\ntest rows of two runs, A = {first}, B = {second}\n"
        f"of {test.rows} rows, only A is correct for {test.only_first}, only B for "
        f"{test.only_second}; accuracy A - B {test.difference:+.4f} "
        f"[{test.low:+.4f}, {test.high:+.4f}], {p_equation(test.p)} (McNemar, exact)\n"
        "this test ignores the variation between seeds"
    )

"""The gain of the best network over the best baseline in one sentence."""

from collections.abc import Sequence

from csvision.comparison.differences import decisive_p
from csvision.comparison.format import format_range, p_equation
from csvision.comparison.notes import list_names
from csvision.comparison.result import NetworkGain
from csvision.comparison.statistics import CONFIDENCE

QUESTION = "Is a network worth it here?"


def describe_gain(gain: NetworkGain) -> str:
    """Return the answer, the difference with its interval, and the test, as one sentence."""
    difference = gain.difference
    network = name_best(difference.setting, gain.tied_networks, gain.chosen_by)
    baseline = name_best(difference.reference, gain.tied_baselines, gain.chosen_by)
    if gain.problem:
        return (
            f"{QUESTION} Not tested: the best network ({network}) and the best baseline "
            f"({baseline}) cannot be compared: {gain.problem}"
        )
    if (mcnemar := gain.predictions) is not None:
        mean, low, high = mcnemar.difference, mcnemar.low, mcnemar.high
        interval = f"[{low:+.4f}, {high:+.4f}]"
        test = (
            f"{p_equation(mcnemar.p)} (McNemar's exact test of {mcnemar.rows} test rows, one run "
            "each, so without the variation between seeds)"
        )
    else:
        assert difference.test is not None
        found = difference.test.difference
        if found.low is None or found.high is None:
            return (
                f"{QUESTION} Undecided: the best network ({network}) minus the best baseline "
                f"({baseline}), both chosen by {gain.chosen_by}, is {found.mean:+.4f} in "
                f"{difference.metric} {name_equal(gain)}; train with more seeds or folds"
            )
        mean, low, high = found.mean, found.low, found.high
        interval = format_range(found, "+.4f")
        test = f"{p_equation(decisive_p(difference))} ({name_test(gain)})"
    return (
        f"{QUESTION} {answer(low, high, gain.mode == 'max')}: the best network "
        f"({network}) minus the best baseline ({baseline}), both chosen by {gain.chosen_by}, is "
        f"{mean:+.4f} in {difference.metric}, {100 * CONFIDENCE:g} % interval {interval}, {test}"
    )


def name_best(label: str, tied: Sequence[str], chosen_by: str) -> str:
    """Return the label of the best setting of its kind, and those with the same mean."""
    if not tied:
        return label
    return f"{label}; the same {chosen_by}: {list_names(tied)}"


def name_equal(gain: NetworkGain) -> str:
    """Return that all differences are equal, with their number."""
    test = gain.difference.test
    assert test is not None
    number = test.difference.n
    pairs = f"{number} pairs" if gain.difference.pairs else f"{number} runs of the network"
    return f"in each of {pairs}: equal differences give no interval, their variation is not known"


def answer(low: float, high: float, high_is_better: bool) -> str:
    """Return the answer that an interval of network minus baseline gives."""
    if low <= 0 <= high:
        return "Undecided, because the interval contains 0"
    return "Yes" if (low > 0) == high_is_better else "No, the baseline is better"


def name_test(gain: NetworkGain) -> str:
    """Return the test of a difference with its number of runs."""
    test = gain.difference.test
    assert test is not None
    name = "permutation test" if test.p_t is None else "t-test"
    if gain.difference.pairs:
        return f"paired {name}, {gain.difference.pairs} pairs"
    return f"{name} of {test.difference.n} runs of the network, one run of the baseline"

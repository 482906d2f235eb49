"""Paired differences between settings over shared seeds and folds, corrected together."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from csvision.comparison.metric import difference_bounds
from csvision.comparison.result import Difference
from csvision.comparison.settings import Setting
from csvision.comparison.statistics import holm, paired_test

MAX_PAIRS = 1000
"""Differences that are all tested; of more, only those with the chosen setting."""

Pair = tuple[Setting, Setting]


def setting_pairs(
    settings: Sequence[Setting], baseline: Setting | None, chosen: Setting | None
) -> tuple[list[Pair], int]:
    """Return the pairs to test, and the number of tests for which p-values are corrected.

    With a baseline, each setting is compared with it, else all with each other. Of more than
    MAX_PAIRS, only those with the chosen setting are tested. It was chosen by the same figures, so
    the correction is for all pairs.
    """
    if baseline is not None:
        pairs = [(each, baseline) for each in settings if each is not baseline]
        return pairs, len(pairs)
    total = len(settings) * (len(settings) - 1) // 2
    if total <= MAX_PAIRS:
        ordered = sorted(settings, key=lambda each: each is not chosen)
        return [(one, two) for two, one in combinations(ordered, 2)], total
    if chosen is None:
        return [], total
    return [(each, chosen) for each in settings[:MAX_PAIRS] if each is not chosen], total


def compare_pairs(
    pairs: Sequence[Pair], metric: str, total: int, baseline: Setting | None
) -> list[Difference]:
    """Return the differences of pairs of settings in a metric.

    p-values are those of the t-test, corrected by Holm's method; by Bonferroni's if only some of
    the `total` pairs are tested.
    """
    found = [compare_pair(pair, metric, max(1, total), baseline) for pair in pairs]
    tested = [index for index, each in enumerate(found) if decisive_p(each) is not None]
    p_values = [p for each in found if (p := decisive_p(each)) is not None]
    some = total > len(pairs)
    adjusted = [min(1.0, total * p) for p in p_values] if some else holm(p_values)
    for index, p in zip(tested, adjusted, strict=True):
        found[index] = replace(found[index], p_corrected=p)
    return found


def decisive_p(difference: Difference) -> float | None:
    """Return the p-value that is corrected: of the t-test, else of the permutation test."""
    if difference.test is None:
        return None
    test = difference.test
    return test.p_permutation if test.p_t is None else test.p_t


def compare_pair(pair: Pair, metric: str, total: int, baseline: Setting | None) -> Difference:
    """Return the difference of one pair; each run is compared with a baseline of a single run."""
    setting, reference = pair
    one, two = setting.metric(metric), reference.metric(metric)
    shared = [replicate for replicate in one if replicate in two]
    values = [one[replicate] - two[replicate] for replicate in shared]
    pairs = len(shared)
    if reference is baseline and len(two) == 1 and len(one) > 1:
        (constant,) = two.values()
        values, pairs = [value - constant for value in one.values()], 0
    test = paired_test(values, total, difference_bounds(metric))
    return Difference(setting.label, reference.label, metric, pairs, test, None)

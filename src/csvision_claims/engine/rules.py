"""Decision rules: each fixes its margin before anything is measured.

Intervals are two-sided 95 % intervals of Student's t over paired seeds or repeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp, inf, isclose, log

import numpy as np
from scipy import stats

CONFIDENCE = 0.95

TOLERANCE = 1e-10
"""The largest relative difference of two float64 numbers that count as equal."""

MIN_SEEDS = 8

SIGNIFICANCE = 0.01


class Verdict(StrEnum):
    """The possible decisions about a statement."""

    holds = "holds"
    refuted = "refuted"
    undecided = "undecided"
    not_decided_here = "not decided here"


@dataclass(frozen=True)
class Decision:
    """A verdict with its effect, the interval of the effect, and the number of pairs or cases."""

    verdict: Verdict
    effect: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class Comparison:
    """One case of an exact statement: the claimed and the measured value.

    If the case is about a difference, `scale` is the largest magnitude of the values compared.
    """

    case: str
    claimed: float
    measured: float
    scale: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether both are the same integer, or agree to TOLERANCE of the largest value."""
        if isinstance(self.claimed, int) and isinstance(self.measured, int):
            return self.claimed == self.measured
        within = TOLERANCE * self.scale
        return isclose(self.claimed, self.measured, rel_tol=TOLERANCE, abs_tol=within)


@dataclass(frozen=True)
class Exact:
    """The statement holds if every case agrees; one case that disagrees refutes it."""

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            "holds if the claimed and the measured value agree in every case, as integers or to a "
            f"relative difference of {TOLERANCE:g} in float64; one case that disagrees refutes it"
        )

    def decide(self, evidence: Sequence[Comparison]) -> Decision:
        """Return the decision; raises ValueError without a case."""
        if not evidence:
            raise ValueError("an exact statement needs a case")
        share = float(np.mean([case.equal for case in evidence]))
        verdict = Verdict.holds if share == 1 else Verdict.refuted
        return Decision(verdict, share, None, None, len(evidence))


@dataclass(frozen=True)
class Difference:
    """Compares the mean of paired differences, in the claimed direction, with a margin."""

    margin: float
    unit: str
    min_pairs: int = MIN_SEEDS

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            "holds if the 95 % confidence interval of the mean paired difference lies above "
            f"{self.margin:g} {self.unit.removesuffix('s') if self.margin == 1 else self.unit}, "
            f"refuted if it lies below, else undecided; needs {self.min_pairs} pairs"
        )

    def decide(self, differences: Sequence[float]) -> Decision:
        """Return the decision, undecided without pairs; raises ValueError for non-finite values."""
        if not differences:
            return Decision(Verdict.undecided, None, None, None, 0)
        effect, low, high = t_interval(differences)
        verdict = compare_to_margin(self.margin, low, high, len(differences) >= self.min_pairs)
        return drop_infinite_interval(Decision(verdict, effect, low, high, len(differences)))


@dataclass(frozen=True)
class Ratio:
    """Compares the geometric mean of paired ratios, in the claimed direction, with a margin."""

    margin: float
    min_pairs: int = MIN_SEEDS
    unit: str = "times"

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            "holds if the 95 % confidence interval of the geometric mean of the paired ratios lies "
            f"above {self.margin:g}, refuted if it lies below, else undecided; needs "
            f"{self.min_pairs} pairs"
        )

    def decide(self, ratios: Sequence[float]) -> Decision:
        """Return the decision; raises ValueError for a ratio that is not positive."""
        effect, low, high = map(exp, t_interval([log(ratio) for ratio in ratios]))
        verdict = compare_to_margin(self.margin, low, high, len(ratios) >= self.min_pairs)
        return drop_infinite_interval(Decision(verdict, effect, low, high, len(ratios)))


@dataclass(frozen=True)
class ProportionTest:
    """Fisher's exact test of whether a property is more frequent in one group than in another.

    It treats the groups as independent, although both may come from the same seeds.
    """

    unit: str = "points"

    @property
    def text(self) -> str:
        """The rule in words."""
        return (
            "Fisher's exact test of the two proportions, pooled over seeds: holds if the first is "
            f"larger with one-sided p < {SIGNIFICANCE:g}, refuted if it is smaller with one-sided "
            f"p < {SIGNIFICANCE:g}, else undecided"
        )

    def decide(self, groups: tuple[Sequence[bool], Sequence[bool]]) -> Decision:
        """Return the decision; the effect is in points, with Newcombe's 95 % interval."""
        first, second = (np.asarray(group, dtype=bool) for group in groups)
        counts = [[int(group.sum()), int((~group).sum())] for group in (first, second)]
        p = {
            side: float(stats.fisher_exact(counts, alternative=side).pvalue)
            for side in ("greater", "less")
        }
        verdict = Verdict.undecided
        if p["greater"] < SIGNIFICANCE:
            verdict = Verdict.holds
        elif p["less"] < SIGNIFICANCE:
            verdict = Verdict.refuted
        low, high = newcombe_interval(counts[0], counts[1])
        effect = float(first.mean() - second.mean())
        return Decision(verdict, 100 * effect, 100 * low, 100 * high, len(first) + len(second))


Rule = Exact | Difference | Ratio | ProportionTest


def t_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean and the ends of its 95 % interval; the ends are infinite for one value.

    Raises ValueError without values and for a non-finite value.
    """
    array = np.asarray(values, dtype=np.float64)
    if not array.size or not np.isfinite(array).all():
        raise ValueError(f"no interval of {list(values)}: all values must be finite")
    mean = float(array.mean())
    if array.size == 1:
        return mean, -inf, inf
    half_width = float(stats.t.ppf((1 + CONFIDENCE) / 2, array.size - 1) * stats.sem(array))
    return mean, mean - half_width, mean + half_width


def drop_infinite_interval(decision: Decision) -> Decision:
    """Return the decision without the infinite interval of a single value."""
    return decision if decision.count > 1 else replace(decision, low=None, high=None)


def compare_to_margin(margin: float, low: float, high: float, enough: bool) -> Verdict:
    """Return the verdict for an interval; it is undecided without enough pairs."""
    if enough and low > margin:
        return Verdict.holds
    if enough and high < margin:
        return Verdict.refuted
    return Verdict.undecided


def newcombe_interval(first: list[int], second: list[int]) -> tuple[float, float]:
    """Return the interval of a difference of two proportions, each given as (yes, no).

    Newcombe, "Interval estimation for the difference between independent proportions" (1998),
    method 10.
    """
    (one, low_one, high_one), (two, low_two, high_two) = map(wilson_interval, (first, second))
    below = np.hypot(one - low_one, high_two - two)
    above = np.hypot(high_one - one, two - low_two)
    return float(one - two - below), float(one - two + above)


def wilson_interval(counts: list[int]) -> tuple[float, float, float]:
    """Return a proportion (yes, no) and the ends of its Wilson interval."""
    result = stats.binomtest(counts[0], sum(counts)).proportion_ci(CONFIDENCE, "wilson")
    return counts[0] / sum(counts), float(result.low), float(result.high)

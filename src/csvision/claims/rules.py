"""How a statement is decided: a rule fixes its margin before anything is measured.

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
"""The largest relative difference of two numbers that count as equal (float64)."""

LEAST_SEEDS = 8

SIGNIFICANCE = 0.01


class Verdict(StrEnum):
    """What came of a statement."""

    holds = "holds"
    refuted = "refuted"
    undecided = "undecided"
    not_decided_here = "not decided here"


@dataclass(frozen=True)
class Decision:
    """A verdict with the effect it rests on, its interval and the number of seeds or cases."""

    verdict: Verdict
    effect: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class Comparison:
    """One case of an exact statement: what the notes give for it and what it is.

    `scale` is the size of the values whose difference it is about, if it is about one.
    """

    case: str
    claimed: float
    measured: float
    scale: float = 0.0

    @property
    def equal(self) -> bool:
        """Whether the two are equal integers, or agree to TOLERANCE of the largest size."""
        if isinstance(self.claimed, int) and isinstance(self.measured, int):
            return self.claimed == self.measured
        within = TOLERANCE * self.scale
        return isclose(self.claimed, self.measured, rel_tol=TOLERANCE, abs_tol=within)


@dataclass(frozen=True)
class Exact:
    """Rule D: the statement holds if every case agrees, and one that does not refutes it."""

    @property
    def text(self) -> str:
        """The rule for a reader."""
        return (
            "exact: holds if claimed and measured agree in every case, as integers or to "
            f"{TOLERANCE:g} relative in float64; one case that disagrees refutes it"
        )

    def decide(self, evidence: Sequence[Comparison]) -> Decision:
        """Raises ValueError without a case."""
        if not evidence:
            raise ValueError("an exact statement needs a case")
        share = float(np.mean([case.equal for case in evidence]))
        verdict = Verdict.holds if share == 1 else Verdict.refuted
        return Decision(verdict, share, None, None, len(evidence))


@dataclass(frozen=True)
class Difference:
    """Rule R: the mean of paired differences, in the claimed direction, against a margin."""

    margin: float
    unit: str
    least: int = LEAST_SEEDS

    @property
    def text(self) -> str:
        """The rule for a reader."""
        return (
            f"the 95 % paired-t interval of the difference against {self.margin:g} "
            f"{self.unit.removesuffix('s') if self.margin == 1 else self.unit}: "
            f"holds if wholly above, refuted if wholly below, else undecided; at least "
            f"{self.least} pairs"
        )

    def decide(self, differences: Sequence[float]) -> Decision:
        """Without a pair it stays undecided; raises ValueError for what is no number."""
        if not differences:
            return Decision(Verdict.undecided, None, None, None, 0)
        effect, low, high = interval(differences)
        verdict = against(self.margin, low, high, len(differences) >= self.least)
        return bounded(Decision(verdict, effect, low, high, len(differences)))


@dataclass(frozen=True)
class Ratio:
    """Rule R for ratios: their geometric mean, in the claimed direction, against a margin."""

    margin: float
    least: int = LEAST_SEEDS
    unit: str = "times"

    @property
    def text(self) -> str:
        """The rule for a reader."""
        return (
            f"the 95 % paired-t interval of the ratio (of its logarithm) against {self.margin:g}: "
            f"holds if wholly above, refuted if wholly below, else undecided; at least "
            f"{self.least} pairs"
        )

    def decide(self, ratios: Sequence[float]) -> Decision:
        """Raises ValueError for a ratio that is not above 0."""
        effect, low, high = map(exp, interval([log(ratio) for ratio in ratios]))
        verdict = against(self.margin, low, high, len(ratios) >= self.least)
        return bounded(Decision(verdict, effect, low, high, len(ratios)))


@dataclass(frozen=True)
class Shares:
    """A permutation test: whether a trait is more frequent in one group than in another.

    The exact distribution over all permutations of a yes-or-no trait is Fisher's.
    """

    unit: str = "points"

    @property
    def text(self) -> str:
        """The rule for a reader."""
        return (
            "a permutation test of the two shares, pooled over seeds: holds if the first share is "
            f"larger with p < {SIGNIFICANCE:g}, refuted if smaller with p < {SIGNIFICANCE:g}, "
            "else undecided"
        )

    def decide(self, groups: tuple[Sequence[bool], Sequence[bool]]) -> Decision:
        """The effect is the difference of the shares in points, with Newcombe's 95 % interval."""
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
        low, high = newcombe(counts[0], counts[1])
        effect = float(first.mean() - second.mean())
        return Decision(verdict, 100 * effect, 100 * low, 100 * high, len(first) + len(second))


Rule = Exact | Difference | Ratio | Shares


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, and the ends of its 95 % interval by Student's t; without bounds for one value.

    Raises ValueError for no values and for one that is no number.
    """
    array = np.asarray(values, dtype=np.float64)
    if not array.size or not np.isfinite(array).all():
        raise ValueError(f"no interval of {list(values)}")
    mean = float(array.mean())
    if array.size == 1:
        return mean, -inf, inf
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, array.size - 1) * stats.sem(array))
    return mean, mean - reach, mean + reach


def bounded(decision: Decision) -> Decision:
    """The decision without an interval when a single value gave it none."""
    return decision if decision.count > 1 else replace(decision, low=None, high=None)


def against(margin: float, low: float, high: float, enough: bool) -> Verdict:
    """The verdict of an interval about a margin."""
    if enough and low > margin:
        return Verdict.holds
    if enough and high < margin:
        return Verdict.refuted
    return Verdict.undecided


def newcombe(first: list[int], second: list[int]) -> tuple[float, float]:
    """The interval of a difference of two shares, each given as (yes, no).

    Newcombe, "Interval estimation for the difference between independent proportions" (1998),
    method 10.
    """
    (one, low_one, high_one), (two, low_two, high_two) = map(wilson, (first, second))
    below = np.hypot(one - low_one, high_two - two)
    above = np.hypot(high_one - one, two - low_two)
    return float(one - two - below), float(one - two + above)


def wilson(counts: list[int]) -> tuple[float, float, float]:
    """A share (yes, no) and Wilson's interval of it."""
    result = stats.binomtest(counts[0], sum(counts)).proportion_ci(CONFIDENCE, "wilson")
    return counts[0] / sum(counts), float(result.low), float(result.high)

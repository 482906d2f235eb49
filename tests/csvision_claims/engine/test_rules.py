"""Rules: margins, intervals, and that a negated measurement flips the verdict."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from csvision_claims.engine.rules import (
    Comparison,
    Difference,
    Exact,
    ProportionTest,
    Ratio,
    Verdict,
    t_interval,
)

EIGHT = [2.1, 1.9, 2.4, 1.6, 2.2, 1.8, 2.0, 2.0]


class TestExact:
    def test_holds_if_every_case_agrees(self) -> None:
        cases = [Comparison("a", 3, 3), Comparison("b", 0.1 + 0.2, 0.3)]
        assert Exact().decide(cases).verdict is Verdict.holds

    def test_one_disagreeing_case_refutes(self) -> None:
        cases = [Comparison("a", 3, 3), Comparison("b", 28, 30)]
        decision = Exact().decide(cases)
        assert (decision.verdict, decision.effect, decision.count) == (Verdict.refuted, 0.5, 2)

    def test_negated_measurement_flips_the_verdict(self) -> None:
        assert Exact().decide([Comparison("a", 28, 28)]).verdict is Verdict.holds
        assert Exact().decide([Comparison("a", 28, -28)]).verdict is Verdict.refuted

    @pytest.mark.parametrize(
        ("claimed", "measured", "equal"),
        [
            (10**17, 10**17 + 1, False),
            (1.0, 1.0 + 1e-11, True),
            (1.0, 1.0 + 1e-9, False),
            (1e-300, 2e-300, False),
            (0.0, 0.0, True),
            (0.0, 1e-30, False),
            (float("nan"), float("nan"), False),
            (float("inf"), 1.0, False),
        ],
    )
    def test_integers_are_compared_exactly_and_floats_to_ten_digits(
        self, claimed: float, measured: float, equal: bool
    ) -> None:
        assert Comparison("case", claimed, measured).equal is equal

    def test_no_case_is_rejected(self) -> None:
        with pytest.raises(ValueError, match="needs a case"):
            Exact().decide([])


class TestDifference:
    def test_example_by_hand(self) -> None:
        # Mean 2, std 0.24495, standard error 0.08660, t(7, 97.5 %) 2.36462.
        decision = Difference(1.0, "points").decide(EIGHT)
        assert decision.effect == pytest.approx(2.0)
        assert (decision.low, decision.high) == pytest.approx((1.79522, 2.20478), abs=1e-5)
        assert (decision.verdict, decision.count) == (Verdict.holds, 8)

    @pytest.mark.parametrize(
        ("margin", "verdict"),
        [
            (1.7, Verdict.holds),
            (1.9, Verdict.undecided),
            (2.1, Verdict.undecided),
            (2.3, Verdict.refuted),
        ],
    )
    def test_verdict_by_margin(self, margin: float, verdict: Verdict) -> None:
        assert Difference(margin, "points").decide(EIGHT).verdict is verdict

    def test_negated_measurement_flips_the_verdict(self) -> None:
        rule = Difference(1.0, "points")
        assert rule.decide(EIGHT).verdict is Verdict.holds
        assert rule.decide([-value for value in EIGHT]).verdict is Verdict.refuted

    def test_positive_difference_below_the_margin_refutes(self) -> None:
        assert Difference(3.0, "points").decide(EIGHT).verdict is Verdict.refuted

    def test_seven_seeds_are_undecided(self) -> None:
        assert Difference(1.0, "points").decide(EIGHT[:7]).verdict is Verdict.undecided

    def test_one_seed_has_no_interval(self) -> None:
        decision = Difference(1.0, "points").decide([5.0])
        assert decision.verdict is Verdict.undecided
        assert (decision.effect, decision.low, decision.high) == (5.0, None, None)

    @pytest.mark.parametrize("values", [[1.0, float("nan")], [float("inf")] * 8])
    def test_non_finite_value_is_rejected(self, values: list[float]) -> None:
        with pytest.raises(ValueError, match="no interval"):
            Difference(1.0, "points").decide(values)

    @pytest.mark.slow
    def test_true_difference_at_the_margin_is_undecided_in_95_percent(self) -> None:
        rng = np.random.default_rng(0)
        rule = Difference(1.0, "points")
        draws = rng.normal(1.0, 0.7, (20_000, 8))
        verdicts = [rule.decide(row).verdict for row in draws.tolist()]
        undecided = verdicts.count(Verdict.undecided) / len(verdicts)
        assert undecided == pytest.approx(0.95, abs=0.01)
        # The other draws are split evenly.
        assert verdicts.count(Verdict.holds) == pytest.approx(500, abs=80)

    @given(st.lists(st.floats(-50, 50), min_size=2, max_size=20))
    def test_interval_equals_scipy(self, values: list[float]) -> None:
        mean, low, high = t_interval(values)
        error = float(stats.sem(values))
        expected = stats.t.interval(0.95, len(values) - 1, np.mean(values), error or 1e-300)
        assert mean == pytest.approx(float(np.mean(values)))
        assert (low, high) == pytest.approx(expected, abs=1e-9)


class TestRatio:
    RATIOS = tuple(exp(value) for value in EIGHT)

    def test_equals_difference_of_logarithms(self) -> None:
        decision = Ratio(1.25).decide(self.RATIOS)
        assert decision.effect == pytest.approx(exp(2.0))
        assert decision.low == pytest.approx(exp(1.79522), rel=1e-5)
        assert decision.verdict is Verdict.holds

    def test_negated_measurement_flips_the_verdict(self) -> None:
        assert Ratio(1.25).decide([1 / ratio for ratio in self.RATIOS]).verdict is Verdict.refuted

    def test_ratio_near_the_margin_is_undecided(self) -> None:
        around = [1.25 * exp(value) for value in np.linspace(-0.2, 0.2, 8)]
        assert Ratio(1.25).decide(around).verdict is Verdict.undecided

    def test_few_pairs_are_undecided(self) -> None:
        assert Ratio(1.25).decide(self.RATIOS[:7]).verdict is Verdict.undecided

    def test_zero_ratio_is_rejected(self) -> None:
        with pytest.raises(ValueError, match=r"math domain|positive"):
            Ratio(1.25).decide([2.0, 0.0])

    def test_margin_applies_to_the_ratio_not_its_logarithm(self) -> None:
        assert Ratio(log(2)).decide([0.9, 0.91] * 4).verdict is Verdict.holds
        assert Ratio(0.95).decide([0.9, 0.91] * 4).verdict is Verdict.refuted


class TestProportionTest:
    MANY, FEW = [True] * 60 + [False] * 196, [True] * 25 + [False] * 231

    def test_p_value_equals_count_of_permutations(self) -> None:
        # 3 of 4 against 1 of 4: of the 70 ways to choose 4 of 8, 17 have 3 or more of the 4 yes.
        decision = ProportionTest().decide(([True, True, True, False], [True, False, False, False]))
        table = [[3, 1], [1, 3]]
        assert stats.fisher_exact(table, alternative="greater").pvalue == pytest.approx(17 / 70)
        assert (decision.verdict, decision.effect) == (Verdict.undecided, 50.0)

    def test_negated_measurement_flips_the_verdict(self) -> None:
        assert ProportionTest().decide((self.MANY, self.FEW)).verdict is Verdict.holds
        assert ProportionTest().decide((self.FEW, self.MANY)).verdict is Verdict.refuted

    def test_equal_shares_are_undecided(self) -> None:
        decision = ProportionTest().decide((self.MANY, self.MANY))
        assert decision.verdict is Verdict.undecided
        assert decision.effect == 0
        assert decision.low == pytest.approx(-decision.high)  # type: ignore[operator]

    def test_example_of_newcombe(self) -> None:
        # Newcombe 1998, table II, 56/70 against 48/80: 0.0524 to 0.3339 by his method 10.
        groups = ([True] * 56 + [False] * 14, [True] * 48 + [False] * 32)
        decision = ProportionTest().decide(groups)
        assert (decision.low, decision.high) == pytest.approx((5.24, 33.39), abs=0.01)


@pytest.mark.parametrize(
    "rule", [Exact(), Difference(0.5, "points"), Ratio(1.25), ProportionTest()]
)
def test_rule_text_explains_verdicts_and_margin(
    rule: Exact | Difference | Ratio | ProportionTest,
) -> None:
    assert "holds if" in rule.text
    assert "refute" in rule.text
    margin = getattr(rule, "margin", None)
    assert margin is None or f"{margin:g}" in rule.text


def test_difference_without_pairs_is_undecided() -> None:
    decision = Difference(1.0, "points").decide([])
    assert (decision.verdict, decision.effect, decision.count) == (Verdict.undecided, None, 0)

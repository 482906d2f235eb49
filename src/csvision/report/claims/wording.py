"""What was decided, in words."""

from collections.abc import Sequence

from csvision.claims.profile import Profile
from csvision.claims.record import StatementRecord
from csvision.claims.rules import Comparison, Verdict
from csvision.data.fashion_mnist import EMBEDDED, TEST
from csvision.report.claims.numbers import CASE_DIGITS, apart, interval_texts, number

SIGNS = {
    Verdict.holds: "\N{CHECK MARK}",
    Verdict.refuted: "\N{BALLOT X}",
    Verdict.undecided: "?",
    Verdict.not_decided_here: "\N{EN DASH}",
}
"""A sign for each verdict, so that none is told by colour alone."""


def counted(count: int, one: str, many: str = "") -> str:
    """A number of things: 1 claim, 27 claims."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def training(profile: Profile) -> str:
    """How a profile trains the arms of claims."""
    rates, tuned, seeds = (
        ", ".join(map(str, values))
        for values in (profile.rates, profile.tuning_seeds, profile.seeds)
    )
    return (
        f"Unless the method says otherwise, an arm is trained on {EMBEDDED.rows:,} images, the "
        f"first of Fashion-MNIST for training, and scored on its {TEST.rows:,} for the test, under "
        f"seeds {seeds}, which are the same in all arms of a claim. The learning rate is, for each "
        f"arm, the one of {rates} that does best on {profile.held_out:.0%} of the images for "
        f"training, held out under seeds {tuned}; test images have no say. Where it is the first "
        "or the last of these, a better one may lie beyond. Widths and epochs stand in the "
        "command of each arm. Intervals are over seeds alone: the images stay the same, and "
        "nothing corrects for the number of statements."
    )


def is_exact(statement: StatementRecord) -> bool:
    """Whether cases decide: each agrees or does not."""
    return bool(statement.evidence) and isinstance(statement.evidence[0], Comparison)


def is_shares(statement: StatementRecord) -> bool:
    """Whether the shares of two groups decide."""
    return bool(statement.evidence) and isinstance(statement.evidence[0], Sequence)


def effect(statement: StatementRecord) -> str:
    """What the verdict rests on."""
    if statement.decision.verdict is Verdict.not_decided_here or not statement.evidence:
        return "not measured"
    if is_exact(statement):
        return exact_effect(statement.evidence)
    return f"{interval(statement)}, {counts(statement)}"


def exact_effect(cases: Sequence[Comparison]) -> str:
    """How many cases agree, or the first one that does not."""
    odd = [case for case in cases if not case.equal]
    if not odd:
        agree = "agrees" if len(cases) == 1 else "agree"
        return f"{len(cases):,} of {counted(len(cases), 'case')} {agree}"
    claimed, measured = both(odd[0])
    first = f"{odd[0].case}: claimed {claimed}, measured {measured}"
    if len(cases) == 1:
        return first
    if len(odd) == 1:
        others = len(cases) - 1
        agree = "case agrees" if others == 1 else f"{others:,} cases agree"
        return f"{first}; the other {agree}"
    return f"{first}; {len(odd):,} of {counted(len(cases), 'case')} disagree"


def both(case: Comparison) -> tuple[str, str]:
    """What a case claims and measures, unlike if they are."""
    if case.equal:
        return number(case.claimed, CASE_DIGITS), number(case.measured, CASE_DIGITS)
    return apart(case.claimed, case.measured)


def interval(statement: StatementRecord) -> str:
    """The effect in its unit and its interval, where there is one."""
    decision = statement.decision
    assert decision.effect is not None
    if decision.low is None or decision.high is None:
        return f"{number(decision.effect)} {statement.unit}"
    value, low, high = interval_texts(decision, statement.margin)
    return f"{value} {statement.unit} [{low}, {high}]"


def counts(statement: StatementRecord) -> str:
    """How many pairs, or how many of each group, decided."""
    if not is_shares(statement):
        return counted(statement.decision.count, "pair")
    first, second = (f"{sum(group):,} of {len(group):,}" for group in statement.evidence)
    return f"{first} against {second}"


def line_of(statement: StatementRecord) -> float | None:
    """What the interval is held against: the margin, or no difference of two shares."""
    return 0.0 if is_shares(statement) else statement.margin


def strip_alt(statement: StatementRecord) -> str:
    """What the strip of a statement shows."""
    parts = [f"{statement.id}: {effect(statement)}"]
    line, low, high = line_of(statement), statement.decision.low, statement.decision.high
    if line is not None and low is not None and high is not None:
        place = "above" if low > line else "below" if high < line else "on both sides of"
        parts.append(f"the interval lies {place} {number(line)}")
    if not is_shares(statement):
        smallest, largest = min(statement.evidence), max(statement.evidence)
        parts.append(f"dots from {number(smallest)} to {number(largest)}")
    return "; ".join(parts)

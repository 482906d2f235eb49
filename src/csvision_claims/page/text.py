"""Decisions and the training protocol in words."""

import re
from collections.abc import Sequence

from csvision.page.numbers import CASE_DIGITS, MINUS, format_distinct, format_number, unicode_minus
from csvision_claims.engine.profile import Profile
from csvision_claims.engine.record import StatementRecord
from csvision_claims.engine.rules import Comparison, Verdict
from csvision_claims.page.numbers import format_interval

SPACE = "\N{NO-BREAK SPACE}"

NOTES = (
    "The course notes are the text that accompanies the course notebook, in which an image "
    "classifier is trained on a CSV file. They explain convolution, padding, stride, pooling and "
    "memory, and compare a multilayer perceptron (MLP) with a convolutional network (CNN)."
)
"""What the notes are; the first sentences of the page and of docs/claims.md."""

SYMBOLS = {
    Verdict.holds: "\N{CHECK MARK}",
    Verdict.refuted: "\N{BALLOT X}",
    Verdict.undecided: "?",
    Verdict.not_decided_here: "\N{EN DASH}",
}
"""A symbol for each verdict, so that verdicts do not differ by color only."""

TRAIN_IMAGES = 6_000
"""Images of the file that csvision bundles."""

TEST_IMAGES = 10_000
"""Images of the official test set of Fashion-MNIST."""


def pluralize(count: int, singular: str, plural: str = "") -> str:
    """Return a count with the singular or plural form: 1 claim, 27 claims."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def typeset(text: str) -> str:
    """Return prose with Unicode minus signs, and no line breaks within formulas and quantities."""
    text = re.sub(r"(?<=[\w)]) - (?=[\w(])| -(?=\d)", lambda match: unicode_minus(match[0]), text)
    text = re.sub(rf"(?<=[\w)]) ([{MINUS}+/=<>x]) (?=[\w(])", rf"{SPACE}\1{SPACE}", text)
    return re.sub(r"(?<=\d) (?=%|(?:k|M|MB|MiB|ms|pairs?)\b)", SPACE, text)


def describe_training(profile: Profile) -> dict[str, str]:
    """Return how a profile trains the arms of claims, by topic."""
    rates, tuning_seeds, seeds = (
        ", ".join(map(str, values))
        for values in (profile.lr_grid, profile.tuning_seeds, profile.seeds)
    )
    return {
        "Arms": (
            "An arm is one network with its settings; a claim compares arms. The command of an "
            "arm shows all settings. The following applies unless the method of a claim says "
            "otherwise."
        ),
        "Data": (
            f"Each arm is trained on {TRAIN_IMAGES:,} images, the first of the Fashion-MNIST "
            f"training set, and tested on the {TEST_IMAGES:,} images of its test set."
        ),
        "Seeds": f"All arms of a claim are trained with the same seeds: {seeds}.",
        "Learning rate": (
            f"The learning rate of each arm is the one of {rates} with the best accuracy on "
            f"{100 * profile.val_fraction:g} % of the training images, held out with seeds "
            f"{tuning_seeds}. Test images are not used to choose it. If the smallest or the "
            "largest of these rates is best, a better one may lie outside the list."
        ),
        "Intervals": (
            "Intervals describe the variation between seeds only, because the images stay the "
            "same. There is no correction for the number of statements."
        ),
    }


def is_exact(statement: StatementRecord) -> bool:
    """Return whether the rule is Exact."""
    return bool(statement.evidence) and isinstance(statement.evidence[0], Comparison)


def is_proportion_test(statement: StatementRecord) -> bool:
    """Return whether the rule is ProportionTest."""
    return bool(statement.evidence) and isinstance(statement.evidence[0], Sequence)


def format_effect(statement: StatementRecord) -> str:
    """Return the effect with its interval, or the cases of an exact statement."""
    if statement.decision.verdict is Verdict.not_decided_here or not statement.evidence:
        return "not measured"
    if is_exact(statement):
        return format_exact(statement.evidence)
    return f"{format_value(statement)}, {format_count(statement)}"


def format_exact(cases: Sequence[Comparison]) -> str:
    """Return how many cases agree, or the first that does not and how many others do."""
    mismatches = [case for case in cases if not case.equal]
    if not mismatches:
        agree = "agrees" if len(cases) == 1 else "agree"
        return f"{len(cases):,} of {pluralize(len(cases), 'case')} {agree}"
    claimed, measured = format_pair(mismatches[0])
    first = f"{mismatches[0].case}: claimed {claimed}, measured {measured}"
    if len(cases) == 1:
        return first
    if len(mismatches) == 1:
        others = len(cases) - 1
        agree = "case agrees" if others == 1 else f"{others:,} cases agree"
        return f"{first}; the other {agree}"
    return f"{first}; {len(mismatches):,} of {pluralize(len(cases), 'case')} disagree"


def format_pair(case: Comparison) -> tuple[str, str]:
    """Return the claimed and the measured value; different texts if they are not equal."""
    if case.equal:
        return format_number(case.claimed, CASE_DIGITS), format_number(case.measured, CASE_DIGITS)
    return format_distinct(case.claimed, case.measured)


def format_value(statement: StatementRecord) -> str:
    """Return the effect with its unit and, if there is one, its interval."""
    decision = statement.decision
    assert decision.effect is not None
    if decision.low is None or decision.high is None:
        return f"{format_number(decision.effect)} {statement.unit}"
    value, low, high = format_interval(decision, statement.margin)
    return f"{value} {statement.unit} [{low}, {high}]"


def format_count(statement: StatementRecord) -> str:
    """Return the number of pairs, or the two proportions."""
    if not is_proportion_test(statement):
        return pluralize(statement.decision.count, "pair")
    first, second = (f"{sum(group):,} of {len(group):,}" for group in statement.evidence)
    return f"{first} against {second}"


def reference_value(statement: StatementRecord) -> float | None:
    """Return the value at the line in the interval plot: the margin, or 0 for proportions."""
    return 0.0 if is_proportion_test(statement) else statement.margin


def describe_interval(statement: StatementRecord) -> str:
    """Return the text alternative of an interval plot."""
    parts = [f"{statement.id}: {format_effect(statement)}"]
    reference, low, high = (
        reference_value(statement),
        statement.decision.low,
        statement.decision.high,
    )
    if reference is not None and low is not None and high is not None:
        position = (
            "above" if low > reference else "below" if high < reference else "on both sides of"
        )
        parts.append(f"the interval lies {position} {format_number(reference)}")
    if not is_proportion_test(statement):
        smallest, largest = min(statement.evidence), max(statement.evidence)
        parts.append(f"dots from {format_number(smallest)} to {format_number(largest)}")
    return "; ".join(parts)

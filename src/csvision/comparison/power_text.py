"""What the number of runs can show, in words."""

from collections.abc import Iterator, Sequence

from csvision.comparison.metric import is_fraction
from csvision.comparison.result import Difference
from csvision.comparison.statistics import MAX_NEEDED, POWER


def describe_power(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield which differences the fewest pairs can detect, and how many pairs are needed."""
    found = [each for each in differences if detectable(each) is not None]
    if not found:
        return
    pairs = min(each.test.difference.n for each in found if each.test)
    fewest = [each for each in found if each.test and each.test.difference.n == pairs]
    largest = max(fewest, key=lambda each: detectable(each) or 0.0)
    names = f"{largest.setting} and {largest.reference}"
    assert largest.test is not None
    needed = largest.test.needed
    count = f"over {MAX_NEEDED:,}" if needed is None else f"{needed:,}"
    if all(map(is_undetectable, fewest)):
        detected = "no difference can be detected, not even one of 100 points"
    elif is_undetectable(largest):
        detected = f"no difference of {names} can be detected, not even one of 100 points"
    else:
        detected = f"differences below {format_points(largest)} cannot be detected"
    yield (
        f"with {pairs} pairs, {detected} (power {100 * POWER:g} %); {count} pairs of runs would be "
        f"needed for the measured difference of {names}"
    )
    if pairs < 6:
        yield (
            f"with {pairs} pairs, the p-value of the permutation test is at least {2 / 2**pairs:g}"
        )


def detectable(difference: Difference) -> float | None:
    """Return the smallest difference that can be detected; None if it is not known."""
    return None if difference.test is None else difference.test.detectable


def is_undetectable(difference: Difference) -> bool:
    """Return whether even the largest possible difference cannot be detected."""
    return is_fraction(difference.metric) and (detectable(difference) or 0.0) > 1.0


def format_detectable(difference: Difference) -> str:
    """Return the detectable difference for a table; "none" if none can be detected."""
    return "none" if is_undetectable(difference) else f"{detectable(difference) or 0.0:.4f}"


def format_points(difference: Difference) -> str:
    """Return the detectable difference, that of a fraction in percentage points."""
    value = detectable(difference) or 0.0
    return f"{100 * value:.2g} points" if is_fraction(difference.metric) else f"{value:.3g}"

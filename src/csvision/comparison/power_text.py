"""What the number of runs can show, in words."""

from collections.abc import Iterator, Sequence

from csvision.comparison.metric import is_fraction
from csvision.comparison.result import Difference
from csvision.comparison.statistics import MAX_NEEDED, POWER


def describe_equal(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield why some differences have no interval, if there are such."""
    equal = [each.test for each in differences if each.test and each.test.difference.low is None]
    if equal:
        pairs = min(test.difference.n for test in equal)
        few = f"as few as {pairs} pairs" if len(equal) > 1 else f"{pairs} pairs"
        yield (
            f"no interval where all pairs have the same difference ({few}): their "
            "variation is not known; train with more seeds or folds"
        )


def describe_power(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield what the t-test of the fewest pairs can detect.

    Of several differences with as few pairs, it is the one with the largest detectable difference.
    """
    found = [each for each in differences if detectable(each) is not None]
    if not found:
        return
    pairs = min(each.test.difference.n for each in found if each.test)
    fewest = [each for each in found if each.test and each.test.difference.n == pairs]
    largest = max(fewest, key=lambda each: detectable(each) or 0.0)
    names = f"{largest.setting} - {largest.reference}"
    if is_undetectable(largest):
        detected = "no difference, not even one of 100 points"
    else:
        detected = f"a difference of at least {format_size(largest, detectable(largest) or 0.0)}"
    yield (
        f"for {names}, the t-test of {pairs} pairs detects {detected} (power {100 * POWER:g} %); "
        f"{describe_needed(largest)}"
    )
    if pairs < 6:
        yield (
            f"with {pairs} pairs, the p-value of the permutation test is at least {2 / 2**pairs:g}"
        )


def describe_needed(difference: Difference) -> str:
    """Return with how many pairs the measured difference would be detected."""
    test = difference.test
    assert test is not None
    count = f"over {MAX_NEEDED:,}" if test.needed is None else f"{test.needed:,}"
    size = format_size(difference, abs(test.difference.mean))
    return f"to detect the measured difference of {size}, {count} pairs are needed"


def detectable(difference: Difference) -> float | None:
    """Return the smallest difference that can be detected; None if it is not known."""
    return None if difference.test is None else difference.test.detectable


def is_undetectable(difference: Difference) -> bool:
    """Return whether even the largest possible difference cannot be detected."""
    return is_fraction(difference.metric) and (detectable(difference) or 0.0) > 1.0


def format_detectable(difference: Difference) -> str:
    """Return the detectable difference for a table; "none" if none can be detected."""
    return "none" if is_undetectable(difference) else f"{detectable(difference) or 0.0:.4f}"


def format_size(difference: Difference, value: float) -> str:
    """Return the size of a difference, that of a fraction in percentage points."""
    return f"{100 * value:.2g} points" if is_fraction(difference.metric) else f"{value:.3g}"

"""Format the numbers of an inspection as text."""

from math import ceil, isnan, log10

from csvision.inspection.calibration import Calibration
from csvision.inspection.proportions import Estimate
from csvision.page.numbers import unicode_minus


def percent(value: float, digits: int = 1) -> str:
    """Format a fraction as a percentage; a dash for NaN."""
    return "\N{EN DASH}" if isnan(value) else f"{100 * value:.{digits}f} %"


def percent_interval(estimate: Estimate) -> str:
    """Format a fraction with its interval in percent."""
    if isnan(estimate.low):
        return percent(estimate.value)
    return f"{percent(estimate.value)} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def shown(value: float) -> float:
    """Return a fraction in percent, rounded as `percent` shows it."""
    return round(100 * value, 1)


def gap_interval(calibration: Calibration) -> str:
    """Format the mean confidence minus the accuracy, computed from the percentages shown."""
    confidence, accuracy = shown(calibration.confidence), calibration.accuracy
    value, low, high = (
        confidence - shown(each) for each in (accuracy.value, accuracy.high, accuracy.low)
    )
    return unicode_minus(f"{value:+.1f} points [{low:+.1f}, {high:+.1f}]")


def points_interval(estimate: Estimate) -> str:
    """Format a difference of two fractions in percentage points, without its sign."""
    sign = -1 if estimate.value < 0 else 1
    value = f"{100 * sign * estimate.value:.1f} points"
    if isnan(estimate.low):
        return value
    low, high = sorted((100 * sign * estimate.low, 100 * sign * estimate.high))
    return f"{value} [{low:.1f}, {high:.1f}]"


def format_fall(estimate: Estimate) -> str:
    """Format a difference of two fractions in percentage points, with its sign."""
    value, low, high = (100 * each for each in (estimate.value, estimate.low, estimate.high))
    return unicode_minus(f"{value:.1f} points [{low:.1f}, {high:.1f}]")


def probability(value: float) -> str:
    """Format a probability so that one near 0 or 1 differs from it."""
    if 0 < value < 0.001:
        return unicode_minus(f"{value:.1e}")
    return f"{value:.{min(6, ceil(-log10(1 - value)) + 1) if 0.99 < value < 1 else 3}f}"

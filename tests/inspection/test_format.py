"""Numbers of an inspection as text."""

from dataclasses import replace

import numpy as np
import pytest

from csvision.inspection.calibration import calibrate
from csvision.inspection.format import format_fall, gap_interval, probability
from csvision.inspection.proportions import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.500"),
        (0.99945, "0.99945"),
        (0.99936, "0.99936"),
        (0.9999999, "1.000000"),
        (1.0, "1.000"),
        (0.0, "0.000"),
        (5.9e-9, "5.9e\u221209"),
    ],
)
def test_probabilities_near_zero_and_one_differ(value: float, text: str) -> None:
    assert probability(value) == text


def test_gap_is_that_of_the_percentages_shown() -> None:
    """86.76 % and 84.42 % are shown as 86.8 % and 84.4 %; their difference is 2.34 points."""
    rng = np.random.default_rng(0)
    found = calibrate(rng.uniform(0.6, 1, 100), np.ones(100, bool))
    accuracy = Estimate(0.8442, 0.8226, 0.8638)
    gap = gap_interval(replace(found, confidence=0.8676, accuracy=accuracy))
    assert gap == "+2.4 points [+0.4, +4.5]"
    below = gap_interval(replace(found, confidence=0.8400, accuracy=accuracy))
    assert below == "\u22120.4 points [\u22122.4, +1.7]"


def test_fall_has_its_sign() -> None:
    assert format_fall(Estimate(-0.02, -0.05, 0.01)) == "\u22122.0 points [\u22125.0, 1.0]"

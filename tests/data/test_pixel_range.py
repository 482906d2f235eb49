"""The values of black and white, decided by all pixels or by the training file."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from csvision.data.pixel_range import (
    BYTES,
    UNIT,
    AmbiguousRangeError,
    PixelStats,
    decide_range,
    guess_from_rows,
    range_notices,
    to_bytes,
)


def stats_of(*values: float, reference: tuple[float, float] | None = None) -> PixelStats:
    """Return statistics of 1,000 zeros and these values."""
    stats = PixelStats(reference)
    stats.add(np.zeros((100, 10), np.uint8))
    stats.add(np.array([values], dtype=np.float64))
    return stats


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0], (0, 255)),
        ([1], (0, 1)),
        ([0.5, 1], (0, 1)),
        ([0.25], (0, 1)),
        ([15], (0, 15)),
        ([16], (0, 16)),
        ([17], (0, 255)),
        ([255], (0, 255)),
        ([254.5], (0, 255)),
        ([0.5, 2], (0, 1)),
        ([100, 300], (0, 255)),
        ([100, -1], (0, 255)),
    ],
)
def test_range_is_decided_by_the_largest_pixel(
    values: list[float], expected: tuple[float, float]
) -> None:
    assert decide_range(stats_of(*values)) == expected


@pytest.mark.parametrize("highest", [*range(2, 15), 15.5])
def test_small_range_is_refused_with_both_meanings(highest: float) -> None:
    values = [highest] * 300 + [1.5] * 100 if highest % 1 else [highest]
    with pytest.raises(AmbiguousRangeError) as caught:
        decide_range(stats_of(*values))
    assert f"data.pixel_range={highest:g} or data.pixel_range=255" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "example"),
    [
        ([-1, 1] * 50, "[-1,1]"),
        ([-0.7, 0.9] * 50, "[-1,1]"),
        ([-2.5, 3.25] * 50, "[-2.5,3.25]"),
        ([65535] * 50, "[0,65535]"),
        ([-5] * 50, "[-5,0]"),
    ],
)
def test_many_pixels_outside_bytes_are_refused_with_a_valid_example(
    values: list[float], example: str
) -> None:
    with pytest.raises(AmbiguousRangeError, match=r"data\.pixel_range=\[BLACK,WHITE\]") as caught:
        decide_range(stats_of(*values))
    assert example in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "values", "expected"),
    [
        ((0, 255), [200], (0, 255)),
        ((0, 255), [18], (0, 255)),
        ((0, 255), [0], (0, 255)),
        ((0, 255), [0.5, 1], (0, 1)),
        ((0, 255), [300], (0, 255)),
        ((0, 255), [1], None),
        ((0, 255), [16], None),
        ((0, 255), [-1, 1] * 50, None),
        ((0, 16), [16], (0, 16)),
        ((0, 16), [9], (0, 16)),
        ((0, 16), [1], None),
        ((0, 16), [255] * 50, None),
        ((0, 1), [0.5], (0, 1)),
        ((0, 1), [1], (0, 1)),
        ((0, 1), [255] * 50, None),
        ((-1, 1), [-1, 0.5], (-1, 1)),
        ((-1, 1), [255] * 50, None),
    ],
)
def test_range_is_that_of_the_training_file_or_refused(
    reference: tuple[float, float], values: list[float], expected: tuple[float, float] | None
) -> None:
    stats = stats_of(*values, reference=reference)
    if expected is not None:
        assert decide_range(stats) == expected
        return
    with pytest.raises(AmbiguousRangeError, match="those of the training file"):
        decide_range(stats)


@given(
    arrays(np.float64, (3, 4), elements=st.floats(0, 1)),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
)
def test_black_is_0_and_white_is_255(fractions: NDArray[Any], black: float, span: float) -> None:
    white = black + span
    pixels = np.clip(black + fractions * span, black, white)
    scaled = to_bytes(pixels, (black, white))
    assert np.abs(scaled - fractions * 255).max() <= 0.5 + 1e-3 * 255
    assert to_bytes(np.array([[black, white]]), (black, white)).tolist() == [[0, 255]]


def test_notices_say_what_was_decided() -> None:
    assert range_notices(stats_of(255), BYTES, automatic=True) == []
    assert range_notices(stats_of(16), (0, 16), automatic=True) == ["pixels are from 0 to 16"]
    assert range_notices(stats_of(16), (0, 16), automatic=False) == []
    (dark,) = range_notices(stats_of(40), BYTES, automatic=True)
    assert dark.startswith("the largest pixel is 40 of 255")
    (rounded,) = range_notices(stats_of(254.5), BYTES, automatic=True)
    assert rounded == "1 pixels are not whole numbers and were rounded"


@pytest.mark.parametrize(
    ("reference", "values", "expected"),
    [
        (None, (0, 12), BYTES),
        ((0.0, 16.0), (0, 12), (0.0, 16.0)),
        ((0.0, 16.0), (0, 0), (0.0, 16.0)),
        (BYTES, (0.5, 0.25), UNIT),
        # Not clear: all pixels will decide.
        ((0.0, 16.0), (0, 200), (0.0, 16.0)),
    ],
)
def test_guess_from_the_first_rows_is_that_of_the_training_file_if_it_fits(
    reference: tuple[float, float] | None, values: tuple[float, float], expected: object
) -> None:
    rows = [["cat", *map(str, values)]] * 30
    assert guess_from_rows(rows, [1, 2], reference) == expected

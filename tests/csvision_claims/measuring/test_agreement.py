"""The agreement of two arrays as one case."""

import numpy as np
import pytest

from csvision_claims.measuring.agreement import agreement_case, compare_arrays


def test_difference_by_hand() -> None:
    one, other = np.array([[1.0, -4.0], [0.0, 2.0]]), np.array([[1.0, -4.0], [0.5, 2.25]])
    assert compare_arrays(one, other) == (4.0, 0.5)
    assert compare_arrays(other, one) == (4.0, 0.5)
    assert compare_arrays(one, one) == (4.0, 0.0)


def test_largest_value_is_that_of_both_arrays() -> None:
    assert compare_arrays([0.0, 0.0], [3.0, 0.0]) == (3.0, 3.0)


@pytest.mark.parametrize(("difference", "equal"), [(0.0, True), (1e-11, True), (1e-8, False)])
def test_arrays_agree_to_a_relative_difference(difference: float, equal: bool) -> None:
    assert agreement_case("case", 2.0, difference).equal == equal
    assert agreement_case("case", 2e6, 1e6 * difference).equal == equal


def test_arrays_of_zeros_agree() -> None:
    assert agreement_case("case", *compare_arrays([0.0], [0.0])).equal

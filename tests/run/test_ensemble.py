"""The ensemble of a sweep: which runs it has, and the mean of their probabilities."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csvision.errors import RunError
from csvision.run.ensemble import average_probabilities, ensemble_members


@given(
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), min_size=1, max_size=9)
)
def test_mean_is_that_of_numpy_rounded_once(values: list[list[float]]) -> None:
    arrays = [np.array([each], np.float32) for each in values]
    expected = np.mean(np.stack(arrays).astype(np.float64), axis=0)
    np.testing.assert_allclose(average_probabilities(iter(arrays)), expected, rtol=1e-6, atol=1e-40)


def test_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        average_probabilities([])


def test_folder_that_is_no_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a sweep"):
        ensemble_members(tmp_path)

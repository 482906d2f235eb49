"""The jobs of a sweep."""

import pytest
from hydra.errors import OverrideParseException

from csvision.multirun import job_overrides


def test_values_with_commas_are_multiplied_in_their_order() -> None:
    assert [*job_overrides(["model=mlp,cnn", "seed=0,1", "epochs=2"])] == [
        ["model=mlp", "seed=0", "epochs=2"],
        ["model=mlp", "seed=1", "epochs=2"],
        ["model=cnn", "seed=0", "epochs=2"],
        ["model=cnn", "seed=1", "epochs=2"],
    ]


def test_those_of_a_file_come_first() -> None:
    assert [*job_overrides(["epochs=2"], {"seed": "0,1"})] == [
        ["seed=0", "epochs=2"],
        ["seed=1", "epochs=2"],
    ]


def test_without_any_there_is_one_job() -> None:
    assert [*job_overrides([])] == [[]]


def test_what_is_no_override_is_told() -> None:
    with pytest.raises(OverrideParseException):
        [*job_overrides(["seed=[0"])]

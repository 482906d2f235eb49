"""The jobs of a sweep."""

import pytest
from hydra.errors import OverrideParseException

from csvision.config.sweep import expand_sweep


def test_jobs_are_all_combinations_in_order() -> None:
    assert list(expand_sweep(["model=mlp,cnn", "seed=0,1", "epochs=2"])) == [
        ["model=mlp", "seed=0", "epochs=2"],
        ["model=mlp", "seed=1", "epochs=2"],
        ["model=cnn", "seed=0", "epochs=2"],
        ["model=cnn", "seed=1", "epochs=2"],
    ]


def test_sweeper_params_come_before_the_command_line() -> None:
    assert list(expand_sweep(["epochs=2"], {"seed": "0,1"})) == [
        ["seed=0", "epochs=2"],
        ["seed=1", "epochs=2"],
    ]


def test_no_overrides_give_one_job() -> None:
    assert list(expand_sweep([])) == [[]]


def test_invalid_override_raises() -> None:
    with pytest.raises(OverrideParseException):
        list(expand_sweep(["seed=[0"]))

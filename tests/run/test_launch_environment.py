"""Variables of launchers: tests/attacks/test_ranks.py checks them on the command line."""

import os

import pytest

from csvision.errors import ConfigError
from csvision.run.launch_environment import (
    RANK_VARIABLES,
    count_nodes,
    read_launch_variables,
    restore_launch_variables,
    validate_launch_environment,
)


@pytest.mark.parametrize("name", RANK_VARIABLES)
def test_rank_must_be_below_the_number_of_devices(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv(name, "1")
    validate_launch_environment(devices=2)
    monkeypatch.delenv("WORLD_SIZE")
    with pytest.raises(ConfigError, match=rf"{name}=1 contradicts accelerator\.devices=1"):
        validate_launch_environment(devices=1)


@pytest.mark.parametrize("value", ["", "one", "-1", "1.0", " 1"])
def test_variable_must_be_a_number(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", value)
    with pytest.raises(ConfigError, match=f"RANK='{value}' is not a number; unset RANK"):
        read_launch_variables()


def test_world_size_must_be_the_number_of_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(ConfigError, match=r"WORLD_SIZE=4 .* write accelerator\.devices=4"):
        validate_launch_environment(devices=2)
    validate_launch_environment(devices=4)


@pytest.mark.parametrize("name", ["interactive", "bash"])
def test_tasks_of_an_interactive_job_are_ignored(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_JOB_NAME", name)
    validate_launch_environment(devices=2)


def test_tasks_of_other_jobs_must_be_the_number_of_devices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "8")
    validate_launch_environment(devices=1)
    validate_launch_environment(devices=8)
    with pytest.raises(ConfigError, match="SLURM_NTASKS=8"):
        validate_launch_environment(devices=2)


@pytest.mark.parametrize(
    ("variables", "nodes"),
    [
        ({}, 1),
        ({"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4"}, 1),
        ({"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "1"}, 4),
        ({"SLURM_NTASKS": "4", "SLURM_NTASKS_PER_NODE": "2"}, 2),
    ],
)
def test_nodes_are_counted(
    variables: dict[str, str], nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    validate_launch_environment(devices=4)
    assert count_nodes(devices=4) == nodes
    assert count_nodes(devices=1) == 1


def test_nodes_have_the_same_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match=r"LOCAL_WORLD_SIZE=3 does not divide .*devices=4"):
        validate_launch_environment(devices=4)


def test_variables_that_lightning_sets_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_PORT", "5")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with restore_launch_variables():
        os.environ |= {"MASTER_PORT": "6", "WORLD_SIZE": "2"}
    assert os.environ["MASTER_PORT"] == "5"
    assert "WORLD_SIZE" not in os.environ

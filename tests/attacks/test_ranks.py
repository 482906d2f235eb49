"""Variables that launchers set: leftovers that contradict the run are refused, others ignored."""

from pathlib import Path

import pytest

from tests.attacks.attack import Attack, attack_parameters, run_attack

TWO = "csvision $TRAIN accelerator.devices=2"

REFUSED = {
    "rank": {"RANK": "1"},
    "empty rank": {"RANK": ""},
    "rank that is a word": {"RANK": "first"},
    "negative rank": {"RANK": "-1"},
    "fractional rank": {"RANK": "0.5"},
    "rank in other digits": {"RANK": "\N{FULLWIDTH DIGIT ONE}"},
    "local rank": {"LOCAL_RANK": "1"},
    "empty local rank": {"LOCAL_RANK": ""},
    "rank of Slurm": {"SLURM_PROCID": "1"},
    "rank of Slurm that is a word": {"SLURM_PROCID": "x"},
    "local rank of Slurm": {"SLURM_LOCALID": "3"},
    "rank of LSF": {"JSM_NAMESPACE_RANK": "1"},
    "world size": {"WORLD_SIZE": "2"},
    "empty world size": {"WORLD_SIZE": ""},
}

REFUSED_FOR_TWO = {
    "rank": {"RANK": "2"},
    "world size": {"WORLD_SIZE": "3"},
    "tasks of Slurm": {"SLURM_NTASKS": "1", "SLURM_NTASKS_PER_NODE": "1"},
    "tasks of Slurm without those of a node": {"SLURM_NTASKS": "2"},
    "local rank without world size": {"LOCAL_RANK": "0"},
}

QUICK = ("rank", "empty rank", "local rank of Slurm", "world size", "tasks of Slurm")
"""The names of the attacks that are not thorough."""


def refused(processes: str, command: str, name: str, variables: dict[str, str]) -> Attack:
    """Return an attack by variables, of which the error names the first one."""
    return Attack(
        f"{processes}: {name}",
        command,
        2,
        (next(iter(variables)),),
        variables,
        thorough=name not in QUICK,
    )


ATTACKS = (
    *(refused("one process", "csvision $TRAIN", *case) for case in REFUSED.items()),
    *(refused("two processes", TWO, *case) for case in REFUSED_FOR_TWO.items()),
    Attack("resume", "csvision resume run=.", 2, ("RANK",), {"RANK": "x"}),
    Attack("sweep", "csvision $TRAIN -m seed=0,1", 2, ("SLURM_PROCID",), {"SLURM_PROCID": "1"}),
    Attack("help needs no rank", "csvision train --help", 0, environment={"RANK": "x"}),
    Attack(
        "shell of salloc",
        "csvision $TRAIN",
        0,
        environment={
            "SLURM_JOB_ID": "7",
            "SLURM_JOB_NAME": "interactive",
            "SLURM_NTASKS": "2",
            "SLURM_NNODES": "1",
        },
    ),
    Attack(
        "job of sbatch without srun",
        "csvision $TRAIN",
        0,
        environment={
            "SLURM_JOB_ID": "7",
            "SLURM_JOB_NAME": "my_job",
            "SLURM_NTASKS": "2",
            "SLURM_PROCID": "0",
            "SLURM_LOCALID": "0",
            "SLURM_NODEID": "0",
            "SLURM_NTASKS_PER_NODE": "2",
        },
    ),
    Attack(
        "rank 0 of one process",
        "csvision $TRAIN",
        0,
        environment={"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"},
        thorough=True,
    ),
)


@attack_parameters(*ATTACKS)
def test_environment_of_a_launcher(attack: Attack, attacked_folder: Path) -> None:
    result = run_attack(attack, attacked_folder)
    if attack.exit_code == 2:
        assert not (attacked_folder / "outputs").exists()
        (line,) = result.errors.splitlines()
        assert line.startswith("error: ")


def test_rank_that_is_no_number_is_a_user_error_in_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import csvision

    monkeypatch.setenv("RANK", "x")
    with pytest.raises(csvision.ConfigError, match="RANK='x' is not a number"):
        csvision.train("seed=1")

"""Check the environment variables by which launchers number the processes of a distributed run.

Lightning reads them when it is imported, so they are checked before.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from csvision.errors import ConfigError

RANK_VARIABLES = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "SLURM_LOCALID", "JSM_NAMESPACE_RANK")
"""The rank of this process, as set by torchrun, Lightning, Slurm and LSF."""

SIZE_VARIABLES = ("WORLD_SIZE", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE")
"""The number of processes."""

INTERACTIVE_JOBS = ("bash", "interactive")
"""Names of Slurm jobs in whose shell a command is one process; Lightning knows the same names."""


LAUNCH_VARIABLES = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE")
"""What Lightning sets when it starts the other processes of a distributed run."""


@contextmanager
def restore_launch_variables() -> Iterator[None]:
    """Restore the variables that Lightning sets: the next run may have one process."""
    before = {name: os.environ.get(name) for name in LAUNCH_VARIABLES}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def hide_trainer_defaults() -> Iterator[None]:
    """Hide the variables that change Trainer's defaults, such as PL_TRAINER_MAX_STEPS."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith("PL_")}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


def read_launch_variables() -> dict[str, int]:
    """Return the variables that are set; raises ConfigError if one is not a number."""
    values = {}
    for name in (*RANK_VARIABLES, *SIZE_VARIABLES):
        text = os.environ.get(name)
        if text is None:
            continue
        if not (text.isascii() and text.isdigit()):
            raise ConfigError(f"environment variable {name}='{text}' is not a number; unset {name}")
        values[name] = int(text)
    return values


def validate_launch_environment(devices: int) -> None:
    """Raise ConfigError if the environment contradicts a run with this number of processes.

    In an allocation of Slurm (salloc, sbatch), a command that srun did not start is one process.
    """
    variables = read_launch_variables()
    for name in RANK_VARIABLES:
        if (rank := variables.get(name, 0)) >= devices:
            raise ConfigError(
                f"environment variable {name}={rank} contradicts accelerator.devices={devices}: "
                f"ranks are below the number of devices; unset {name}, or start one process only"
            )
    names = ["WORLD_SIZE"] if devices == 1 else required_sizes(variables)
    for name in names:
        if (size := variables.get(name, devices)) != devices:
            raise ConfigError(
                f"environment variable {name}={size} contradicts accelerator.devices={devices}; "
                f"unset {name}, or write accelerator.devices={size}"
            )
    if devices > 1 and "LOCAL_RANK" in variables and "WORLD_SIZE" not in variables:
        raise ConfigError(
            "environment variable LOCAL_RANK is set without WORLD_SIZE: no launcher has started "
            "the other processes; unset LOCAL_RANK"
        )


def required_sizes(variables: dict[str, int]) -> list[str]:
    """Return the variables that must be the number of processes of a distributed run.

    Inside a Slurm job, Lightning expects that srun starts all processes.
    """
    interactive = os.environ.get("SLURM_JOB_NAME") in INTERACTIVE_JOBS
    if "SLURM_NTASKS" not in variables or interactive:
        return ["WORLD_SIZE"]
    if "SLURM_NTASKS_PER_NODE" not in variables:
        raise ConfigError(
            "environment variable SLURM_NTASKS is set without SLURM_NTASKS_PER_NODE; start the job "
            "with --ntasks-per-node and srun, or unset SLURM_NTASKS"
        )
    return list(SIZE_VARIABLES)

"""Check the environment variables by which launchers number the processes of a distributed run.

Lightning reads them when it is imported, so they are checked before.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from csvision.errors import ConfigError

RANK_VARIABLES = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "SLURM_LOCALID", "JSM_NAMESPACE_RANK")
"""The rank of this process, as set by torchrun, Lightning, Slurm and LSF."""

SIZE_VARIABLES = ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "SLURM_NTASKS", "SLURM_NTASKS_PER_NODE")
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
    count_nodes(devices)
    if devices > 1 and "LOCAL_RANK" in variables and "WORLD_SIZE" not in variables:
        raise ConfigError(
            "environment variable LOCAL_RANK is set without WORLD_SIZE: no launcher has started "
            "the other processes; unset LOCAL_RANK"
        )


def is_other_rank() -> bool:
    """Return whether a launcher says that another process of the same run writes its directory."""
    variables = read_launch_variables()
    return any(variables.get(name, 0) > 0 for name in ("RANK", "SLURM_PROCID"))


def required_sizes(variables: dict[str, int]) -> list[str]:
    """Return the variables that must be the number of processes of a distributed run.

    Inside a Slurm job, Lightning expects that srun starts all processes.
    """
    if not is_slurm_task(variables):
        return ["WORLD_SIZE"]
    if "SLURM_NTASKS_PER_NODE" not in variables:
        raise ConfigError(
            "environment variable SLURM_NTASKS is set without SLURM_NTASKS_PER_NODE; start the job "
            "with --ntasks-per-node and srun, or unset SLURM_NTASKS"
        )
    return ["WORLD_SIZE", "SLURM_NTASKS"]


def is_slurm_task(variables: dict[str, int]) -> bool:
    """Return whether srun has started this process, as one of several."""
    return "SLURM_NTASKS" in variables and os.environ.get("SLURM_JOB_NAME") not in INTERACTIVE_JOBS


def count_nodes(devices: int) -> int:
    """Return over how many machines the processes of a run are distributed; 1 without a launcher.

    Raises ConfigError if the machines have different numbers of processes, which Lightning refuses.
    """
    variables = read_launch_variables()
    name = "SLURM_NTASKS_PER_NODE" if is_slurm_task(variables) else "LOCAL_WORLD_SIZE"
    per_node = variables.get(name, devices)
    if devices == 1:
        return 1
    if per_node < 1 or devices % per_node:
        raise ConfigError(
            f"{name}={per_node} does not divide accelerator.devices={devices}; "
            "start the same number of processes on each node"
        )
    return devices // per_node

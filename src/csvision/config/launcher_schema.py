"""How the jobs of a sweep are started: types, help texts and ranges of keys."""

from dataclasses import dataclass
from enum import StrEnum

from csvision.config.limits import MAX_JOBS, MAX_THREADS
from csvision.config.option import option


class LauncherName(StrEnum):
    """Choices of `launcher=`."""

    local = "local"
    serial = "serial"
    slurm = "slurm"
    ray = "ray"


@dataclass
class LauncherConfig:
    """Keys of every launcher; `serial` has no others."""

    name: LauncherName = option("how the jobs of a sweep run")
    retries: int = option("how often a failed job of a sweep is resumed", ge=0, le=1000)
    stop_on_failure: bool = option("stop a sweep when one of its jobs has failed")
    time_limit_minutes: float | None = option(
        "longest time of a job of a sweep; it then saves a checkpoint and ends; null: no limit",
        gt=0,
        le=1e6,
    )


@dataclass
class LocalLauncherConfig(LauncherConfig):
    """Jobs in worker processes of this machine."""

    n_jobs: int | None = option(
        "jobs at the same time; null: as many as processors, or GPUs, allow", ge=1, le=MAX_THREADS
    )
    devices: list[str] | None = option(
        "GPUs to use, as in CUDA_VISIBLE_DEVICES; null: all", max_length=MAX_THREADS
    )
    jobs_per_gpu: int = option("jobs that share a GPU", ge=1, le=MAX_THREADS)


@dataclass
class SlurmLauncherConfig(LauncherConfig):
    """Jobs in an array of Slurm."""

    cpus_per_job: int = option("processors, and CPU threads, of a job", ge=1, le=MAX_THREADS)
    gpus_per_job: int = option("GPUs of a job", ge=0, le=1)
    memory_gb: float | None = option("memory of a job; null: the default of Slurm", gt=0, le=1e6)
    partition: str | None = option("partition; null: the default of Slurm")
    max_parallel: int = option("jobs at the same time", ge=1, le=MAX_JOBS)
    signal_seconds: int = option(
        "time before the time limit at which a job saves a checkpoint", ge=1, le=65535
    )
    sbatch: dict[str, str] = option("further options of sbatch, as {qos: high}")


@dataclass
class RayLauncherConfig(LauncherConfig):
    """Jobs on a cluster of Ray."""

    cpus_per_job: int = option("processors, and CPU threads, of a job", ge=1, le=MAX_THREADS)
    gpus_per_job: float = option("GPUs of a job; may be a fraction", ge=0, le=1)
    address: str | None = option("address of a running cluster, or auto; null: start Ray here")

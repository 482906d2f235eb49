"""How many jobs run at the same time on this machine, and with how many threads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from joblib import cpu_count

from csvision.config import launcher_schema, schema
from csvision.launch.devices import may_have_gpu, visible_gpus
from csvision.run.sweep_jobs import SweepJob


@dataclass(frozen=True)
class LocalPlan:
    """The number of worker processes, and the GPUs that they share; without any, the CPU is used.

    `threads` is the number of CPU threads of a job whose configuration does not say it; None is the
    default of torch.
    """

    workers: int
    threads: int | None
    devices: tuple[str, ...] = ()


def plan_workers(
    launcher: launcher_schema.LocalLauncherConfig, configs: Sequence[schema.TrainConfig]
) -> LocalPlan:
    """Return how many jobs run at the same time, and on which processors or GPUs.

    On a CPU, jobs have one thread each unless their configurations say more: many small jobs with
    one thread are faster than few with many threads, and give the same bits on every machine.
    """
    processors = cpu_count()
    threads = max((config.accelerator.num_threads or 1 for config in configs), default=1)
    if devices := tuple(choose_devices(launcher, configs)):
        workers = limit_workers(launcher, len(devices) * launcher.jobs_per_gpu, len(configs))
        return LocalPlan(workers, max(1, processors // workers), devices)
    if uses_mps(configs):
        return LocalPlan(limit_workers(launcher, launcher.jobs_per_gpu, len(configs)), None)
    workers = limit_workers(launcher, max(1, processors // threads), len(configs))
    return LocalPlan(workers, 1)


def limit_workers(
    launcher: launcher_schema.LocalLauncherConfig, possible: int, num_jobs: int
) -> int:
    """Return the number of workers: not more than jobs, and as many as the user wants."""
    return max(1, min(launcher.n_jobs or possible, num_jobs))


def choose_devices(
    launcher: launcher_schema.LocalLauncherConfig, configs: Sequence[schema.TrainConfig]
) -> list[str]:
    """Return the GPUs that the jobs share; empty if they use the CPU."""
    if launcher.devices is not None:
        return launcher.devices
    names = schema.AcceleratorName
    if any(config.accelerator.name in (names.gpu, names.auto) for config in configs):
        return visible_gpus()
    return []


def uses_mps(configs: Sequence[schema.TrainConfig]) -> bool:
    """Return whether a job may use the GPU of a Mac, which cannot be divided among processes."""
    names = schema.AcceleratorName
    if not any(config.accelerator.name in (names.mps, names.auto) for config in configs):
        return False
    if not may_have_gpu():
        return False
    from torch.backends import mps

    return mps.is_available()


def training_configs(jobs: Iterable[SweepJob]) -> list[schema.TrainConfig]:
    """Return the configurations of the jobs that train a network; baselines have no devices."""
    configs = [job.config for job in jobs]
    return [config for config in configs if isinstance(config, schema.TrainConfig)]


def with_job_threads(
    configs: Sequence[schema.TrainConfig], launcher: launcher_schema.LauncherConfig
) -> list[schema.TrainConfig]:
    """Return the configurations of new jobs with the number of threads that the launcher gives.

    The number is recorded, so that a job has it again when another launcher resumes it.
    """
    match launcher:
        case launcher_schema.LocalLauncherConfig():
            threads = plan_workers(launcher, configs).threads
        case launcher_schema.SlurmLauncherConfig() | launcher_schema.RayLauncherConfig():
            threads = launcher.cpus_per_job
        case _:
            threads = None
    return [with_threads(config, threads) for config in configs]


def with_threads(config: schema.TrainConfig, threads: int | None) -> schema.TrainConfig:
    """Return a configuration with a number of threads, unless it has one."""
    if config.accelerator.num_threads is not None:
        return config
    return replace(config, accelerator=replace(config.accelerator, num_threads=threads))

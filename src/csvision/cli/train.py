"""Train the run, or one job of the sweep, that Hydra has composed."""

from collections.abc import Callable
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from csvision.cli.sweep_value import worst_value
from csvision.command_hints import display_path
from csvision.comparison.page import refresh_page
from csvision.config import schema
from csvision.launch.prepared_runs import PREPARED_RUNS
from csvision.run.directory import AnyConfig
from csvision.run.log import log, log_to_console
from csvision.run.resume_hint import part_of_sweep
from csvision.run.train import train


def run_train(config: schema.TrainConfig) -> float:
    """Train; return the final value of `monitor`, for Hydra sweepers that optimize it."""
    return run_job(config, train_hydra_run)


def run_job(config: AnyConfig, run: Callable[[AnyConfig], float]) -> float:
    """Call `run` for the run, or one job of the sweep, that Hydra has composed."""
    with log_to_console(config.quiet):
        if HydraConfig.get().mode is RunMode.MULTIRUN:
            return run_sweep_job(config, run)
        return run(config)


def train_hydra_run(config: schema.TrainConfig) -> float:
    """Train into the directory that Hydra has created, and print its path."""
    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    result = train(PREPARED_RUNS.get_or_prepare(config), directory, list(hydra.overrides.task))
    if result.is_global_zero:
        print(display_path(result.directory))
    return result.metrics.get(config.monitor, float("nan"))


def run_sweep_job(config: AnyConfig, run: Callable[[AnyConfig], float]) -> float:
    """Call `run` for one job of a sweep; if it fails, the other jobs still run."""
    hydra = HydraConfig.get()
    print(f"\njob {hydra.job.num}: {' '.join(hydra.overrides.task)}")
    try:
        with part_of_sweep():
            value = run(config)
    except Exception as error:
        # The traceback is in train.log of this job.
        log.error("job %s failed: %s", hydra.job.num, error)
        value = worst_value(hydra.sweeper)
    refresh_page(Path(hydra.sweep.dir))
    return value

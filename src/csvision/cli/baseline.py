"""Fit the baseline, or one job of the sweep, that Hydra has composed."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig

from csvision.baselines.fit import fit_baseline
from csvision.cli.train import run_job
from csvision.command_hints import display_path
from csvision.config.baseline_schema import BaselineConfig
from csvision.launch.prepared_runs import PREPARED_RUNS


def run_baseline(config: BaselineConfig) -> float:
    """Fit; return the validation accuracy, for Hydra sweepers that optimize it."""
    return run_job(config, fit_hydra_run)


def fit_hydra_run(config: BaselineConfig) -> float:
    """Fit into the directory that Hydra has created, and print its path."""
    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    prepared = PREPARED_RUNS.get_or_prepare(config)
    result = fit_baseline(prepared, directory, list(hydra.overrides.task))
    print(display_path(result.directory))
    return result.metrics.get("val/acc", float("nan"))

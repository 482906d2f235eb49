"""How a job of a sweep ended, as its files say."""

import json

import pytest
from omegaconf import OmegaConf

from csvision.cli.sweep_launch import job_return
from csvision.config.compose import load_config
from csvision.launch.job import read_outcome
from csvision.launch.progress import describe
from csvision.run.directory import RunDirectory
from csvision.run.sweep_jobs import SweepJob


@pytest.mark.slow
def test_value_of_a_job_is_that_of_monitor(small_run: RunDirectory) -> None:
    metrics = json.loads(small_run.metrics.read_text(encoding="utf-8"))
    for monitor in ("val/acc", "val/f1", "val/loss"):
        config = load_config("train", [f"monitor={monitor}"])
        outcome = read_outcome(0, SweepJob(small_run.path, [], config))
        assert (outcome.metric, outcome.value) == (monitor, metrics[monitor])
        assert f"{monitor} {metrics[monitor]:.4f}" in describe(outcome)
        # What a sweeper of Hydra optimizes.
        assert job_return(outcome, OmegaConf.create({})).return_value == metrics[monitor]

"""Add jobs to a sweep: those of a longer command line that the sweep does not have yet."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from csvision.config import launcher_schema, schema
from csvision.config.baseline_schema import BaselineConfig
from csvision.config.compose import load_config
from csvision.config.labels import parse_override
from csvision.config.quoting import quote_paths
from csvision.config.resolvers import job_name, swept_keys
from csvision.config.serialize import config_to_dict
from csvision.config.sweep import expand_sweep
from csvision.errors import ConfigError, RunError, UserError
from csvision.launch.prepared_runs import PREPARED_RUNS
from csvision.launch.resources import training_configs, with_job_threads
from csvision.run.code_paths import CodePaths, with_code_paths
from csvision.run.directory import (
    RunDirectory,
    with_absolute_paths,
    with_default_cache,
)
from csvision.run.sweep_jobs import SweepJob
from csvision.run.sweep_record import RecordedJob, read_command, write_record


def add_jobs(
    folder: Path,
    jobs: Sequence[SweepJob],
    overrides: Sequence[str],
    launcher: launcher_schema.LauncherConfig,
    paths: CodePaths,
) -> list[SweepJob]:
    """Add the jobs of the sweep's command line with other values, and record them; return all jobs.

    Jobs with a configuration that the sweep has already are not added. Raises UserError for jobs
    that cannot work; then, nothing has changed.
    """
    if any(isinstance(job.config, BaselineConfig) for job in jobs):
        raise RunError(f"run={folder}: jobs can be added to sweeps of csvision train only")
    command = read_command(folder)
    arguments = replace_values(command.arguments, quote_paths([*overrides, "-m"])[:-1])
    known = {identity(config) for config in training_configs(jobs)}
    new: list[tuple[list[str], schema.TrainConfig]] = []
    for words in expand_sweep(arguments):
        config: schema.TrainConfig = load_config("train", words)
        config = with_default_cache(with_absolute_paths(config, Path(command.cwd)))
        config = with_code_paths(config, RunDirectory(folder), paths)
        if identity(config) not in known:
            known.add(identity(config))
            new.append((words, replace(config, launcher=launcher)))
    changed = [parse_override(override)[0] for override in overrides]
    keys = [*dict.fromkeys([*swept_keys(command.arguments), *swept_keys(arguments), *changed])]
    configs = with_job_threads([config for _, config in new], launcher)
    added = [
        SweepJob(folder / job_name(number, words, keys), words, config)
        for number, (config, (words, _)) in enumerate(zip(configs, new, strict=True), len(jobs))
    ]
    check_jobs(added)
    everything = [*jobs, *added]
    recorded = [
        RecordedJob(str(job.directory.relative_to(folder)), job.overrides, job.config)
        for job in everything
    ]
    write_record(folder, recorded, command)
    return everything


def replace_values(arguments: Sequence[str], overrides: Sequence[str]) -> list[str]:
    """Return the arguments of a sweep with other values; keys that it does not have come last."""
    values = {override.partition("=")[0]: override for override in overrides}
    replaced = [values.pop(word.partition("=")[0], word) for word in arguments]
    return [*replaced, *values.values()]


def identity(config: schema.TrainConfig) -> str:
    """Return what tells jobs apart: all but the launcher and the number of threads."""
    values = config_to_dict(config)
    del values["launcher"], values["accelerator"]["num_threads"]
    return json.dumps(values, sort_keys=True)


def check_jobs(jobs: Sequence[SweepJob]) -> None:
    """Raise ConfigError with the errors of all jobs that cannot work."""
    messages: dict[str, None] = {}
    for job in jobs:
        try:
            assert isinstance(job.config, schema.TrainConfig)
            if job.config.accelerator.devices > 1:
                raise ConfigError(
                    f"accelerator.devices={job.config.accelerator.devices}: each job of a sweep "
                    "uses one device; write accelerator.devices=1"
                )
            PREPARED_RUNS.get_or_prepare(job.config, job.directory)
        except UserError as error:
            messages |= dict.fromkeys(error.messages)
    if messages:
        raise ConfigError(messages)

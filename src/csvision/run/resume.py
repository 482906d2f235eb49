"""Prepare a run to be trained again: an interrupted one to resume, a finished one to compare."""

from dataclasses import replace
from typing import Unpack

from csvision.config import schema
from csvision.config.serialize import diff_configs
from csvision.errors import RunError
from csvision.models.user_code import user_code
from csvision.run import provenance
from csvision.run.code_paths import CodePaths, OtherCode, with_code_paths
from csvision.run.directory import RunDirectory
from csvision.run.extend import extend_config, record_extension
from csvision.run.log import log, log_to_console
from csvision.run.prepare import PreparedRun, prepare_run
from csvision.run.run_data import load_run_splits
from csvision.run.train import TrainResult, train


def resume_run(
    run_dir: RunDirectory,
    model_path: str | None = None,
    epochs: int | None = None,
    **code: Unpack[OtherCode],
) -> TrainResult:
    """Resume an interrupted run; with `epochs`, train it until it has that many.

    A run with code of the user's own needs its paths. Raises RunError if the run cannot be resumed
    or extended, or its data have changed.
    """
    config = without_source(run_dir, resume_config(run_dir, CodePaths.of(model_path, **code)))
    if epochs is not None:
        config = extend_config(run_dir, config, epochs)
    with log_to_console(config.quiet):
        warn_if_code_changed(run_dir, config)
        prepared = prepare_again(run_dir, config)
        if epochs is not None:
            record_extension(run_dir, config)
        return train(prepared, run_dir.path, resume=True)


def resume_config(run_dir: RunDirectory, paths: CodePaths) -> schema.TrainConfig:
    """Return the configuration of a run, with the accelerator and number of threads it used.

    A run with code of the user's own needs its `paths`. Raises RunError if something is damaged or
    missing, and ConfigError if the code does not exist.
    """
    paths.check_files()
    config = with_code_paths(run_dir.read_config(), run_dir, paths)
    manifest = run_dir.read_manifest()
    accelerator = config.accelerator
    if kind := manifest.get("accelerator"):
        names = {"cuda": schema.AcceleratorName.gpu, "mps": schema.AcceleratorName.mps}
        accelerator = replace(accelerator, name=names.get(kind, schema.AcceleratorName.cpu))
    if threads := recorded_threads(run_dir):
        accelerator = replace(accelerator, num_threads=threads)
    return replace(config, accelerator=accelerator)


def without_source(run_dir: RunDirectory, config: schema.TrainConfig) -> schema.TrainConfig:
    """Return the configuration without `init_from` if the run has weights of its own already."""
    started = run_dir.last.exists() or run_dir.previous.exists()
    return replace(config, init_from=None) if started else config


def recorded_threads(run_dir: RunDirectory) -> int | None:
    """Return the number of threads that a run used; None if training did not start."""
    threads: int | None = run_dir.read_manifest().get("threads")
    return threads


def prepare_again(run_dir: RunDirectory, config: schema.TrainConfig) -> PreparedRun:
    """Prepare a run with the rows that it has used; raises RunError if its data have changed."""
    # Without this entry, the training has not started.
    if run_dir.read_manifest().get("data") is None:
        if run_dir.last.exists():
            raise RunError(f"{run_dir.manifest} is damaged: the entry data is missing")
        return prepare_run(config, directory=run_dir.path)
    return prepare_run(config, load_run_splits(run_dir, config), run_dir.path)


def warn_if_code_changed(run_dir: RunDirectory, config: schema.TrainConfig) -> None:
    """Warn if code or versions differ from those of the run: the result may differ, too."""
    manifest = run_dir.read_manifest()
    for name, current in (
        ("code", provenance.code_hashes(*user_code(config))),
        ("versions", provenance.package_versions()),
    ):
        for change in diff_configs(manifest.get(name, current), current):
            log.warning("%s: %s", name, provenance.abbreviate_hashes(str(change)))

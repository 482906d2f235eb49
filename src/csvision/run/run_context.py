"""What surrounds a training: its run directory, lock, log and recorded state."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from csvision.command_hints import resume_command
from csvision.config import schema
from csvision.config.serialize import config_to_dict
from csvision.files import iso_time
from csvision.models.user_code import refuse_exit, user_code
from csvision.run.code_paths import code_arguments
from csvision.run.directory import RunDirectory, custom_model_path, with_absolute_paths
from csvision.run.log import disable_log, log, log_to_file
from csvision.run.sweep_folder import is_sweep
from csvision.run.system_errors import translate_system_errors
from csvision.signals import RunInterrupted


@contextmanager
def run_context(
    run_dir: RunDirectory,
    config: schema.TrainConfig,
    overrides: Sequence[str],
    resume: bool,
    is_global_zero: bool,
) -> Iterator[None]:
    """Create or reopen the run directory, lock it, and keep its log and state.

    In distributed runs, only rank 0 writes to the directory; the other ranks log nothing.
    """
    if not is_global_zero:
        with disable_log():
            yield
        return
    if resume:
        RunDirectory.reopen(run_dir.path)
    else:
        RunDirectory.create(run_dir.path, config, overrides)
    try:
        with (
            run_dir.lock(),
            log_to_file(run_dir.log),
            translate_system_errors(run_dir, config.batch_size, *user_code(config)),
            run_dir.record_state(),
            refuse_exit(*user_code(config)),
        ):
            if resume:
                record_resumption(run_dir)
            yield
    except RunInterrupted:
        if not is_sweep(run_dir.path.parent):
            log.warning(
                "interrupted; to resume: %s",
                resume_command(run_dir.path, custom_model_path(config), code_arguments(config)),
            )
        raise


def record_resumption(run_dir: RunDirectory) -> None:
    """Record in run.json that the run is running again."""
    content = run_dir.read_manifest()
    content.pop("reason", None)
    times = [*content.get("resumed", []), iso_time()]
    run_dir.write_manifest(content | {"state": "running", "resumed": times})


def config_for_checkpoints(
    run_dir: RunDirectory, config: schema.TrainConfig, resume: bool
) -> dict[str, Any]:
    """Return the configuration as in run.json, to be stored in checkpoints."""
    if resume:
        return dict(run_dir.read_manifest()["config"])
    return config_to_dict(with_absolute_paths(config))

"""What surrounds a training: its run directory, lock, log and recorded state."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from csvision.config import schema
from csvision.config.serialize import config_to_dict
from csvision.files import iso_time
from csvision.models.user_code import refuse_exit, user_code
from csvision.run.directory import RunDirectory, with_absolute_paths
from csvision.run.log import disable_log, log_to_file
from csvision.run.resume_hint import report_interruption
from csvision.run.system_errors import translate_system_errors


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
    with (
        report_interruption(run_dir, config),
        run_dir.lock(),
        log_to_file(run_dir.log),
        translate_system_errors(run_dir, config.batch_size, *user_code(config)),
        run_dir.record_state(),
        refuse_exit(*user_code(config)),
    ):
        if resume:
            record_resumption(run_dir)
        yield


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

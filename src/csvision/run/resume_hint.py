"""Say how to resume a run that a signal ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from csvision.command_hints import resume_command
from csvision.config.baseline_schema import RunConfig
from csvision.run.code_paths import paths_of
from csvision.run.directory import RunDirectory
from csvision.run.log import log
from csvision.signals import RunInterrupted

PART_OF_SWEEP: ContextVar[bool] = ContextVar("PART_OF_SWEEP", default=False)


@contextmanager
def part_of_sweep() -> Iterator[None]:
    """Leave the hint to the sweep or the search whose job runs inside: it resumes all jobs.

    A job that is resumed alone, by its own directory, has its own hint.
    """
    token = PART_OF_SWEEP.set(True)
    try:
        yield
    finally:
        PART_OF_SWEEP.reset(token)


@contextmanager
def report_interruption(run_dir: RunDirectory, config: RunConfig) -> Iterator[None]:
    """Print how to resume the run in `run_dir` if a signal ends it, and note that it is printed."""
    try:
        yield
    except RunInterrupted as interrupted:
        if not PART_OF_SWEEP.get():
            command = resume_command(run_dir.path, paths_of(config).words())
            log.warning("interrupted; to resume: %s", command)
            interrupted.reported = True
        raise

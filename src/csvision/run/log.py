"""Log messages: on the console, and all of them in train.log."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tqdm import tqdm

from csvision.errors import PrunedError

log = logging.getLogger("csvision")
"""The logger of everything that the user of a run wants to see."""

LIGHTNING = tuple(map(logging.getLogger, ("lightning.pytorch", "lightning.fabric")))

KNOWN_WARNINGS = (
    # Lightning 2.6 with torch 2.13; users cannot change it.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    # torch 2.13; older supported releases do not know the new name.
    r"`broadcast_buffers` is deprecated",
    # SummaryWriter.add_graph of torch 2.13, which has no alternative.
    r"`torch\.jit\.trace(_method)?` is deprecated",
    # No callback of csvision uses the number of the batch, and gradients are not accumulated.
    r"You are using the `dataloader_iter` step flavor",
    r"Found `dataloader_iter` argument in the `training_step`",
    # Frozen batch normalization stays in this mode.
    r"Found \d+ module\(s\) in eval mode at the start of training",
    # On a machine with Slurm; launcher=slurm and csvision's own checks say where srun is needed.
    r"The `srun` command is available on your system but is not used",
    # accelerator=cpu is an explicit choice.
    r"GPU available but not used\.",
    # captum imports the notebook bar of tqdm, which it does not use.
    r"IProgress not found",
)


class ConsoleHandler(logging.Handler):
    """Prints messages above the progress bar; a console that cannot be written ends no run."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        # Python sets sys.stdout to None in a process without one; a closed file is a ValueError.
        if sys.stdout is not None:
            with suppress(OSError, ValueError):
                tqdm.write(self.format(record), file=sys.stdout)


def is_terminal() -> bool:
    """Return whether messages are printed on a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


class BestEffortFileHandler(logging.FileHandler):
    """A log file whose errors are ignored: writing a required file will report a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (name in logging)
        """Ignore the error."""

    def close(self) -> None:
        """Close the file even if its last lines cannot be written."""
        with suppress(OSError):
            super().close()


@contextmanager
def log_to_console(quiet: bool = False) -> Iterator[None]:
    """Print log messages; with `quiet`, only warnings and errors.

    An inner call replaces an outer one until it ends, so that no message is printed twice.
    """
    handler = ConsoleHandler(logging.WARNING if quiet else logging.INFO)
    with ExitStack() as stack:
        for outer in [other for other in log.handlers if isinstance(other, ConsoleHandler)]:
            log.removeHandler(outer)
            stack.callback(log.addHandler, outer)
        stack.enter_context(attach_handler(handler, log))
        for logger in LIGHTNING:
            stack.enter_context(attach_handler(logging.NullHandler(), logger, logging.WARNING))
        stack.enter_context(ignore_known_warnings())
        yield


@contextmanager
def log_to_file(path: Path) -> Iterator[None]:
    """Write the messages of csvision and Lightning, and a final traceback, to a file."""
    handler = BestEffortFileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    with ExitStack() as stack:
        stack.enter_context(attach_handler(handler, log))
        for logger in LIGHTNING:
            stack.enter_context(attach_handler(handler, logger, logging.WARNING))
        stack.enter_context(ignore_known_warnings())
        try:
            yield
        except PrunedError:
            raise
        except BaseException:
            handler.emit(
                log.makeRecord(
                    log.name, logging.ERROR, __file__, 0, "the run ended", (), sys.exc_info()
                )
            )
            raise
        finally:
            handler.close()


@contextmanager
def disable_log() -> Iterator[None]:
    """Log nothing; for all processes of a distributed run except rank 0."""
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


@contextmanager
def ignore_known_warnings() -> Iterator[None]:
    """Suppress known warnings from dependencies."""
    with warnings.catch_warnings():
        for message in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message)
        yield


@contextmanager
def attach_handler(
    handler: logging.Handler, logger: logging.Logger, level: int = logging.INFO
) -> Iterator[None]:
    """Add a handler and set the level of a logger; restore both afterwards."""
    before, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        logger.propagate = propagate

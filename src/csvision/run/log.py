"""What a run says: on the console, and all of it in train.log."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tqdm import tqdm

log = logging.getLogger("csvision")
"""Says what the user of a run wants to see."""

LIGHTNING = tuple(map(logging.getLogger, ("lightning.pytorch", "lightning.fabric")))

KNOWN_WARNINGS = (
    # Lightning 2.6 with torch 2.13; nothing that a user could change.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    # torch 2.13; its new name is unknown to the older releases that csvision runs with.
    r"`broadcast_buffers` is deprecated",
    # SummaryWriter.add_graph of torch 2.13, which knows no other way to a graph.
    r"`torch\.jit\.trace(_method)?` is deprecated",
    # Whoever writes accelerator=cpu knows.
    r"GPU available but not used\.",
)


class ConsoleHandler(logging.Handler):
    """Prints lines above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        tqdm.write(self.format(record), file=sys.stdout)


class LogFile(logging.FileHandler):
    """A file that may be lost: a full disk is told by what cannot do without it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Keep quiet."""

    def close(self) -> None:
        """Close the file even if its last lines cannot be written."""
        with suppress(OSError):
            super().close()


@contextmanager
def console(quiet: bool = False) -> Iterator[None]:
    """Print what the run says; with `quiet` only its last line and what went wrong."""
    handler = ConsoleHandler(logging.WARNING if quiet else logging.INFO)
    with ExitStack() as stack:
        stack.enter_context(attached(handler, log))
        for logger in LIGHTNING:
            stack.enter_context(attached(logging.NullHandler(), logger, logging.WARNING))
        stack.enter_context(known_warnings_ignored())
        yield


@contextmanager
def file(path: Path) -> Iterator[None]:
    """Write what the run and Lightning say, and a traceback if it ends in one, to a file."""
    handler = LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    with ExitStack() as stack:
        stack.enter_context(attached(handler, log))
        for logger in LIGHTNING:
            stack.enter_context(attached(handler, logger, logging.WARNING))
        stack.enter_context(known_warnings_ignored())
        try:
            yield
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
def known_warnings_ignored() -> Iterator[None]:
    """Keep quiet about what third parties will mend."""
    with warnings.catch_warnings():
        for message in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message)
        yield


@contextmanager
def attached(
    handler: logging.Handler, logger: logging.Logger, level: int = logging.INFO
) -> Iterator[None]:
    """Give a logger one more handler and another level, and take both away again."""
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

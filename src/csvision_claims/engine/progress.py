"""The progress of jobs: tqdm's bar on a terminal, tqdm's numbers in log lines elsewhere."""

import sys
from typing import Any

from tqdm import tqdm

from csvision_claims.engine.log import log

LOG_INTERVAL = 30.0
"""Seconds between two log lines where there is no terminal."""


class LogStream:
    """A text stream that logs each line written to it."""

    def write(self, text: str) -> None:
        """Log a line; ignore the control characters that move a bar."""
        if line := text.strip():
            log.info(line)

    def flush(self) -> None:
        """Do nothing: log records are not buffered."""


def progress_bar(claim: str, jobs: int) -> "tqdm[Any]":
    """Return a progress bar for the jobs of a claim, to be used as a context manager."""
    if sys.stderr.isatty():
        return tqdm(total=jobs, desc=claim, unit="job", leave=False)
    return tqdm(
        total=jobs,
        desc=claim,
        leave=False,
        file=LogStream(),
        bar_format="{desc}: {n_fmt} of {total_fmt} jobs, {remaining} left",
        delay=LOG_INTERVAL,
        mininterval=LOG_INTERVAL,
        miniters=1,
    )

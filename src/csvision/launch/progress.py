"""The progress of a sweep on the console: one line per job as it ends, and a bar on a terminal."""

import time

from tqdm import tqdm

from csvision.command_hints import display_path
from csvision.launch.job import JobOutcome
from csvision.run.log import is_terminal, log
from csvision.run.sweep_jobs import SweepJob


class SweepProgress:
    """Reports jobs as they end; `total` is their number, `quiet` leaves out what went well."""

    def __init__(self, total: int, quiet: bool) -> None:
        self.total = total
        self.ended = 0
        self.failed = 0
        self.start = time.monotonic()
        self.bar = tqdm(
            total=total, desc="sweep", unit="job", disable=quiet or not is_terminal(), leave=False
        )

    def report_end(self, outcome: JobOutcome, job: SweepJob) -> None:
        """Print one line for a job that has ended."""
        self.ended += 1
        self.bar.update()
        line = f"[{self.ended}/{self.total}] job {outcome.number} {describe(outcome)}"
        if outcome.state == "finished":
            log.info("%s%s: %s", line, self.time_left(), " ".join(job.overrides))
            return
        self.failed += 1
        self.bar.set_postfix(failed=self.failed)
        log.error(
            "%s%s: %s; %s",
            line,
            self.time_left(),
            " ".join(job.overrides),
            display_path(job.directory),
        )

    def report_retry(self, outcome: JobOutcome, attempt: int, retries: int) -> None:
        """Print one line for a job that will be resumed."""
        log.warning(
            "job %d %s; retry %d of %d", outcome.number, describe(outcome), attempt, retries
        )

    def time_left(self) -> str:
        """Return how long the remaining jobs will take if they are like the others."""
        remaining = self.total - self.ended
        if not remaining:
            return ""
        seconds = (time.monotonic() - self.start) / self.ended * remaining
        return f", {format_seconds(seconds)} left"

    def close(self) -> None:
        """Remove the bar."""
        self.bar.close()


def describe(outcome: JobOutcome) -> str:
    """Say how a job has ended."""
    text = f"{outcome.state} in {format_seconds(outcome.seconds)}"
    if outcome.value is not None:
        text += f", {outcome.metric} {outcome.value:.4f}"
    return f"{text}: {outcome.reason}" if outcome.reason else text


def format_seconds(seconds: float) -> str:
    """Return a time in two units at most: 12 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"

"""How far the claims are: a bar on a terminal, plain lines elsewhere, with the time left."""

import sys
import time
from collections.abc import Mapping

from tqdm import tqdm

from csvision.claims.rules import Decision
from csvision.run.log import log

SILENCE = 30.0
"""The most seconds without a line where there is no bar."""


TRUSTED = 10.0
"""Minutes of claims after which the pace so far counts as much as what was expected."""


class Progress:
    """Tells of claims as they are decided; the time left follows the pace of those before.

    `minutes` is what each claim takes of one processor, roughly.
    """

    def __init__(self, minutes: Mapping[str, float], processes: int) -> None:
        self.minutes = dict(minutes)
        self.processes = processes
        self.spent = 0.0
        self.measured = 0.0
        self.claim: str | None = None
        self.told = time.perf_counter()

    def begin(self, claim: str) -> None:
        """A claim is next."""
        self.claim = claim
        self.start = time.perf_counter()
        self.asked = self.missing = 0

    def begin_jobs(self, missing: int, asked: int) -> None:
        """So many jobs of the claim are to be done, of those that it asks for; others are kept."""
        self.missing += missing
        self.asked += asked
        self.bar = tqdm(
            total=missing,
            desc=f"{self.claim}, {self.left()}",
            leave=False,
            unit="job",
            disable=not sys.stderr.isatty(),
        )
        self.done, self.count = 0, missing

    def end_job(self) -> None:
        """One of them is done."""
        self.done += 1
        self.bar.update()
        if self.done == self.count:
            self.bar.close()
        elif self.bar.disable and time.perf_counter() - self.told > SILENCE:
            self.told = time.perf_counter()
            log.info("%s: %d of %d jobs, %s", self.claim, self.done, self.count, self.left())

    def end(self, decisions: dict[str, Decision]) -> None:
        """The claim is decided."""
        assert self.claim
        seconds = time.perf_counter() - self.start
        measured = self.share * self.minutes.pop(self.claim)
        self.claim = None
        if measured:
            self.spent += seconds
            self.measured += measured
        verdicts = ", ".join(f"{name} {found.verdict}" for name, found in decisions.items())
        log.info("%s  (%.0f s, %s)", verdicts, seconds, self.left())

    @property
    def share(self) -> float:
        """The part of the claim, by the jobs it asked for so far, that an earlier run left over."""
        return self.missing / self.asked if self.asked else 0.0

    def left(self) -> str:
        """The time that the claims not yet decided will take, at the pace so far."""
        expected = 60 / self.processes
        pace = (self.spent + TRUSTED * expected) / (self.measured + TRUSTED)
        seconds = pace * sum(self.minutes.values())
        if self.claim:
            minutes = self.minutes[self.claim]
            elapsed = time.perf_counter() - self.start
            seconds += max(pace * self.share * minutes - elapsed, 0) - pace * minutes
        return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"

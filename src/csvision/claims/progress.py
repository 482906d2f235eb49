"""How far the claims are: a bar on a terminal, plain lines elsewhere, with the time left."""

import sys
import time
from collections.abc import Sequence
from typing import Never

from tqdm import tqdm

from csvision.claims.claim import Claim
from csvision.claims.rules import Decision
from csvision.run.log import log


class Progress:
    """Tells of claims as they are decided; the time left follows the pace of those before."""

    def __init__(self, claims: Sequence[Claim], processes: int) -> None:
        self.minutes = {claim.id: claim.minutes for claim in claims}
        self.processes = processes
        self.spent = 0.0
        self.measured = 0.0
        self.ran = 0
        self.bar: tqdm[Never] | None = None

    def begin(self, claim: Claim) -> None:
        """A claim is next."""
        self.claim = claim
        self.start = time.perf_counter()
        self.ran = 0

    def begin_jobs(self, count: int) -> None:
        """So many jobs of the claim are to be done."""
        self.ran += count
        if count and sys.stderr.isatty():
            description = f"{self.claim.id}, {self.left()}"
            self.bar = tqdm(total=count, desc=description, leave=False, unit="job")

    def end_job(self) -> None:
        """One of them is done."""
        if self.bar is not None:
            self.bar.update()
            if self.bar.n == self.bar.total:
                self.bar.close()
                self.bar = None

    def end(self, decisions: dict[str, Decision]) -> None:
        """The claim is decided."""
        seconds = time.perf_counter() - self.start
        minutes = self.minutes.pop(self.claim.id)
        if self.ran:
            self.spent += seconds
            self.measured += minutes
        verdicts = ", ".join(f"{name} {found.verdict}" for name, found in decisions.items())
        log.info("%s  (%.0f s, %s)", verdicts, seconds, self.left())

    def left(self) -> str:
        """The time that the claims not yet decided will take, at the pace so far."""
        pace = self.spent / self.measured if self.measured else 60 / self.processes
        seconds = pace * sum(self.minutes.values())
        return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"

"""What all launchers have in common."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from csvision.command_hints import resume_command
from csvision.launch.job import JobOutcome
from csvision.run.code_paths import CodePaths
from csvision.run.sweep_jobs import SweepJob


@dataclass(frozen=True)
class Sweep:
    """The folder of a sweep, jobs of it by their numbers, and the code that resuming it needs."""

    folder: Path
    jobs: Mapping[int, SweepJob]
    code: CodePaths

    @property
    def resume_command(self) -> str:
        """The command that resumes the sweep."""
        return resume_command(self.folder, self.code.words())


class Executor(Protocol):
    """Runs jobs of a sweep, which are given by their numbers."""

    parallel: int
    """How many jobs run at the same time."""

    def submit(self, number: int) -> None:
        """Queue a job."""

    def results(self) -> Iterator[JobOutcome]:
        """Yield the outcome of each job as it ends, until none is left.

        Jobs may be submitted meanwhile.
        """

    def stop(self) -> None:
        """Start no further job and interrupt the running ones."""

    def close(self) -> None:
        """End what is still running."""

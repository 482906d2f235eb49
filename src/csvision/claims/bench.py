"""Where claims are measured: jobs on several processes, each result kept, learning rates chosen."""

import os
import signal
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from csvision.claims.arms import Arm, jobs_of, rate_choices
from csvision.claims.jobs import Done, Job, Store, perform
from csvision.claims.profile import Profile
from csvision.claims.progress import Progress
from csvision.claims.training import Look, Scores
from csvision.run.directory import now

TRACKER = "ignore:resource_tracker"
"""A filter for warnings that begin with this word."""


class Bench:
    """Runs jobs, at most `processes` at once with one thread each.

    `seconds` is the time of one processor that the results since the last `reset` took, `date`
    when the last of them was computed, now or by an earlier run.
    """

    def __init__(self, profile: Profile, store: Store, processes: int, progress: Progress) -> None:
        self.profile = profile
        self.store = store
        self.processes = processes
        self.progress = progress
        self.reset()

    def reset(self) -> None:
        """Begin another claim."""
        self.seconds = 0.0
        self.dates: list[str] = []

    @property
    def date(self) -> str:
        """When the last result was computed; now, without any."""
        return max(self.dates, default=now())

    def run(self, jobs: Sequence[Job], alone: bool = False) -> list[Any]:
        """The results of jobs, in their order; `alone` one after the other, for timings."""
        by_key = {job.key: job for job in jobs}
        done = {key: kept for key, job in by_key.items() if (kept := self.store.get(job))}
        missing = [job for key, job in by_key.items() if key not in done]
        self.progress.begin_jobs(len(missing), len(by_key))
        for job, result in self.finished(missing, 1 if alone else self.processes):
            self.store.put(job, result)
            done[job.key] = result
            self.progress.end_job()
        self.seconds += sum(result.seconds for result in done.values())
        self.dates += [result.date for result in done.values()]
        return [done[job.key].result for job in jobs]

    def finished(self, jobs: Sequence[Job], at_once: int) -> Iterable[tuple[Job, Done]]:
        """Jobs with their results as they come.

        joblib's processes do not execute the caller's script again, as multiprocessing's would.
        """
        ignore_tracker()
        parallel = Parallel(
            n_jobs=at_once, batch_size=1, pre_dispatch="n_jobs", return_as="generator_unordered"
        )
        try:
            yield from parallel(delayed(performed)(job, os.getpid()) for job in jobs)
        except KeyboardInterrupt:
            # Ended in order, the processes leave no warnings of what they held behind.
            get_reusable_executor().shutdown(kill_workers=True)
            raise

    def tuned(self, arms: Sequence[Arm], tuning: Sequence[str] | None = None) -> list[Arm]:
        """The arms with the learning rate that did best on validation rows, arm by arm.

        Among equals it is the lowest, which fewer seeds fail with. `tuning` says on which data
        instead of the profile's; test rows have no say.
        """
        data = self.profile.tuning if tuning is None else tuning
        choices = [
            [choice.but(*data) for choice in rate_choices(arm, self.profile.rates)] for arm in arms
        ]
        everything = [choice for group in choices for choice in group]
        scores = iter(self.seeded(everything, self.profile.tuning_seeds))
        chosen = []
        for arm, group in zip(arms, choices, strict=True):
            means = [fmean(run["val/acc"] for run in next(scores)) for _ in group]
            best = self.profile.rates[means.index(max(means))]
            chosen.append(arm.but(f"optimizer.lr={best:g}"))
        return chosen

    def train(
        self,
        arms: Sequence[Arm],
        look: Look | None = None,
        data: Sequence[str] | None = None,
    ) -> dict[str, list[Scores]]:
        """Train arms under the same seeds: for each arm's name, what each seed's run came to."""
        chosen = self.profile.data if data is None else data
        runs = self.seeded([arm.but(*chosen) for arm in arms], self.profile.seeds, look)
        return dict(zip((arm.name for arm in arms), runs, strict=True))

    def seeded(
        self, arms: Sequence[Arm], seeds: Sequence[int], look: Look | None = None
    ) -> list[list[Scores]]:
        """The runs of each arm, seed by seed."""
        jobs = [job for arm in arms for job in jobs_of(arm, seeds, look)]
        results = self.run(jobs)
        return [results[start : start + len(seeds)] for start in range(0, len(jobs), len(seeds))]

    def complete(self, arms: Sequence[Arm], data: Sequence[str] | None = None) -> list[Arm]:
        """The arms as they can be typed, with the data that they were trained on."""
        return [arm.but(*(self.profile.data if data is None else data)) for arm in arms]


def performed(job: Job, owner: int) -> tuple[Job, Done]:
    """A job with its result; a process of its own leaves Ctrl-C to the owner, which ends it."""
    if os.getpid() != owner:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return job, perform(job)


def ignore_tracker() -> None:
    """Keep Python's tracker of semaphores quiet about those that an interrupt left to it.

    It removes them itself; being a process of its own, it knows warning filters from there alone.
    """
    known = os.environ.get("PYTHONWARNINGS", "")
    if TRACKER not in known:
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (known, TRACKER)))

"""Run the jobs of claims in several processes, cache their results, choose learning rates."""

import os
import signal
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor, process_executor

from csvision_claims.engine.arms import Arm, expand_lr_grid, training_jobs
from csvision_claims.engine.jobs import Job, JobCache, JobResult, iso_time, run_job
from csvision_claims.engine.profile import Profile
from csvision_claims.engine.progress import progress_bar
from csvision_claims.engine.training import Metrics, Probe

RESOURCE_TRACKER_FILTER = "ignore:resource_tracker"
"""A warning filter for messages that start with this word."""


class Runner:
    """Runs jobs in at most `num_workers` processes of one thread each.

    `seconds` is the processor time of the results since the last `start`; `date` is when the
    last of them was computed, in this run or an earlier one.
    """

    def __init__(self, profile: Profile, cache: JobCache, num_workers: int) -> None:
        self.profile = profile
        self.cache = cache
        self.num_workers = num_workers

    def start(self, claim: str, version: int) -> None:
        """Start one version of a claim; the keys of its cached results contain both."""
        self.claim = claim
        self.version = version
        self.seconds = 0.0
        self.dates: list[str] = []

    @property
    def date(self) -> str:
        """When the last result was computed; the current time if there are no results."""
        return max(self.dates, default=iso_time())

    def run(self, jobs: Sequence[Job], sequential: bool = False) -> list[Any]:
        """Return the results of jobs in their order; `sequential` runs one at a time, to time it.

        Only jobs without a cached result are executed.
        """
        keys = [job.key(self.claim, self.version) for job in jobs]
        by_key = dict(zip(keys, jobs, strict=True))
        results = {key: cached for key in by_key if (cached := self.cache.get(key))}
        pending = {key: job for key, job in by_key.items() if key not in results}
        if pending:
            with progress_bar(self.claim, len(pending)) as bar:
                for key, result in self.execute(pending, 1 if sequential else self.num_workers):
                    self.cache.put(key, result)
                    results[key] = result
                    bar.update()
        self.seconds += sum(result.seconds for result in results.values())
        self.dates += [result.date for result in results.values()]
        return [results[key].result for key in keys]

    def execute(self, jobs: dict[str, Job], num_workers: int) -> Iterable[tuple[str, JobResult]]:
        """Yield the key and the result of each job when it ends.

        Unlike multiprocessing, joblib does not import the caller's script in its processes.
        """
        ignore_resource_tracker()
        parallel = Parallel(
            n_jobs=num_workers, batch_size=1, pre_dispatch="n_jobs", return_as="generator_unordered"
        )
        try:
            yield from parallel(
                delayed(execute_job)(key, job, os.getpid()) for key, job in jobs.items()
            )
        except KeyboardInterrupt:
            # An orderly shutdown avoids warnings about leaked resources.
            get_reusable_executor().shutdown(kill_workers=True)
            raise

    def tune_lr(self, arms: Sequence[Arm], data: Sequence[str] | None = None) -> list[Arm]:
        """Return the arms, each with the learning rate of the best mean validation accuracy.

        Ties go to the lowest rate, which diverges least. `data` replaces the profile's
        `tuning_data`; test rows are never used.
        """
        tuning_data = self.profile.tuning_data if data is None else data
        lr_grid = self.profile.lr_grid
        grids = [
            [candidate.override(*tuning_data) for candidate in expand_lr_grid(arm, lr_grid)]
            for arm in arms
        ]
        candidates = [candidate for grid in grids for candidate in grid]
        scores = iter(self.run_seeds(candidates, self.profile.tuning_seeds))
        tuned = []
        for arm, grid in zip(arms, grids, strict=True):
            means = [fmean(run["val/acc"] for run in next(scores)) for _ in grid]
            tuned.append(arm.override(f"optimizer.lr={lr_grid[means.index(max(means))]:g}"))
        return tuned

    def train(
        self,
        arms: Sequence[Arm],
        probe: Probe | None = None,
        data: Sequence[str] | None = None,
    ) -> dict[str, list[Metrics]]:
        """Train arms with the same seeds and return the metrics of each seed by arm name."""
        runs = self.run_seeds(self.with_data(arms, data), self.profile.seeds, probe)
        return dict(zip((arm.name for arm in arms), runs, strict=True))

    def run_seeds(
        self, arms: Sequence[Arm], seeds: Sequence[int], probe: Probe | None = None
    ) -> list[list[Metrics]]:
        """Return the metrics of each arm, seed by seed."""
        jobs = [job for arm in arms for job in training_jobs(arm, seeds, probe)]
        results = self.run(jobs)
        return [results[start : start + len(seeds)] for start in range(0, len(jobs), len(seeds))]

    def with_data(self, arms: Sequence[Arm], data: Sequence[str] | None = None) -> list[Arm]:
        """Return the arms with the overrides of the data that they are trained on."""
        return [arm.override(*(self.profile.data if data is None else data)) for arm in arms]


def execute_job(key: str, job: Job, owner: int) -> tuple[str, JobResult]:
    """Return a job's key and result; a worker process leaves Ctrl-C to `owner`, which stops it."""
    if os.getpid() != owner:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        keep_worker()
    return key, run_job(job)


def keep_worker() -> None:
    """Let joblib keep this worker process although it grows by more than 300 MB.

    Importing torch alone takes that much. Where psutil is installed, joblib would take it for a
    leak, warn, and start a new worker again and again; it has no public option against this.
    """
    process_executor._USE_PSUTIL = False


def ignore_resource_tracker() -> None:
    """Suppress warnings of Python's resource tracker about semaphores after an interrupt.

    The tracker removes them. It is a separate process and gets warning filters from this
    environment variable only.
    """
    filters = os.environ.get("PYTHONWARNINGS", "")
    if RESOURCE_TRACKER_FILTER not in filters:
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (filters, RESOURCE_TRACKER_FILTER)))

"""Run the jobs of a sweep as arrays of Slurm jobs, which submitit submits.

Results are read from the run directories: what a job returns is lost when it reaches its time
limit. Before that, Slurm sends SIGUSR1: the job saves a checkpoint, and Slurm queues it again.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

from csvision.config import launcher_schema
from csvision.errors import RunError
from csvision.launch.executor import Sweep
from csvision.launch.job import JobOutcome, read_outcome, record_end, record_error, run_job
from csvision.launch.prepared_runs import PREPARED_RUNS
from csvision.run.directory import RunDirectory
from csvision.run.log import log
from csvision.run.sweep_jobs import SweepJob
from csvision.signals import handle_signals

POLL_SECONDS = 2.0

ABSENT_POLLS = 2
"""So many times, a job must be absent from the queue: a shared file system needs a moment."""

FOLDER = "slurm"
"""The folder inside a sweep with the scripts and the output of the Slurm jobs."""


class SlurmExecutor:
    """Runs jobs on a cluster; `parallel` is the largest number at the same time."""

    def __init__(self, sweep: Sweep, launcher: launcher_schema.SlurmLauncherConfig) -> None:
        self.sweep = sweep
        self.launcher = launcher
        self.parallel = launcher.max_parallel
        self.waiting: list[int] = []
        self.ids: dict[str, int] = {}
        self.started: dict[str, float] = {}
        self.absent: dict[str, int] = {}
        self.stopping = self.cancelled = False
        self.warned = False

    def submit(self, number: int) -> None:
        """Queue a job; all that were queued are submitted together as an array."""
        self.waiting.append(number)

    def results(self) -> Iterator[JobOutcome]:
        """Yield the outcome of each job as it ends."""
        while self.waiting or self.ids:
            self.submit_waiting()
            if self.stopping:
                self.cancel()
                self.stopping = False
            for job_id in self.ended_ids():
                number = self.ids.pop(job_id)
                if self.cancelled and not self.sweep.jobs[number].started:
                    continue
                yield self.read_end(number, job_id)
            if self.ids:
                time.sleep(POLL_SECONDS)

    def submit_waiting(self) -> None:
        """Submit the jobs that wait; raises RunError if Slurm refuses them."""
        numbers, self.waiting = self.waiting, []
        if not numbers:
            return
        ids = submit_array(self.sweep, numbers, self.launcher)
        self.ids |= dict(zip(ids, numbers, strict=True))
        self.started |= dict.fromkeys(ids, time.monotonic())
        log.info("%d jobs were submitted to Slurm: %s", len(ids), ids[0].partition("_")[0])

    def ended_ids(self) -> list[str]:
        """Return the Slurm jobs that have ended since the last call."""
        try:
            queued = read_queue()
        except (OSError, subprocess.SubprocessError) as error:
            if not self.warned:
                log.warning("squeue failed (%s); the state of the jobs is not known now", error)
            self.warned = True
            return []
        for job_id in self.ids:
            self.absent[job_id] = 0 if job_id in queued else self.absent.get(job_id, 0) + 1
        return [job_id for job_id in self.ids if self.absent[job_id] >= ABSENT_POLLS]

    def read_end(self, number: int, job_id: str) -> JobOutcome:
        """Return the outcome of a job; one that could not record its end has failed."""
        job = self.sweep.jobs[number]
        seconds = time.monotonic() - self.started[job_id]
        run_dir = RunDirectory(job.directory)
        if not run_dir.manifest.exists() or is_running(run_dir):
            output = self.sweep.folder / FOLDER / f"{job_id}_0_log.err"
            record_end(job, "failed", f"its Slurm job {job_id} ended early; see {output}")
        return read_outcome(number, job, seconds)

    def cancel(self) -> None:
        """Cancel the jobs in Slurm: those that run save checkpoints."""
        self.waiting.clear()
        self.cancelled = True
        subprocess.run(["scancel", *self.ids], check=False, capture_output=True)

    def stop(self) -> None:
        """Cancel the jobs at the next poll; may be called by a signal handler."""
        self.stopping = True

    def close(self) -> None:
        """Cancel the jobs that are left when the sweep ends by an error or a second signal."""
        if self.ids:
            self.cancel()


def is_running(run_dir: RunDirectory) -> bool:
    """Return whether run.json says that the job runs."""
    try:
        return bool(run_dir.read_manifest()["state"] == "running")
    except RunError:
        return False


def submit_array(
    sweep: Sweep, numbers: Sequence[int], launcher: launcher_schema.SlurmLauncherConfig
) -> list[str]:
    """Submit jobs as one array; return their IDs. Raises RunError if Slurm refuses them."""
    import submitit

    executor = submitit.SlurmExecutor(sweep.folder / FOLDER)
    executor.update_parameters(**slurm_parameters(launcher))
    jobs = [sweep.jobs[number] for number in numbers]
    try:
        submitted = executor.map_array(run_in_slurm, jobs)
    except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
        reason = " ".join(str(error).split())
        raise RunError(f"launcher=slurm: sbatch refused the jobs: {reason}") from error
    return [job.job_id for job in submitted]


def slurm_parameters(launcher: launcher_schema.SlurmLauncherConfig) -> dict[str, Any]:
    """Return the parameters of submitit; without a time limit, that of the partition holds."""
    more: dict[str, Any] = {"signal": f"USR1@{launcher.signal_seconds}", "requeue": True}
    parameters: dict[str, Any] = {
        "job_name": "csvision",
        "cpus_per_task": launcher.cpus_per_job,
        "array_parallelism": launcher.max_parallel,
        "additional_parameters": more | dict(launcher.sbatch),
    }
    if launcher.time_limit_minutes is not None:
        parameters["time"] = ceil(launcher.time_limit_minutes)
    if launcher.partition is not None:
        parameters["partition"] = launcher.partition
    if launcher.gpus_per_job:
        parameters["gpus_per_node"] = launcher.gpus_per_job
    if launcher.memory_gb is not None:
        parameters["mem"] = f"{round(launcher.memory_gb * 1024)}M"
    return parameters


def read_queue() -> set[str]:
    """Return the IDs of the user's jobs in the queue; raises OSError or SubprocessError."""
    command = ["squeue", "--noheader", "--array", "--me", "--format=%i"]
    return {*subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()}


def run_in_slurm(job: SweepJob) -> None:
    """Run a job on a node of the cluster; its end is recorded in its run directory."""
    try:
        with handle_signals():
            run_job(job, PREPARED_RUNS.get_or_prepare)
    except Exception as error:
        record_error(job, error)
        raise
    except SystemExit as error:
        if error.code != 128 + signal.SIGUSR1:
            raise
        requeue(job)


def requeue(job: SweepJob) -> None:
    """Ask Slurm to run this job again, which then resumes."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    job_id = f"{array}_{task}" if array else os.environ["SLURM_JOB_ID"]
    try:
        subprocess.run(["scontrol", "requeue", job_id], check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        record_end(job, "interrupted", f"it reached its time limit, and Slurm refused: {error}")
        return
    # Slurm ends this process.
    time.sleep(120)

"""A sweep in this process: it has its folder alone; if it is stopped, one line says how to resume.

Jobs run as csvision.launch says, or, with joblib's launcher, as in sweep_worker.py.
"""

import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Event, Thread, current_thread, main_thread
from types import FrameType

from csvision.cli.sweep_worker import POLL_SECONDS, STOP_FILE
from csvision.command_hints import resume_command
from csvision.errors import RunError
from csvision.run.code_paths import CodePaths, paths_of_jobs
from csvision.run.directory import RunDirectory
from csvision.run.manifest import read_json_object
from csvision.run.recorded_code import recorded_code
from csvision.run.sweep_folder import is_sweep
from csvision.run.sweep_jobs import SweepJob
from csvision.run.sweep_record import RecordedJob, SweepCommand, write_record
from csvision.signals import (
    SIGNALS,
    ReportedInterrupt,
    RunInterrupted,
    SignalState,
    handle_signals,
)

JOBLIB_LAUNCHER = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
"""The `_target_` of the launcher that runs jobs in worker processes of this machine."""


OWN_LAUNCHER = "hydra_plugins.csvision_launcher.CsvisionLauncher"
"""The `_target_` of the launcher that runs jobs as `launcher=` says."""


class SweepSession:
    """The sweep that this process runs, from its start to its table."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the sweep of an earlier command."""
        self.exits = ExitStack()
        self.folder: Path | None = None
        self.code = CodePaths()
        self.jobs: list[SweepJob] | None = None

    def start(
        self,
        folder: Path,
        jobs: Sequence[RecordedJob] | None,
        launcher: str,
        arguments: Sequence[str] = (),
    ) -> None:
        """Lock the folder of a sweep and record its jobs; `jobs` is None if they are not known.

        `arguments` are those of the command line that may have several values.
        Raises RunError if the folder contains a sweep or cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.exits.enter_context(RunDirectory(folder).lock())
            if is_sweep(folder):
                raise RunError(
                    f"hydra.sweep.dir={folder} already contains a sweep; choose another folder, or "
                    f"resume it: {resume_command(folder, recorded_code(folder).words())}"
                )
            if jobs is not None:
                write_record(folder, jobs, SweepCommand([*arguments], str(Path.cwd())))
                self.code = paths_of_jobs(job.config for job in jobs)
                self.jobs = [
                    SweepJob(folder / job.directory, job.overrides, job.config) for job in jobs
                ]
        except OSError as error:
            # Nothing is removed from a folder that has other files.
            with suppress(OSError):
                (folder / ".lock").unlink()
                folder.rmdir()
            raise RunError(
                f"{folder} cannot be written: {error.strerror}; choose another output_dir"
            ) from error
        if launcher == JOBLIB_LAUNCHER:
            self.folder = folder
            self.exits.enter_context(stop_workers_on_signals(folder))
        else:
            self.run_here(folder)

    def run_here(self, folder: Path) -> None:
        """Handle signals for a sweep, new or resumed, for which joblib starts no workers."""
        self.folder = folder
        self.exits.enter_context(handle_signals())

    def finish(self) -> None:
        """Note that all jobs have ended: a later error does not interrupt the sweep."""
        self.folder = None


SESSION = SweepSession()
"""The sweep of the command that this process executes; Hydra can pass no object to a callback."""


@contextmanager
def sweep_session() -> Iterator[None]:
    """Release the folder of the sweep that starts inside; say how to resume it if it is stopped.

    A worker process that has died exits with code 1.
    """
    SESSION.reset()
    try:
        with SESSION.exits:
            yield
    except (KeyboardInterrupt, SystemExit) as error:
        interrupted = isinstance(error, KeyboardInterrupt) or is_signal_code(error.code)
        if interrupted and SESSION.folder is not None:
            resume = resume_command(SESSION.folder, SESSION.code.words())
            print(f"interrupted; to resume the sweep: {resume}")
            if isinstance(error, KeyboardInterrupt):
                raise ReportedInterrupt(*error.args) from error
        raise
    except BrokenExecutor as error:
        if SESSION.folder is None:
            raise
        resume = resume_command(SESSION.folder, SESSION.code.words())
        print(
            "error: a worker process was killed (by the system, if memory ran out); to resume the "
            f"sweep: {resume}",
            file=sys.stderr,
        )
        raise SystemExit(1) from error


def is_signal_code(code: object) -> bool:
    """Return whether an exit code is that of a signal."""
    return isinstance(code, int) and code - 128 in list(SIGNALS)


class WorkerSignals(SignalState):
    """Handles a signal in the main process: the jobs in worker processes save checkpoints first."""

    def __init__(self, sweep: Path) -> None:
        super().__init__()
        self.sweep = sweep

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Wait until no job runs, then end; end immediately for a second signal."""
        if self.pending is None:
            self.pending = number
            name = signal.Signals(number).name
            print(f"{name}: saving checkpoints of the running jobs; repeat to stop now")
            with suppress(OSError):
                (self.sweep / STOP_FILE).touch()
                wait_for_jobs(self.sweep)
        raise RunInterrupted(number)


@contextmanager
def ignore_resource_trackers() -> Iterator[None]:
    """Suppress warnings of the processes that remove what killed workers leave behind.

    This variable is the only way to give them a warning filter.
    """
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before, "ignore:resource_tracker")))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


def wait_for_jobs(sweep: Path) -> None:
    """Wait until workers have read the stop file and no job is running."""
    time.sleep(3 * POLL_SECONDS)
    while any(is_running(manifest) for manifest in sweep.rglob("run.json")):
        time.sleep(POLL_SECONDS)


def is_running(manifest: Path) -> bool:
    """Return whether a job is running, by its run.json."""
    try:
        return read_json_object(manifest).get("state") == "running"
    except (OSError, RunError):
        return False


@contextmanager
def stop_workers_on_signals(sweep: Path) -> Iterator[None]:
    """Handle signals in the main process only, and end the workers in an orderly way.

    A terminal sends Ctrl-C to workers, too. They inherit the mask of the thread that starts them,
    so that thread blocks signals; another one, which does not, receives them for this process.
    """
    if current_thread() is not main_thread():
        yield
        return
    done = Event()
    Thread(target=done.wait, daemon=True).start()
    with ignore_resource_trackers(), handle_signals(WorkerSignals(sweep)):
        # Python's own tracker unblocks signals in the thread that starts it.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            with warnings.catch_warnings():
                # joblib replaces a worker whose memory has grown, between two jobs.
                warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
                yield
        finally:
            (sweep / STOP_FILE).unlink(missing_ok=True)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            done.set()

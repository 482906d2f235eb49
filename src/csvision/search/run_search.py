"""Run a search, new or resumed: trials one after another here, or in worker processes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from csvision.errors import RunError
from csvision.search.definition import UserPaths, read_definition, write_definition
from csvision.search.report import SearchReport, search_report
from csvision.search.run_trial import TrialRunner
from csvision.search.study import Study
from csvision.search.table import format_report, write_table

Refresh = Callable[[Path], None]
"""Shows in its folder how a search proceeds; decides itself how often."""

REFRESH_SECONDS = 1.0


def ignore(folder: Path) -> None:
    """Show nothing."""


class WorkerError(RuntimeError):
    """A worker process ended before the search."""


def run_search(
    folder: Path, paths: UserPaths, n_jobs: int | None = None, refresh: Refresh = ignore
) -> SearchReport:
    """Run trials until the search has enough; write sweep.csv and print the best trials.

    Other processes may run trials of the same search. `n_jobs` replaces that of the search;
    `refresh` is called with the folder while trials run. Raises RunError if the folder is damaged,
    and WorkerError if a worker process ends before the search.
    """
    definition = read_definition(folder)
    number = n_jobs or definition.settings.n_jobs
    if number == 1:
        run_trials(folder, paths, refresh)
    else:
        run_workers(folder, paths, number, refresh)
    report = search_report(folder)
    write_table(report, definition)
    print(f"\n{format_report(report, definition)}\n{folder}", flush=True)
    return report


def run_trials(folder: Path, paths: UserPaths, refresh: Refresh = ignore) -> None:
    """Run trials in this process until the search has enough; print one line for each."""
    definition = read_definition(folder)
    study = Study(folder, definition)
    runner = TrialRunner(folder, definition, study, paths)
    while (active := study.next_trial()) is not None:
        runner.run(active)
        refresh(folder)


def run_workers(folder: Path, paths: UserPaths, number: int, refresh: Refresh) -> None:
    """Run trials in worker processes until the search has enough.

    A worker stops with a checkpoint when its standard input is closed, be it here or because this
    process was killed. Raises WorkerError if one fails or is killed.
    """
    # -P: a file in the current folder must not replace a module.
    program = [sys.executable, "-P", "-m", "csvision.search.worker"]
    command = [*program, str(folder), json.dumps(asdict(paths))]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    workers = []
    try:
        for _ in range(number):
            workers.append(subprocess.Popen(command, stdin=subprocess.PIPE, env=environment))
        codes = [wait(worker, folder, refresh) for worker in workers]
    except BaseException:
        stop_workers(workers)
        raise
    finally:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
    if any(code < 0 for code in codes):
        raise WorkerError("a worker process was killed (by the system, if memory ran out)")
    if any(codes):
        raise WorkerError("a worker process failed; its message is above")


def wait(worker: "subprocess.Popen[bytes]", folder: Path, refresh: Refresh) -> int:
    """Return the exit code of a worker; call `refresh` until then."""
    while True:
        try:
            return worker.wait(timeout=REFRESH_SECONDS)
        except subprocess.TimeoutExpired:
            refresh(folder)


def stop_workers(workers: list["subprocess.Popen[bytes]"]) -> None:
    """Let workers save checkpoints and end; a second signal kills them."""
    print("saving checkpoints of the running trials; repeat to stop now", flush=True)
    try:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
        for worker in workers:
            worker.wait()
    except BaseException:
        for worker in workers:
            worker.kill()
        raise


def extend_search(folder: Path, n_trials: int) -> None:
    """Set the total number of trials of a search; raises RunError if it has more already."""
    definition = read_definition(folder)
    study = Study(folder, definition)
    with study.exclusive():
        if n_trials < (started := len(study.trials())):
            raise RunError(f"search.n_trials={n_trials}: {folder} has {started} trials already")
        settings = replace(definition.settings, n_trials=n_trials)
        write_definition(folder, replace(definition, settings=settings))

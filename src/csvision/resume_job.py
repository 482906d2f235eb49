"""Resume or start one job of a sweep: a training or a baseline."""

from pathlib import Path

from csvision.baseline_api import resume_baseline
from csvision.baselines.fit import fit_baseline
from csvision.baselines.prepare import prepare_baseline
from csvision.comparison.page import refresh_page
from csvision.config.baseline_schema import BaselineConfig
from csvision.errors import first_line
from csvision.run.code_paths import CodePaths
from csvision.run.damaged_jobs import find_damage, set_aside
from csvision.run.directory import RunDirectory
from csvision.run.log import log, log_to_console
from csvision.run.prepare import prepare_run
from csvision.run.resume import resume_run
from csvision.run.sweep_jobs import SweepJob
from csvision.run.train import train


def resume_job(folder: Path, number: int, job: SweepJob, paths: CodePaths) -> bool:
    """Resume or start a job of a sweep, unless it has finished; return whether that succeeded."""
    run_dir = RunDirectory(job.directory)
    try:
        if damage := find_damage(run_dir):
            moved = set_aside(folder, run_dir)
            log.warning("job %s starts again: %s; moved to %s", number, damage, moved)
        if job.finished:
            return True
        print(f"\njob {number}: {' '.join(job.overrides)}")
        if job.started and isinstance(job.config, BaselineConfig):
            resume_baseline(job.directory)
        elif job.started:
            resume_run(run_dir, paths.model, **paths.others)
        else:
            with log_to_console(job.config.quiet):
                start_job(job)
    except Exception as error:
        # The other jobs still run; the traceback is in train.log of this job.
        log.error("job %s failed: %s", number, first_line(error))
        return False
    refresh_page(folder)
    return True


def start_job(job: SweepJob) -> None:
    """Train or fit a job of a sweep that has no run directory yet."""
    config, directory = job.config, job.directory
    if isinstance(config, BaselineConfig):
        prepared = prepare_baseline(config, directory=directory)
        fit_baseline(prepared, directory, job.overrides)
    else:
        train(prepare_run(config, directory=directory), directory, job.overrides)

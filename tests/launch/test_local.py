"""Sweeps in worker processes: same bits as alone, and failures that stay with their job."""

import signal
from pathlib import Path

import pandas as pd
import pytest

import csvision
from csvision.run.directory import RunDirectory
from tests.launch.conftest import SMALL_SWEEP, RunSweep, weights_of

pytestmark = pytest.mark.slow


def test_jobs_have_the_weights_of_single_runs_with_one_thread(run_sweep: RunSweep) -> None:
    sweep = run_sweep("seed=0,1")
    assert sweep.finished
    assert [job.overrides[-2] for job in sweep.jobs] == ["seed=0", "seed=1"]
    singles = [csvision.train(*SMALL_SWEEP, f"seed={seed}").directory for seed in (0, 1)]
    hashes = [RunDirectory(path).read_manifest()["weights_sha256"] for path in singles]
    assert weights_of(sweep.directory) == hashes
    assert [RunDirectory(job.directory).read_manifest()["threads"] for job in sweep.jobs] == [1, 1]


def test_failures_stay_with_their_jobs_and_have_reasons(
    run_sweep: RunSweep, slow_net: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = "+model.kwargs={what:kill},{what:raise},{what:nothing}"
    sweep = run_sweep(*slow_net, kinds, "launcher.n_jobs=1")
    assert [job.state for job in sweep.jobs] == ["failed", "failed", "finished"]
    assert not sweep.finished
    killed, raised, _ = sweep.jobs
    assert signal.SIGKILL.name in killed.reason
    assert raised.reason == "failed on purpose"
    rows = pd.read_csv(sweep.directory / "sweep.csv")
    assert rows["reason"].fillna("").tolist() == [job.reason for job in sweep.jobs]
    out = capsys.readouterr().out
    for job in (killed, raised):
        (line,) = [each for each in out.splitlines() if f"] job {job.number} failed" in each]
        assert job.reason in line
        assert job.directory.name in line


THOROUGH = (pytest.mark.thorough, pytest.mark.attacks)


@pytest.mark.parametrize("what", [pytest.param("once-raise", marks=THOROUGH), "once-kill"])
def test_retry_resumes_a_failed_job_with_the_same_bits(
    what: str, run_sweep: RunSweep, slow_net: tuple[str, ...]
) -> None:
    options = ("launcher.retries=1", "seed=3", "checkpoint_interval_seconds=0.001")
    sweep = run_sweep(*slow_net, f"model.kwargs.what={what}", *options)
    assert Path(f"happened-{what}").exists()
    assert [job.state for job in sweep.jobs] == ["finished"]
    assert len(RunDirectory(sweep.jobs[0].directory).read_manifest()["resumed"]) == 1
    Path(f"happened-{what}").unlink()
    expected = run_sweep(*slow_net, "model.kwargs.what=nothing", "seed=3", launcher="serial")
    assert weights_of(sweep.directory) == weights_of(expected.directory)


@pytest.mark.parametrize("launcher", [pytest.param("local", marks=THOROUGH), "serial"])
def test_stop_on_failure_leaves_jobs_missing_and_says_how_to_resume(
    launcher: str,
    run_sweep: RunSweep,
    slow_net: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    what = "model.kwargs.what=raise,nothing"
    options = ("launcher.stop_on_failure=true",)
    workers = ("launcher.n_jobs=1",) if launcher == "local" else ()
    sweep = run_sweep(*slow_net, what, *options, *workers, launcher=launcher)
    assert [job.state for job in sweep.jobs] == ["failed", "missing"]
    assert pd.read_csv(sweep.directory / "sweep.csv")["state"].tolist() == ["failed", "missing"]
    assert "csvision resume run=" in capsys.readouterr().out


@pytest.mark.parametrize("launcher", [pytest.param("local", marks=THOROUGH), "serial"])
def test_job_at_its_time_limit_is_interrupted_and_resumed_with_the_same_bits(
    launcher: str, run_sweep: RunSweep, slow_net: tuple[str, ...]
) -> None:
    limit = ("model.kwargs.seconds=0.1", "launcher.time_limit_minutes=0.05")
    sweep = run_sweep(*slow_net, *limit, "epochs=6", launcher=launcher)
    (job,) = sweep.jobs
    assert (job.state, job.reason) == (
        "interrupted",
        "it reached its time limit of 0.05 minutes",
    )
    overrides = ["launcher.time_limit_minutes=null"]
    assert csvision.resume_sweep(sweep.directory, "net.py:Net", overrides)
    assert "reason" not in RunDirectory(job.directory).read_manifest()
    expected = run_sweep(*slow_net, "epochs=6", launcher="serial")
    assert weights_of(sweep.directory) == weights_of(expected.directory)


def test_job_without_a_directory_gets_one_with_the_reason(
    run_sweep: RunSweep, digits_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = "csvision.launch.start_sweep.write_folder"
    from csvision.launch.start_sweep import write_folder

    def remove_data(*arguments: object) -> None:
        write_folder(*arguments)  # type: ignore[arg-type]
        digits_csv.unlink()

    monkeypatch.setattr(record, remove_data)
    # A worker reads the data again.
    sweep = run_sweep("seed=0", "data.cache=none")
    (job,) = sweep.jobs
    assert job.state == "failed"
    assert "digits.csv" in job.reason
    assert RunDirectory(job.directory).read_manifest()["reason"] == job.reason

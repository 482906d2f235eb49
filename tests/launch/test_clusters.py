"""Sweeps on Slurm and on Ray, both started on this machine."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread

import pytest

import csvision
from csvision.errors import ConfigError
from csvision.launch import available
from csvision.run.directory import RunDirectory
from tests.launch.conftest import SMALL_SWEEP, RunSweep, weights_of
from tests.launch.slurm_cluster import missing_programs, slurm_cluster

MISSING = ["root"] if os.getuid() else missing_programs()


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Start a cluster for this module; fails in continuous integration if Slurm is missing."""
    if MISSING and not os.environ.get("CI"):
        pytest.skip(f"needs {', '.join(MISSING)}")
    assert not MISSING, f"continuous integration needs {', '.join(MISSING)}"
    # The path of munge's socket must be short.
    folder = Path("/tmp") / f"csvision-slurm-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch, slurm_cluster(folder) as config:
        patch.setenv("SLURM_CONF", str(config))
        with RequeuedJobs():
            yield
    shutil.rmtree(folder)


class RequeuedJobs:
    """Lets jobs that Slurm has queued again start at once; they otherwise wait two minutes."""

    def __enter__(self) -> None:
        self.done = Event()
        self.thread = Thread(target=self.run)
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def run(self) -> None:
        """Change the time at which waiting jobs may start."""
        command = ["squeue", "--noheader", "--array", "--states=PENDING", "--format=%i %r"]
        while not self.done.wait(1):
            lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            for line in lines.splitlines():
                job_id, _, reason = line.partition(" ")
                if reason == "BeginTime":
                    update = ["scontrol", "update", f"JobId={job_id}", "StartTime=now"]
                    subprocess.run(update, check=False, capture_output=True)


@pytest.mark.thorough
@pytest.mark.slow
class TestSlurm:
    """Slurm takes minutes: it checks time limits twice a minute."""

    def test_failed_job_is_reported_and_one_over_its_limit_is_requeued(
        self, slurm: None, run_sweep: RunSweep, slow_net: tuple[str, ...]
    ) -> None:
        # 48 steps of 1.2 s; Slurm sends the signal 25 to 55 seconds after the start.
        kinds = "+model.kwargs={what:nothing},{what:raise},{seconds:1.2},{what:kill}"
        options = ("launcher.time_limit_minutes=1", "launcher.signal_seconds=5", "epochs=6")
        sweep = run_sweep(*slow_net, kinds, *options, launcher="slurm")
        assert [job.state for job in sweep.jobs] == ["finished", "failed", "finished", "failed"]
        assert sweep.jobs[1].reason == "failed on purpose"
        assert "its Slurm job" in sweep.jobs[3].reason
        limited = RunDirectory(sweep.jobs[2].directory).read_manifest()
        assert len(limited["resumed"]) >= 1
        expected = run_sweep(*slow_net, "epochs=6", launcher="serial")
        (alone,) = weights_of(expected.directory)
        for job in (sweep.jobs[0], sweep.jobs[2]):
            assert RunDirectory(job.directory).read_manifest()["weights_sha256"] == alone

    @pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
    def test_signal_cancels_the_jobs_which_save(
        self, first: int, slurm: None, digits_csv: Path, slow_net: tuple[str, ...]
    ) -> None:
        words = [word for word in SMALL_SWEEP if not word.startswith(("model", "epochs"))]
        more = ("model.kwargs.seconds=0.1", "epochs=1000", "launcher=slurm", "seed=0,1,2")
        command = [sys.executable, "-m", "csvision", "train", "-m", *words, *slow_net, *more]
        process = subprocess.Popen(
            ["env", "--default-signal=INT", *command], stdout=subprocess.PIPE, text=True
        )
        while len([*Path().glob("outputs/sweeps/*/*/checkpoints/last.ckpt")]) < 2:
            time.sleep(0.2)
            assert process.poll() is None
        process.send_signal(first)
        if first == signal.SIGINT:
            time.sleep(5)
            assert process.poll() is None
            process.send_signal(first)
        out, _ = process.communicate(timeout=120)
        assert process.returncode == (130 if first == signal.SIGINT else 143)
        assert ("press Ctrl-C again" in out) == (first == signal.SIGINT)
        assert out.count("interrupted; to resume the sweep: ") == 1
        manifests = [*Path().glob("outputs/sweeps/*/*/run.json")]
        states = [RunDirectory(path.parent).read_manifest()["state"] for path in manifests]
        assert states == ["interrupted"] * 2
        queue = subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=True)
        assert queue.stdout == ""

    def test_refusal_of_sbatch_is_one_line(self, slurm: None, run_sweep: RunSweep) -> None:
        with pytest.raises(csvision.RunError, match=r"launcher=slurm: sbatch refused .*nowhere"):
            run_sweep("seed=0", "launcher.partition=nowhere", launcher="slurm")


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("ray") is None and not os.environ.get("CI"), reason="needs the package ray"
)
def test_ray_gives_the_same_bits_and_reports_failures(
    run_sweep: RunSweep, slow_net: tuple[str, ...]
) -> None:
    kinds = "+model.kwargs={what:nothing},{what:raise},{what:kill},{what:limit,seconds:0.75}"
    limit = "launcher.time_limit_minutes=0.3"
    sweep = run_sweep(*slow_net, kinds, limit, launcher="ray")
    finished, raised, killed, limited = sweep.jobs
    assert [job.state for job in sweep.jobs] == ["finished", "failed", "failed", "interrupted"]
    assert raised.reason == "failed on purpose"
    assert killed.reason.startswith("its process ended: ")
    assert limited.reason == "it reached its time limit of 0.3 minutes"
    expected = run_sweep(*slow_net, launcher="serial")
    (alone,) = weights_of(expected.directory)
    assert RunDirectory(finished.directory).read_manifest()["weights_sha256"] == alone


class TestMissing:
    @pytest.mark.parametrize(("name", "package"), [("slurm", "submitit"), ("ray", "ray")])
    def test_one_line_says_what_to_install(
        self, name: str, package: str, run_sweep: RunSweep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(available, "find_spec", lambda _: None)
        words = f"launcher={name} needs the package {package}; .*pip install 'csvision\\[{name}\\]'"
        with pytest.raises(ConfigError, match=words):
            run_sweep("seed=0", launcher=name)
        assert not Path("outputs").exists()

    def test_machine_without_slurm_is_refused(
        self, run_sweep: RunSweep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("csvision.launch.available.shutil.which", lambda _: None)
        with pytest.raises(ConfigError, match="sbatch was not found"):
            run_sweep("seed=0", launcher="slurm")

    def test_single_run_has_no_cluster(self) -> None:
        with pytest.raises(ConfigError, match=r"launcher=slurm: .*csvision train -m"):
            csvision.train("launcher=slurm")

"""Runs and sweeps that go on: to the bits of those never interrupted, and to nothing else."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import csvision
from csvision.errors import ConfigError, RunError
from csvision.run.checkpoints import Checkpoints
from csvision.run.directory import RunDirectory, add_to_manifest, locked
from csvision.run.resume import read_sweep
from tests.conftest import ROOT
from tests.run.small import NET, NO_MODEL, OWN, SMALL, manifest, stop_at, unfinished


def result(directory: Path) -> dict[str, Any]:
    """All that must not depend on an interruption."""
    content = manifest(directory)
    history = pd.read_csv(directory / "history.csv").drop(columns="seconds")
    return {
        "weights": content["weights_sha256"],
        "predictions": content["predictions_sha256"],
        "metrics": json.loads((directory / "metrics.json").read_text(encoding="utf-8")),
        "history": history.to_dict(),
        "best": torch.load(directory / "checkpoints" / "best.ckpt")["global_step"],
    }


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestRun:
    @pytest.mark.parametrize("step", [1, 7, 8, 9, 20, 31, 32])
    def test_ends_as_if_nothing_had_happened(self, step: int) -> None:
        expected = result(csvision.train(*SMALL).directory)
        # The last batch of an epoch saves nothing by itself: the epoch does.
        run = stop_at(step, save=step % 8 != 0)
        assert manifest(run)["state"] == "failed"
        csvision.resume(run.path)
        assert manifest(run)["state"] == "finished"
        assert len(manifest(run)["resumed"]) == 1
        assert result(run.path) == expected

    @pytest.mark.parametrize(
        "overrides",
        [
            pytest.param(("scheduler=none", "optimizer=sgd", "optimizer.momentum=0.9"), id="sgd"),
            pytest.param(("scheduler=step", "optimizer=adam"), id="step"),
            pytest.param(("scheduler=cosine", "weights=best"), id="best"),
            pytest.param(("accelerator.precision=bf16-mixed",), id="bf16"),
            pytest.param(("data.val_size=0.3", "data.standardize=true"), id="standardised"),
        ],
    )
    def test_keeps_optimizer_schedule_and_best_so_far(self, overrides: tuple[str, ...]) -> None:
        expected = result(csvision.train(*SMALL, *overrides).directory)
        run = unfinished(21, *overrides)
        csvision.resume(run.path)
        assert result(run.path) == expected

    def test_may_be_interrupted_again(self) -> None:
        expected = result(csvision.train(*SMALL).directory)
        run = unfinished(9)
        for step in (13, 26):
            stop_again(run, step)
        csvision.resume(run.path)
        assert result(run.path) == expected

    @pytest.mark.parametrize("work", ["run.train.evaluate_part", "api.draw_run"])
    def test_goes_on_with_the_test_and_the_pictures_when_training_was_done(
        self, work: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        overrides = (*SMALL, "logger=tensorboard")
        whole = csvision.train(*overrides).directory
        with monkeypatch.context() as patch:
            patch.setattr(f"csvision.{work}", raise_interrupt)
            with pytest.raises(KeyboardInterrupt):
                csvision.train(*overrides)
        run = RunDirectory(max(Path("outputs").glob("runs/*")))
        assert manifest(run)["state"] == "interrupted"
        csvision.resume(run.path)
        assert result(run.path) == result(whole)
        assert (run.path / "confusion_matrix.png").exists()
        scalars, expected = (
            {name: len(events.Scalars(name)) for name in events.Tags()["scalars"]}
            for events in (EventAccumulator(str(path)).Reload() for path in (run.path, whole))
        )
        assert scalars == expected

    def test_has_no_point_of_its_curves_twice(self) -> None:
        run = unfinished(20, "logger=tensorboard")
        csvision.resume(run.path)
        events = EventAccumulator(str(run.path)).Reload()
        for name in ("train/loss", "val/loss", "val/acc", "lr"):
            assert [event.step for event in events.Scalars(name)] == [1, 2, 3, 4]
        assert pd.read_csv(run.history)["epoch"].tolist() == [1, 2, 3, 4]

    def test_touches_no_other_run(self) -> None:
        other = csvision.train(*SMALL).directory
        run = unfinished(20)
        before = files(other)
        csvision.resume(run.path)
        assert files(other) == before

    def test_of_an_own_network_needs_its_code_named_again(self) -> None:
        Path("net.py").write_text(NET, encoding="utf-8")
        expected = csvision.train(*NO_MODEL, *OWN).directory
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.run.small.SMALL", NO_MODEL)
            run = unfinished(20, *OWN)
        with pytest.raises(RunError, match=r"name its code: model\.path=FILE\.py:CLASS"):
            csvision.resume(run.path)
        for path in ("nope.py:Net", "net.py", "net.py:Nope"):
            with pytest.raises(ConfigError, match=rf"model\.path={path}: "):
                csvision.resume(run.path, path)
        other = NET.replace("nn.Dropout(0.2)", "nn.BatchNorm1d(784)")
        Path("other.py").write_text(other, encoding="utf-8")
        with pytest.raises(RunError, match="holds no weights of this network"):
            csvision.resume(run.path, "other.py:Net")
        csvision.resume(run.path, "net.py:Net")
        assert result(run.path) == result(expected)

    def test_is_refused_when_it_has_finished(self) -> None:
        run = csvision.train(*SMALL, "epochs=1")
        with pytest.raises(RunError, match="is finished; there is nothing to go on with"):
            csvision.resume(run.directory)

    def test_is_refused_while_it_is_under_way(self) -> None:
        run = unfinished(20)
        with locked(run), pytest.raises(RunError, match="is under way in another process"):
            csvision.resume(run.path)
        csvision.resume(run.path)

    def test_is_refused_where_it_cannot_be_written_to(self) -> None:
        run = unfinished(20)
        run.lock.unlink()
        run.lock.mkdir()
        with pytest.raises(RunError, match="cannot be written to: Is a directory"):
            csvision.resume(run.path)

    def test_is_refused_when_its_data_have_changed(self, digits_csv: Path) -> None:
        run = unfinished(20, "data=csv", "data.csv=digits.csv")
        content = digits_csv.read_text(encoding="utf-8")
        digits_csv.write_text(content.replace(",255,", ",254,", 1), encoding="utf-8")
        with pytest.raises(RunError, match=r"its data have changed since \(.*digits\.csv\)"):
            csvision.resume(run.path)

    def test_tells_of_other_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        run = unfinished(20)
        code = manifest(run)["code"] | {"models/cnn.py": "0" * 64}
        add_to_manifest(run, code=code)
        csvision.resume(run.path)
        assert "code: models/cnn.py was 000000000000 and is" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("folder", "message"),
        [
            ("missing", "there is no such folder"),
            (".", "is no run: it has no run.json"),
        ],
    )
    def test_is_refused_where_there_is_none(self, folder: str, message: str) -> None:
        with pytest.raises(RunError, match=message):
            csvision.resume(folder)


def stop_again(run: RunDirectory, step: int) -> None:
    """Go on with a run, up to a step."""

    def stopping(self: Checkpoints, trainer: Any, *_: Any) -> None:
        if trainer.global_step == step:
            self.save_last(trainer)
            raise RunError("stopped")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoints, "on_train_batch_end", stopping)
        with pytest.raises(RunError, match="stopped"):
            csvision.resume(run.path)


def raise_interrupt(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


class TestSweep:
    @pytest.fixture
    def sweep(self, digits_csv: Path) -> Path:
        """A sweep of three jobs: one finished, one interrupted, one that never began."""
        script = str(ROOT / "scripts" / "train.py")
        overrides = (*NO_MODEL, "data=csv", "data.csv=digits.csv", "model=mlp", "epochs=2")
        command = [sys.executable, script, "-m", *overrides, "model.hidden=[8]", "seed=0,1,2"]
        subprocess.run(command, check=True, capture_output=True)
        (sweep,) = Path("outputs/sweeps").iterdir()
        (sweep / "2_mlp_seed2").rename("third")
        add_to_manifest(RunDirectory(sweep / "1_mlp_seed1"), state="interrupted")
        return sweep

    def test_finished_jobs_stay_others_go_on_and_missing_ones_run(self, sweep: Path) -> None:
        before = files(sweep / "0_mlp_seed0")
        expected = result(Path("third"))
        script = str(ROOT / "scripts" / "resume.py")
        finished = subprocess.run(
            [sys.executable, script, f"run={sweep}"], capture_output=True, text=True
        )
        assert finished.returncode == 0, finished.stderr
        assert files(sweep / "0_mlp_seed0") == before
        assert result(sweep / "2_mlp_seed2") == expected
        jobs = pd.read_csv(sweep / "sweep.csv")
        assert jobs["state"].tolist() == ["finished"] * 3
        assert "over seeds" in finished.stdout

    def test_is_no_run_and_a_job_that_fails_again_is_told(
        self, sweep: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(RunError, match="is a sweep; name the folder of a job"):
            csvision.resume(sweep)
        (sweep / "2_mlp_seed2").touch()
        assert not csvision.resume_sweep(sweep)
        assert caplog.messages[-1].startswith("job 2 failed: ")

    def test_its_file_names_no_code(self, sweep: Path) -> None:
        Path("evil.py").write_text("from pathlib import Path\nPath('ran').touch()\n", "utf-8")
        file = sweep / "multirun.yaml"
        text = file.read_text(encoding="utf-8")
        assert "model=mlp" in text
        hostile = text.replace("model=mlp", "model=custom")
        hostile = hostile.replace("model.hidden=[8]", "model.path=evil.py:Net")
        file.write_text(hostile, encoding="utf-8")
        with pytest.raises(RunError, match="name its code"):
            csvision.resume_sweep(sweep)
        assert not Path("ran").exists()

    def test_its_file_chooses_no_folder(self, sweep: Path) -> None:
        file = sweep / "multirun.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("logger=none", "data.cache=../escaped"), encoding="utf-8")
        jobs = read_sweep(sweep, None)
        assert [job.settings.data.cache for job in jobs] == [None] * 3
        assert all(job.folder.parent == sweep for job in jobs)

    @pytest.mark.parametrize("content", ["", "[1]", "hydra: {sweeper: 3}", "a: [", "hydra: {}"])
    def test_a_damaged_file_is_told(self, content: str) -> None:
        Path("multirun.yaml").write_text(content, encoding="utf-8")
        with pytest.raises(RunError, match=r"multirun\.yaml is damaged"):
            csvision.resume_sweep(".")

"""Resumed runs: results identical to those of an uninterrupted run."""

import json
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import csvision
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_RUN
from tests.run.interrupt import interrupt_after, train_until

pytestmark = pytest.mark.usefixtures("digits_csv")


def result_of(run: RunDirectory) -> dict[str, Any]:
    """Return everything that must not depend on an interruption."""
    manifest = run.read_manifest()
    return {
        "weights": manifest["weights_sha256"],
        "predictions": manifest["predictions_sha256"],
        "metrics": json.loads(run.metrics.read_text(encoding="utf-8")),
        "history": pd.read_csv(run.history).drop(columns="seconds").to_dict(),
        "best": torch.load(run.best)["global_step"],
    }


def file_contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def raise_sigint(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


class TestResult:
    @pytest.mark.slow
    @pytest.mark.parametrize("step", [1, 7, 8, 9, 20, 31, 32])
    def test_equals_that_of_an_uninterrupted_run(self, step: int, small_run: RunDirectory) -> None:
        # After the last batch of an epoch, only the end of the epoch saves.
        run = train_until(step, SMALL_RUN, save=step % 8 != 0)
        assert run.read_manifest()["state"] == "failed"
        csvision.resume(run.path)
        assert run.read_manifest()["state"] == "finished"
        assert len(run.read_manifest()["resumed"]) == 1
        assert result_of(run) == result_of(small_run)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "overrides",
        [
            pytest.param(("scheduler=none", "optimizer=sgd", "optimizer.momentum=0.9"), id="sgd"),
            pytest.param(("scheduler=step", "optimizer=adam"), id="step"),
            pytest.param(("scheduler=cosine", "test_checkpoint=best"), id="best"),
            pytest.param(("accelerator.precision=bf16-mixed",), id="bf16"),
            pytest.param(("data.val_size=0.3", "data.normalize=true"), id="normalized"),
        ],
    )
    def test_does_not_depend_on_optimizer_schedule_and_precision(
        self, overrides: tuple[str, ...]
    ) -> None:
        expected = csvision.train(*SMALL_RUN, *overrides).directory
        run = train_until(21, (*SMALL_RUN, *overrides))
        csvision.resume(run.path)
        assert result_of(run) == result_of(RunDirectory(expected))

    @pytest.mark.slow
    def test_equals_that_of_an_uninterrupted_run_after_several_interruptions(
        self, small_run: RunDirectory
    ) -> None:
        run = train_until(9, SMALL_RUN)
        for step in (13, 26):
            with interrupt_after(step):
                csvision.resume(run.path)
        csvision.resume(run.path)
        assert len(run.read_manifest()["resumed"]) == 3
        assert result_of(run) == result_of(small_run)

    @pytest.mark.slow
    @pytest.mark.parametrize("function", ["evaluate_split", "save_confusion_matrix"])
    def test_is_completed_if_only_training_was_finished(
        self, function: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        overrides = (*SMALL_RUN, "logger=tensorboard")
        whole = RunDirectory(csvision.train(*overrides, "output_dir=whole").directory)
        with monkeypatch.context() as patch:
            patch.setattr(f"csvision.run.train.{function}", raise_sigint)
            with pytest.raises(KeyboardInterrupt):
                csvision.train(*overrides)
        (path,) = Path("outputs/runs").iterdir()
        run = RunDirectory(path)
        assert run.read_manifest()["state"] == "interrupted"
        csvision.resume(path)
        assert result_of(run) == result_of(whole)
        assert (path / "confusion_matrix.png").exists()
        scalars, expected = (
            {name: len(events.Scalars(name)) for name in events.Tags()["scalars"]}
            for events in (EventAccumulator(str(run.path)).Reload() for run in (run, whole))
        )
        assert scalars == expected

    @pytest.mark.slow
    def test_has_each_epoch_once_in_history_and_curves(self) -> None:
        run = train_until(20, (*SMALL_RUN, "logger=tensorboard"))
        csvision.resume(run.path)
        events = EventAccumulator(str(run.path)).Reload()
        for name in ("train/loss", "val/loss", "val/acc"):
            assert [event.step for event in events.Scalars(f"curves/{name}")] == [1, 2, 3, 4]
        assert pd.read_csv(run.history)["epoch"].tolist() == [1, 2, 3, 4]

    @pytest.mark.slow
    def test_returned_metrics_are_those_of_the_run(self, interrupted_run: RunDirectory) -> None:
        result = csvision.resume(interrupted_run.path)
        recorded = json.loads(interrupted_run.metrics.read_text(encoding="utf-8"))
        assert result.directory == interrupted_run.path
        assert result.metrics.items() <= recorded.items()


class TestOtherFiles:
    @pytest.mark.slow
    def test_other_runs_are_unchanged(
        self, interrupted_run: RunDirectory, small_run: RunDirectory
    ) -> None:
        before = file_contents(small_run.path)
        csvision.resume(interrupted_run.path)
        assert file_contents(small_run.path) == before

    @pytest.mark.slow
    def test_changed_code_is_reported(
        self, interrupted_run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = interrupted_run.read_manifest()["code"] | {"models/cnn.py": "0" * 64}
        interrupted_run.update_manifest(code=code)
        csvision.resume(interrupted_run.path)
        assert "code: models/cnn.py was 000000000000 and is" in capsys.readouterr().out


class TestRefused:
    def test_finished_run(self, small_run: RunDirectory) -> None:
        before = file_contents(small_run.path)
        with pytest.raises(RunError, match=f"run={small_run.path} is finished"):
            csvision.resume(small_run.path)
        assert file_contents(small_run.path) == before

    @pytest.mark.slow
    def test_run_of_another_process(self, interrupted_run: RunDirectory) -> None:
        with (
            interrupted_run.lock(),
            pytest.raises(RunError, match="is running in another process"),
        ):
            csvision.resume(interrupted_run.path)
        csvision.resume(interrupted_run.path)

    def test_directory_that_cannot_be_written(self, interrupted_run: RunDirectory) -> None:
        (interrupted_run.path / ".lock").unlink()
        (interrupted_run.path / ".lock").mkdir()
        with pytest.raises(RunError, match="cannot be written: Is a directory"):
            csvision.resume(interrupted_run.path)

    @pytest.mark.slow
    def test_changed_data(self, digits_csv: Path) -> None:
        run = train_until(20, SMALL_RUN)
        content = digits_csv.read_text(encoding="utf-8")
        digits_csv.write_text(content.replace(",255,", ",254,", 1), encoding="utf-8")
        before = file_contents(run.path)
        with pytest.raises(RunError, match=rf"run={run.path}: {digits_csv} has changed"):
            csvision.resume(run.path)
        assert file_contents(run.path) == before

    @pytest.mark.parametrize(
        ("folder", "message"),
        [("missing", "this folder does not exist"), (".", r"is not a run directory: .* run\.json")],
    )
    def test_folder_that_is_not_a_run(self, folder: str, message: str) -> None:
        with pytest.raises(RunError, match=message):
            csvision.resume(folder)

"""HistoryCallback: history.csv, the line printed for each epoch, and TensorBoard curves."""

import re
from pathlib import Path

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import csvision
from csvision.callbacks.history import HistoryCallback, format_epoch
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING

SMALL = (*SMALL_TRAINING, *SMALL_MLP, "epochs=3")


def read_history(directory: Path) -> pd.DataFrame:
    return pd.read_csv(directory / "history.csv")


@pytest.mark.usefixtures("digits_csv")
class TestHistory:
    def test_has_one_row_per_epoch_and_one_column_per_metric(self, small_run: RunDirectory) -> None:
        history = read_history(small_run.path)
        metrics = ["train/loss", "val/loss", "val/acc", "val/f1", "val/balanced_acc"]
        assert [*history.columns] == ["epoch", "lr", *metrics, "seconds"]
        assert [*history["epoch"]] == [1, 2, 3, 4]
        assert history.notna().all(axis=None)

    @pytest.mark.slow
    def test_has_no_validation_columns_without_validation_split(self) -> None:
        history = read_history(csvision.train(*SMALL, "data.val_size=0").directory)
        assert [*history.columns] == ["epoch", "lr", "train/loss", "seconds"]
        assert history.notna().all(axis=None)

    def test_metric_of_a_later_epoch_gets_a_column(self, tmp_path: Path) -> None:
        history = HistoryCallback(tmp_path / "history.csv", None)
        history.rows = [{"epoch": 1, "lr": 0.5}, {"epoch": 2, "lr": 0.5, "val/f1": 0.75}]
        history.write_csv()
        text = history.history_csv.read_text(encoding="utf-8")
        assert text == "epoch,lr,val/f1\n1,0.5,\n2,0.5,0.75\n"

    @pytest.mark.slow
    def test_lr_is_that_of_the_start_of_each_epoch(self) -> None:
        schedule = ("scheduler=step", "scheduler.step_size=1", "scheduler.gamma=0.1")
        overrides = (*SMALL, *schedule, "optimizer=sgd", "optimizer.lr=0.5")
        history = read_history(csvision.train(*overrides).directory)
        assert [*history["lr"]] == pytest.approx([0.5, 0.05, 0.005])

    @pytest.mark.slow
    def test_loss_decreases_and_accuracy_increases(self) -> None:
        overrides = (*SMALL, "epochs=6")
        history = read_history(csvision.train(*overrides).directory)
        assert history["train/loss"].is_monotonic_decreasing
        assert history["val/acc"].iloc[-1] > history["val/acc"].iloc[0]
        assert (history["seconds"] > 0).all()

    @pytest.mark.slow
    def test_curves_show_the_values_of_history_csv(self) -> None:
        directory = csvision.train(*SMALL, "logger=tensorboard").directory
        history = read_history(directory).set_index("epoch")
        events = EventAccumulator(str(directory)).Reload()
        for name in ("train/loss", "val/loss", "val/acc"):
            points = {point.step: point.value for point in events.Scalars(f"curves/{name}")}
            assert points == pytest.approx(history[name].to_dict(), rel=1e-6)


class TestEpochLine:
    @pytest.mark.slow
    def test_line_is_printed_for_each_epoch(
        self, digits_csv: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        directory = csvision.train(*SMALL, "quiet=false").directory
        names = ("val/loss", "val/acc", "val/f1", "val/balanced_acc")
        validation = "  ".join(rf"{name} \d\.\d{{4}}" for name in names)
        lines = re.findall(
            rf"^epoch (\d)/3  train/loss (\d\.\d{{4}})  {validation}  \d+\.\d s$",
            capsys.readouterr().out,
            re.MULTILINE,
        )
        losses = read_history(directory)["train/loss"]
        assert lines == [(str(index + 1), f"{loss:.4f}") for index, loss in enumerate(losses)]

    def test_line_has_the_metrics_that_exist(self) -> None:
        row = {"epoch": 2, "train/loss": 0.25, "seconds": 1.26, "lr": 0.1}
        assert format_epoch(row, epochs=9) == "epoch 2/9  train/loss 0.2500  1.3 s"

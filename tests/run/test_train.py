"""A training run: the files in its directory, the tested checkpoint, and reproducibility."""

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import train_test_split

import csvision
from csvision.classifier import Classifier
from csvision.config import schema
from csvision.config.compose import load_config
from csvision.errors import ConfigError, RunError
from csvision.run import threads
from csvision.run.code_paths import CodePaths
from csvision.run.directory import RunDirectory
from csvision.run.prepare import prepare_run
from csvision.run.resume import resume_config
from csvision.run.sweep_table import sweep_table
from csvision.run.threads import limit_threads
from csvision.run.train import TrainResult, train
from tests.conftest import SMALL_MLP, SMALL_RUN, SMALL_TRAINING

SMALL = (*SMALL_TRAINING, *SMALL_MLP, "model.dropout=0.2", "epochs=2")

HASHES = ("sha256", "test_sha256", "split_sha256")

pytestmark = pytest.mark.usefixtures("digits_csv")


def run(directory: str, *overrides: str, base: Sequence[str] = SMALL) -> TrainResult:
    """Train SMALL with overrides in a directory."""
    config: schema.TrainConfig = load_config("train", [*base, *overrides])
    return train(prepare_run(config), Path(directory), overrides)


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each file below a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def read_checkpoint(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return content


def assert_has_weights_of(checkpoint: Path, result: TrainResult) -> None:
    expected = read_checkpoint(checkpoint)["state_dict"]
    state = dict(result.classifier.state_dict())
    torch.testing.assert_close(state, dict(expected), rtol=0, atol=0)


class TestDirectory:
    @pytest.mark.slow
    def test_contains_these_files_and_no_others(self) -> None:
        files = contents(csvision.train(*SMALL, "logger=tensorboard").directory)
        events = {name for name in files if name.startswith("events.out.tfevents.")}
        assert events
        assert set(files) - events == {
            ".hydra/config.yaml",
            ".hydra/overrides.yaml",
            ".lock",
            "checkpoints/best.ckpt",
            "checkpoints/last.ckpt",
            "checkpoints/previous.ckpt",
            "confusion_matrix.csv",
            "confusion_matrix.png",
            "history.csv",
            "metrics.json",
            "per_class.csv",
            "predictions.csv",
            "run.json",
            "splits.npz",
            "train.log",
        }
        del files[".lock"]
        assert all(files.values())

    def test_has_no_event_files_without_tensorboard(self, small_run: RunDirectory) -> None:
        assert not list(small_run.path.glob("events*"))

    @pytest.mark.slow
    def test_manifest_records_config_data_code_and_state(self) -> None:
        manifest = read_json(run("run", "seed=3").directory / "run.json")
        assert manifest["state"] == "finished"
        assert manifest["started"] < manifest["ended"]
        assert manifest["overrides"] == ["seed=3"]
        assert manifest["config"]["seed"] == 3
        assert manifest["config"]["model"]["hidden"] == [16]
        hashes = {name: manifest["data"].pop(name) for name in HASHES}
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes.values())
        assert manifest["data"] == {
            "image_shape": [1, 8, 8],
            "label_values": [*range(10)],
            "classes": [str(value) for value in range(10)],
            "pixel_range": [0, 255],
            "label_column": "label",
            "pixel_columns": None,
            "notices": [],
            "rows": {"train": 216, "val": 24, "test": 60},
        }
        assert manifest["accelerator"] == "cpu"
        assert manifest["threads"] == 1
        assert manifest["versions"]["torch"] == torch.__version__
        assert manifest["machine"].keys() == {"platform", "processors", "instructions"}
        assert "run/train.py" in manifest["code"]
        assert manifest["weights_sha256"] != manifest["predictions_sha256"]

    @pytest.mark.slow
    def test_manifest_records_the_default_number_of_threads(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
        manifest = read_json(run("run", "accelerator.num_threads=null").directory / "run.json")
        assert manifest["threads"] == torch.get_num_threads()

    @pytest.mark.slow
    def test_number_of_threads_on_a_busy_machine_is_logged_recorded_and_kept(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        monkeypatch.setattr(threads, "idle_processors", lambda: 2)
        with limit_threads(3):
            overrides = ("accelerator.num_threads=null", "model=cnn")
            run_dir = RunDirectory(run("run", *overrides).directory)
            assert torch.get_num_threads() == 3
        assert run_dir.read_manifest()["threads"] == 2
        assert "accelerator.num_threads=2 instead of 3: " in run_dir.log.read_text("utf-8")
        monkeypatch.setattr(threads, "idle_processors", lambda: 1)
        assert resume_config(run_dir, CodePaths()).accelerator.num_threads == 2
        assert csvision.reproduce(run_dir.path).equal

    def test_metrics_json_contains_the_returned_metrics(
        self, small_run_result: TrainResult
    ) -> None:
        metrics = read_json(small_run_result.directory / "metrics.json")
        by_class = metrics.pop("test/acc by class")
        assert metrics == small_run_result.metrics
        assert list(metrics) == [
            "train/loss",
            "val/loss",
            "val/acc",
            "val/f1",
            "val/balanced_acc",
            "test/loss",
            "test/acc",
            "test/f1",
            "test/balanced_acc",
        ]
        assert list(by_class) == small_run_result.classifier.classes

    def test_last_row_of_history_has_the_final_training_loss(
        self, small_run_result: TrainResult
    ) -> None:
        history = pd.read_csv(small_run_result.directory / "history.csv")
        assert history["train/loss"].iloc[-1] == small_run_result.metrics["train/loss"]

    @pytest.mark.slow
    def test_predictions_agree_with_metrics_and_source_file(self, digits_csv: Path) -> None:
        result = run("run", "epochs=10")
        table = pd.read_csv(result.directory / "predictions.csv")
        accuracy = (table["prediction"] == table["label"]).mean()
        assert 0.5 < accuracy < 1
        assert accuracy == pytest.approx(result.metrics["test/acc"])
        probabilities = table.filter(like="probability ").to_numpy()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(probabilities.argmax(axis=1), table["prediction"])

        source = pd.read_csv(digits_csv)
        _, test = train_test_split(range(300), test_size=0.2, random_state=20)
        assert [*table["row"]] == test
        np.testing.assert_array_equal(source["label"][table["row"]], table["label"])

    def test_existing_run_is_not_overwritten(self, small_run: RunDirectory) -> None:
        before = contents(small_run.path)
        with pytest.raises(RunError, match="small_run already contains a run"):
            run(str(small_run.path), "seed=1")
        assert contents(small_run.path) == before

    def test_is_not_created_if_the_network_does_not_fit_the_data(self) -> None:
        with pytest.raises(ConfigError, match=r"stages\.0"):
            run("run", "model.stages=[{kernel_size:20}]", base=SMALL_RUN)
        assert not Path("run").exists()


OSCILLATING = (
    *("optimizer=sgd", "optimizer.lr=0.1", "scheduler=none", "batch_size=16"),
    *("model.dropout=0", "seed=1", "epochs=6"),
)
"""A configuration whose last epoch is not its best."""


class TestTestedCheckpoint:
    @pytest.mark.slow
    def test_default_is_the_last_epoch(self) -> None:
        result = run("run", *OSCILLATING)
        history = pd.read_csv(result.directory / "history.csv")
        assert result.metrics["val/acc"] == history["val/acc"].iloc[-1] < history["val/acc"].max()
        assert_has_weights_of(result.directory / "checkpoints/last.ckpt", result)

    @pytest.mark.slow
    def test_best_is_the_epoch_with_the_highest_validation_accuracy(self) -> None:
        result = run("run", *OSCILLATING, "test_checkpoint=best")
        scores = pd.read_csv(result.directory / "history.csv")["val/acc"]
        best = read_checkpoint(result.directory / "checkpoints/best.ckpt")
        last = read_checkpoint(result.directory / "checkpoints/last.ckpt")
        assert last["epoch"] == 5
        assert best["epoch"] == scores.argmax() < 5
        assert result.metrics["val/acc"] == scores.max() > scores.iloc[-1]
        losses = pd.read_csv(result.directory / "history.csv")["train/loss"]
        assert result.metrics["train/loss"] == losses[best["epoch"]] != losses.iloc[-1]
        assert_has_weights_of(result.directory / "checkpoints/best.ckpt", result)

    @pytest.mark.slow
    def test_best_is_the_last_epoch_without_validation_split(self) -> None:
        result = run("run", "data.val_size=0", "test_checkpoint=best")
        assert "checkpoints/best.ckpt" not in contents(result.directory)
        assert not [name for name in result.metrics if name.startswith("val/")]
        assert_has_weights_of(result.directory / "checkpoints/last.ckpt", result)


class TestReproducibility:
    @pytest.mark.slow
    def test_same_config_gives_identical_metrics(self) -> None:
        first = csvision.train(*SMALL).metrics
        for variant in ("quiet=false", "logger=tensorboard", "output_dir=elsewhere"):
            torch.manual_seed(1)
            np.random.seed(1)
            random.seed(1)
            torch.rand(5)
            assert csvision.train(*SMALL, variant).metrics == first

    @pytest.mark.slow
    def test_seed_decides_initial_weights_batches_and_dropout(self) -> None:
        # With a negligible learning rate, only the initial weights make a difference.
        frozen = ("optimizer.lr=1e-12", "model.dropout=0")
        first, second = (run(f"frozen {seed}", *frozen, f"seed={seed}") for seed in (0, 1))
        assert first.metrics["test/loss"] != second.metrics["test/loss"]
        assert run("one").metrics["train/loss"] != run("two", "seed=1").metrics["train/loss"]

    @pytest.mark.slow
    def test_random_state_and_threads_of_the_caller_are_unchanged(self) -> None:
        random_state, numpy_state = random.getstate(), np.random.get_state()
        torch_state, threads = torch.get_rng_state(), torch.get_num_threads()
        result = run("run", f"accelerator.num_threads={threads + 1}")
        assert random.getstate() == random_state
        np.testing.assert_equal(np.random.get_state(), numpy_state)
        assert torch.equal(torch.get_rng_state(), torch_state)
        assert torch.get_num_threads() == threads
        assert read_json(result.directory / "run.json")["threads"] == threads + 1


class TestDebug:
    @pytest.mark.slow
    def test_fast_uses_a_few_rows_for_one_epoch(self) -> None:
        result = run("run", "debug.limit_rows=20", base=with_debug("fast"))
        rows = read_json(result.directory / "run.json")["data"]["rows"]
        assert rows == {"train": 20, "val": 20, "test": 20}
        assert len(pd.read_csv(result.directory / "history.csv")) == 1
        assert len(pd.read_csv(result.directory / "predictions.csv")) == 20

    @pytest.mark.slow
    def test_overfit_reaches_a_small_training_loss(self) -> None:
        network = ("model.dropout=0", "model.hidden=[128,64]", "batch_size=64")
        result = run("run", *network, base=with_debug("overfit"))
        assert read_json(result.directory / "run.json")["data"]["rows"]["train"] == 64
        assert result.metrics["train/loss"] < 0.1

    @pytest.mark.slow
    def test_profile_writes_the_time_of_each_action(self) -> None:
        result = run("run", base=with_debug("profile"))
        report = (result.directory / "fit-profile.txt").read_text(encoding="utf-8")
        assert "run_training_batch" in report


def with_debug(name: str) -> list[str]:
    """Return SMALL with a debug choice, which decides the number of epochs."""
    return [*(override for override in SMALL if not override.startswith("epochs")), f"debug={name}"]


class TestNewMetric:
    """A metric that the classifier logs is recorded without being named anywhere else."""

    @pytest.fixture
    def result(self, monkeypatch: pytest.MonkeyPatch) -> TrainResult:
        log_batch_size(monkeypatch, "training_loss", "train/images")
        log_batch_size(monkeypatch, "validation_step", "val/images")
        log_batch_size(monkeypatch, "test_step", "test/images")
        return run("sweep/0_mlp_seed0")

    @pytest.mark.slow
    def test_is_in_history_csv(self, result: TrainResult) -> None:
        history = pd.read_csv(result.directory / "history.csv")
        assert [*history["train/images"]] == [216 / 8] * 2
        assert [*history["val/images"]] == [24] * 2

    @pytest.mark.slow
    def test_is_in_metrics_json(self, result: TrainResult) -> None:
        metrics = read_json(result.directory / "metrics.json")
        assert metrics["train/images"] == 216 / 8
        assert metrics["val/images"] == 24
        assert metrics["test/images"] == 60 / 3

    @pytest.mark.slow
    def test_is_in_the_table_of_a_sweep(self, result: TrainResult) -> None:
        (job,) = sweep_table(result.directory.parent).to_dict("records")
        assert job["train/images"] == 216 / 8
        assert job["val/images"] == 24
        assert job["test/images"] == 60 / 3


def log_batch_size(monkeypatch: pytest.MonkeyPatch, method: str, name: str) -> None:
    """Let a method of the classifier also log the number of images in its batch."""
    original = getattr(Classifier, method)

    def logging_method(self: Classifier, batch: Any, *args: Any) -> Any:
        size = float(len(batch[1]))
        self.log(name, size, on_step=False, on_epoch=True, batch_size=1)
        return original(self, batch, *args)

    monkeypatch.setattr(Classifier, method, logging_method)

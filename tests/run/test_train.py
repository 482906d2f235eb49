"""A training run: what it leaves behind, that it can be repeated, and how it ends when it fails."""

import json
import random
import re
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import train_test_split

import csvision
from csvision import config, schema
from csvision.data.split import read_parts
from csvision.errors import ConfigError, RunError
from csvision.run.train import Trained, train

SMALL = (
    "data=csv",
    "data.csv=digits.csv",
    "model=mlp",
    "model.hidden=[16]",
    "model.dropout=0.2",
    "epochs=2",
    "batch_size=64",
    "accelerator=cpu",
    "logger=none",
    "quiet=true",
)

pytestmark = pytest.mark.usefixtures("digits_csv")


def run(directory: str, *overrides: str, without: str = "nothing") -> Trained:
    """Train as configured, without the keys of SMALL that begin so; nothing is drawn."""
    common = [override for override in SMALL if not override.startswith(without)]
    settings: schema.Train = config.load(config.compose("train", [*common, *overrides]))
    parts = read_parts(settings.data, settings.debug.rows)
    return train(settings, parts, Path(directory), overrides)


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def read_checkpoint(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return content


def assert_same_weights(trained: Trained, checkpoint: Path) -> None:
    expected = read_checkpoint(checkpoint)["state_dict"]
    torch.testing.assert_close(
        dict(trained.classifier.state_dict()), dict(expected), rtol=0, atol=0
    )


HASHES = ("sha256", "test_sha256", "split_sha256")


class TestDirectory:
    def test_holds_these_files_and_no_others(self) -> None:
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
            "train.log",
        }
        del files[".lock"]
        assert all(files.values())

    def test_has_no_events_without_a_logger(self) -> None:
        assert not list(csvision.train(*SMALL).directory.glob("events*"))

    def test_says_what_was_run_on_which_data_and_how_it_ended(self) -> None:
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
            "rows": {"train": 216, "val": 24, "test": 60},
        }
        assert manifest["accelerator"] == "cpu"
        assert manifest["threads"] == torch.get_num_threads()
        assert manifest["versions"]["torch"] == torch.__version__
        assert manifest["machine"].keys() == {"platform", "processors", "instructions"}
        assert "run/train.py" in manifest["code"]
        assert manifest["weights_sha256"] != manifest["predictions_sha256"]

    def test_has_the_metrics_that_are_returned(self) -> None:
        trained = run("run")
        metrics = read_json(trained.directory / "metrics.json")
        by_class = metrics.pop("test/acc by class")
        assert metrics == trained.metrics
        assert list(metrics) == [
            "train/loss",
            "val/loss",
            "val/acc",
            "test/loss",
            "test/acc",
            "test/f1",
        ]
        assert list(by_class) == trained.classifier.classes

    def test_has_a_row_of_history_for_each_epoch(self) -> None:
        trained = run("run", "epochs=3")
        history = pd.read_csv(trained.directory / "history.csv")
        assert [*history.columns] == ["epoch", "lr", "train/loss", "val/loss", "val/acc", "seconds"]
        assert [*history["epoch"]] == [1, 2, 3]
        assert history.notna().all(axis=None)
        assert history["train/loss"].iloc[-1] == trained.metrics["train/loss"]

    def test_has_predictions_that_agree_with_the_metrics(self, digits_csv: Path) -> None:
        trained = run("run", "epochs=10", "optimizer.lr=0.03")
        table = pd.read_csv(trained.directory / "predictions.csv")
        accuracy = (table["prediction"] == table["label"]).mean()
        assert 0.5 < accuracy < 1
        assert accuracy == pytest.approx(trained.metrics["test/acc"])
        probabilities = table.filter(like="probability ").to_numpy()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(probabilities.argmax(axis=1), table["prediction"])

        source = pd.read_csv(digits_csv)
        _, test = train_test_split(range(300), test_size=0.2, random_state=20)
        assert [*table["row"]] == test
        np.testing.assert_array_equal(source["label"][table["row"]], table["label"])

    def test_that_holds_a_run_is_refused_and_left_untouched(self) -> None:
        directory = run("run").directory
        before = contents(directory)
        with pytest.raises(RunError, match=r"run already holds a run; choose another directory"):
            run("run", "seed=1")
        assert contents(directory) == before

    def test_is_not_made_for_a_network_that_does_not_fit_the_data(self) -> None:
        with pytest.raises(ConfigError, match=r"stages\.0"):
            run("run", "model=cnn", "model.dropout=0", "model.stages=[{kernel_size:20}]")
        assert not Path("run").exists()


SWINGING = (
    *("optimizer=sgd", "optimizer.lr=0.1", "scheduler=none", "batch_size=16"),
    *("model.dropout=0", "seed=1", "epochs=6"),
)
"""A recipe whose last epoch is not its best."""


class TestCheckpoint:
    def test_tested_is_that_of_the_last_epoch(self) -> None:
        trained = run("run", *SWINGING)
        history = pd.read_csv(trained.directory / "history.csv")
        assert trained.metrics["val/acc"] == history["val/acc"].iloc[-1] < history["val/acc"].max()
        assert_same_weights(trained, trained.directory / "checkpoints/last.ckpt")

    def test_tested_is_the_one_with_the_best_validation_accuracy_where_asked_for(self) -> None:
        trained = run("run", *SWINGING, "weights=best")
        scores = pd.read_csv(trained.directory / "history.csv")["val/acc"]
        best = read_checkpoint(trained.directory / "checkpoints/best.ckpt")
        last = read_checkpoint(trained.directory / "checkpoints/last.ckpt")
        assert last["epoch"] == 5
        assert best["epoch"] == scores.argmax() < 5
        assert trained.metrics["val/acc"] == scores.max() > scores.iloc[-1]
        assert_same_weights(trained, trained.directory / "checkpoints/best.ckpt")

    def test_tested_is_the_last_one_without_validation_rows(self) -> None:
        trained = run("run", "data.val_size=0", "weights=best")
        files = contents(trained.directory)
        assert "checkpoints/best.ckpt" not in files
        assert not [name for name in trained.metrics if name.startswith("val/")]
        assert_same_weights(trained, trained.directory / "checkpoints/last.ckpt")
        history = pd.read_csv(trained.directory / "history.csv")
        assert history[["val/loss", "val/acc"]].isna().all(axis=None)
        assert history["train/loss"].notna().all()

    @pytest.mark.parametrize("scheduler", ["none", "onecycle", "cosine", "step"])
    def test_holds_tensors_and_plain_values_only(self, scheduler: str) -> None:
        trained = run("run", f"scheduler={scheduler}")
        for path in (trained.directory / "checkpoints").iterdir():
            kinds = {type(value) for value in leaves(read_checkpoint(path))}
            assert kinds <= {torch.Tensor, str, int, float, bool, type(None)}


def leaves(node: Any) -> list[Any]:
    """What a checkpoint holds inside its dictionaries and lists."""
    if isinstance(node, dict):
        return [leaf for item in node.items() for part in item for leaf in leaves(part)]
    if isinstance(node, list | tuple | set):
        return [leaf for item in node for leaf in leaves(item)]
    return [node]


class TestRepetition:
    def test_gives_the_same_metrics_to_the_last_digit(self) -> None:
        first = csvision.train(*SMALL).metrics
        for variant in ("quiet=false", "logger=tensorboard", "outputs=elsewhere"):
            torch.manual_seed(1)
            np.random.seed(1)
            random.seed(1)
            torch.rand(5)
            assert csvision.train(*SMALL, variant).metrics == first

    def test_with_another_seed_has_other_initial_weights_batches_and_dropout(self) -> None:
        # Without learning only the initial weights make a difference.
        still = ("optimizer.lr=1e-12", "model.dropout=0")
        first, second = (run(f"still {seed}", *still, f"seed={seed}") for seed in (0, 1))
        assert first.metrics["test/loss"] != second.metrics["test/loss"]
        assert run("one").metrics["train/loss"] != run("two", "seed=1").metrics["train/loss"]

    def test_leaves_the_callers_random_state_and_threads_alone(self) -> None:
        random_state, numpy_state = random.getstate(), np.random.get_state()
        torch_state, threads = torch.get_rng_state(), torch.get_num_threads()
        trained = run("run", f"accelerator.threads={threads + 1}")
        assert random.getstate() == random_state
        np.testing.assert_equal(np.random.get_state(), numpy_state)
        assert torch.equal(torch.get_rng_state(), torch_state)
        assert torch.get_num_threads() == threads
        assert read_json(trained.directory / "run.json")["threads"] == threads + 1

    def test_leaves_no_thread_behind(self) -> None:
        before = threading.active_count()
        csvision.train(*SMALL, "logger=tensorboard")
        assert threading.active_count() == before


class TestDebug:
    def test_fast_runs_every_part_once_on_a_few_rows(self) -> None:
        trained = run("run", "debug=fast", "debug.rows=20", without="epochs")
        rows = read_json(trained.directory / "run.json")["data"]["rows"]
        assert rows == {"train": 20, "val": 20, "test": 20}
        assert len(pd.read_csv(trained.directory / "history.csv")) == 1
        assert len(pd.read_csv(trained.directory / "predictions.csv")) == 20

    def test_overfit_learns_its_rows_by_heart(self) -> None:
        trained = run(
            "run", "debug=overfit", "model.dropout=0", "model.hidden=[128,64]", without="epochs"
        )
        assert read_json(trained.directory / "run.json")["data"]["rows"]["train"] == 64
        assert trained.metrics["train/loss"] < 0.1

    def test_profile_says_where_the_time_goes(self) -> None:
        trained = run("run", "debug=profile", without="epochs")
        report = (trained.directory / "fit-profile.txt").read_text(encoding="utf-8")
        assert "run_training_batch" in report


ENDING = """
import builtins
from torch import nn

class Network(nn.Module):
    def __init__(self, image_shape, classes, steps, error):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, classes))
        self.steps, self.error = steps, error

    def forward(self, images):
        if self.training:
            self.steps -= 1
            if self.steps < 0:
                raise getattr(builtins, self.error)("out of steps")
        return self.layers(images)
"""
"""A network that raises an error of that name after so many steps of training."""


class TestFailure:
    custom = ("model=custom", "model.path=ending.py:Network", "model.arguments.steps=5")

    @pytest.fixture(autouse=True)
    def network(self) -> None:
        Path("ending.py").write_text(ENDING, encoding="utf-8")

    def test_is_recorded_with_its_traceback(self) -> None:
        with pytest.raises(ZeroDivisionError, match="out of steps"):
            run("run", *self.custom, "model.arguments.error=ZeroDivisionError", without="model")
        manifest = read_json(Path("run/run.json"))
        assert manifest["state"] == "failed"
        assert manifest["started"] < manifest["ended"]
        log = Path("run/train.log").read_text(encoding="utf-8")
        assert "Traceback (most recent call last)" in log
        assert "ZeroDivisionError: out of steps" in log
        assert 'ending.py", line' in log
        # The first epoch has four steps: its row and its weights are kept.
        assert len(pd.read_csv("run/history.csv")) == 1
        assert not Path("run/metrics.json").exists()

    def test_leaves_no_thread_behind(self) -> None:
        before = threading.active_count()
        with pytest.raises(ZeroDivisionError):
            run(
                "run",
                *self.custom,
                "model.arguments.error=ZeroDivisionError",
                "logger=tensorboard",
                without="model",
            )
        assert threading.active_count() == before

    def test_by_interruption_is_recorded_and_ctrl_c_works_again(self) -> None:
        handler = signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            run("run", *self.custom, "model.arguments.error=KeyboardInterrupt", without="model")
        assert read_json(Path("run/run.json"))["state"] == "interrupted"
        assert "KeyboardInterrupt" in Path("run/train.log").read_text(encoding="utf-8")
        assert signal.getsignal(signal.SIGINT) is handler

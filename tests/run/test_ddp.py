"""Training in two processes on the CPU: one run, whose results are those of its predictions."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import f1_score

import csvision
from csvision.data.splits import Splits, load_splits
from csvision.run.directory import RunDirectory
from tests.conftest import ROOT, digits

TEST_ROWS, VAL_ROWS = 65, 33
EPOCHS = 3
COMMON = (
    *("data=csv", "data.csv=digits.csv", "data.test_size=0.2166", "data.val_size=0.14"),
    *("accelerator=cpu", "accelerator.num_threads=1", "logger=none", f"epochs={EPOCHS}"),
)
MLP = ("model=mlp", "model.hidden=[16]")
BATCH_NORM = (
    "model.stages=[{filters:4,normalization:batch,residual:1}]",
    "model.hidden=[]",
    "model.dropout=0.2",
    "data.normalize=true",
    "augmentation.translate=1",
)
NETWORKS = {"mlp": MLP, "batch norm": BATCH_NORM}
TWO_PROCESSES = ("accelerator.devices=2", "batch_size=16")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class DistributedRun:
    """The directory and the output of a run in two processes."""

    home: Path
    output: str
    errors: str

    @property
    def directory(self) -> RunDirectory:
        return RunDirectory(self.home / self.output.splitlines()[-1])

    @property
    def predictions(self) -> pd.DataFrame:
        return pd.read_csv(self.directory.path / "predictions.csv")

    @property
    def metrics(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.directory.metrics.read_text(encoding="utf-8"))
        return content

    @property
    def splits(self) -> Splits:
        return load_splits(replace(self.directory.read_config().data, cache="none"))


def run_script(
    name: str, *arguments: str, cwd: Path, prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a script; kill all of its processes if it does not end."""
    process = subprocess.Popen(
        [sys.executable, *prefix, str(ROOT / "scripts" / name), *arguments],
        cwd=cwd,
        env=os.environ | {"XDG_CACHE_HOME": str(cwd / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


@pytest.fixture(scope="module", params=NETWORKS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DistributedRun:
    home = tmp_path_factory.mktemp("ddp")
    digits(300).to_csv(home / "digits.csv", index=False)
    network: Sequence[str] = NETWORKS[request.param]
    finished = run_script("train.py", *COMMON, *network, *TWO_PROCESSES, cwd=home)
    assert finished.returncode == 0, finished.stderr
    return DistributedRun(home, finished.stdout, finished.stderr)


def test_there_is_one_run_whose_messages_are_printed_once(run: DistributedRun) -> None:
    assert list((run.home / "outputs" / "runs").iterdir()) == [run.directory.path]
    assert run.directory.read_manifest()["state"] == "finished"
    assert pd.read_csv(run.directory.history)["epoch"].tolist() == [1, 2, 3]
    assert run.output.count("epoch 1/3") == run.output.count("epoch 3/3") == 1
    assert run.output.count("test/acc") == 1
    assert "Traceback" not in run.errors


def test_each_test_row_is_predicted_once_and_in_order(run: DistributedRun) -> None:
    # The number of rows is odd, and one process has more batches than the other.
    assert (len(run.splits.test), len(run.splits.val)) == (TEST_ROWS, VAL_ROWS)
    assert run.predictions["row"].tolist() == run.splits.test.indices.tolist()
    assert run.predictions["label"].tolist() == run.splits.test.labels.tolist()


def test_test_metrics_are_those_of_the_predictions(run: DistributedRun) -> None:
    table = run.predictions
    labels = table["label"].to_numpy()
    probabilities = table[[f"probability {digit}" for digit in range(10)]].to_numpy()
    loss = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
    assert table["prediction"].tolist() == probabilities.argmax(axis=1).tolist()
    assert run.metrics["test/loss"] == pytest.approx(loss, abs=1e-5)
    assert run.metrics["test/acc"] == pytest.approx((table["prediction"] == labels).mean())
    f1 = f1_score(labels, table["prediction"], average="macro")
    assert run.metrics["test/f1"] == pytest.approx(f1, abs=1e-6)
    counts = pd.read_csv(run.directory.path / "confusion_matrix.csv", index_col=0)
    assert counts.to_numpy().sum() == TEST_ROWS


def test_probabilities_are_those_of_the_loaded_classifier(run: DistributedRun) -> None:
    test = run.splits.test
    images = torch.from_numpy(test.table.images[test.indices])
    expected = csvision.load(run.directory.path).predict_proba(images).numpy()
    found = run.predictions[[f"probability {digit}" for digit in range(10)]].to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_validation_metrics_are_those_of_the_loaded_classifier(run: DistributedRun) -> None:
    val = run.splits.val
    images, labels = torch.from_numpy(val.table.images[val.indices]), torch.from_numpy(val.labels)
    probabilities = csvision.load(run.directory.path).predict_proba(images)
    accuracy = (probabilities.argmax(dim=1) == labels).float().mean()
    loss = -probabilities[torch.arange(len(labels)), labels].log().mean()
    assert run.metrics["val/acc"] == pytest.approx(float(accuracy), abs=1e-6)
    assert run.metrics["val/loss"] == pytest.approx(float(loss), abs=1e-5)


@pytest.mark.parametrize("run", ["batch norm"], indirect=True)
def test_evaluation_in_one_process_gives_the_same_metrics(run: DistributedRun) -> None:
    result = csvision.evaluate(run.directory.path, "quiet=true")
    for name, value in result.metrics.items():
        assert value == pytest.approx(run.metrics[name], abs=1e-6)
    assert result.subset.indices.tolist() == run.predictions["row"].tolist()


@pytest.mark.parametrize("run", ["mlp"], indirect=True)
def test_weights_equal_those_of_one_process_with_twice_the_batch_size(
    run: DistributedRun, digits_csv: Path
) -> None:
    single = csvision.train(*COMMON, *MLP, "batch_size=32", "quiet=true")
    state = csvision.load(run.directory.path).network.state_dict()
    for name, weights in single.classifier.network.state_dict().items():
        torch.testing.assert_close(state[name], weights, atol=1e-5, rtol=1e-4)
    for name, value in single.metrics.items():
        assert run.metrics[name] == pytest.approx(value, abs=1e-4)


OPTIONS = (
    *("gradient_clip=1", "ema.decay=0.9", "loss.label_smoothing=0.1", "scheduler=plateau"),
    *("scheduler.patience=0", "scheduler.min_delta=0.5", "scheduler.warmup_epochs=0.5"),
    *("early_stopping.patience=2", "early_stopping.min_delta=1", "monitor=val/balanced_acc"),
    *("data.balanced_sampling=true", "optimizer=sgd", "epochs=4"),
)


def test_options_give_the_weights_of_one_process_with_twice_the_batch_size(
    digits_csv: Path,
) -> None:
    arguments = (*COMMON, *MLP, *OPTIONS, *TWO_PROCESSES)
    finished = run_script("train.py", *arguments, cwd=Path.cwd())
    assert finished.returncode == 0, finished.stderr
    run = DistributedRun(Path.cwd(), finished.stdout, finished.stderr)
    single = csvision.train(*COMMON, *MLP, *OPTIONS, "batch_size=32", "quiet=true")
    history, expected = (
        pd.read_csv(RunDirectory(path).history).drop(columns="seconds")
        for path in (run.directory.path, single.directory)
    )
    assert history["epoch"].tolist() == [1, 2, 3]
    pd.testing.assert_frame_equal(history, expected, rtol=1e-4)
    state = csvision.load(run.directory.path).network.state_dict()
    for name, weights in single.classifier.network.state_dict().items():
        torch.testing.assert_close(state[name], weights, atol=1e-5, rtol=1e-4)


KILL_AFTER_TWO_EPOCHS = """
import os, runpy, signal, sys
from csvision.callbacks.checkpoint import CheckpointCallback
save_last = CheckpointCallback.save_last

def kill(self, trainer):
    save_last(self, trainer)
    if trainer.current_epoch == 1:
        os.killpg(0, signal.SIGKILL)

CheckpointCallback.save_last = kill
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script whose processes are killed after the second epoch."""


@pytest.mark.parametrize("run", ["batch norm"], indirect=True)
def test_killed_run_is_resumed_to_the_same_weights(
    run: DistributedRun, digits_csv: Path, tmp_path: Path
) -> None:
    arguments = (*COMMON, *BATCH_NORM, *TWO_PROCESSES)
    prefix = ("-c", KILL_AFTER_TWO_EPOCHS)
    killed = run_script("train.py", *arguments, cwd=tmp_path, prefix=prefix)
    assert killed.returncode == -signal.SIGKILL
    (path,) = tmp_path.glob("outputs/runs/*")
    directory = RunDirectory(path)
    assert directory.read_manifest()["state"] == "running"
    resumed = run_script("resume.py", f"run={path}", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    expected = run.directory.read_manifest()
    assert directory.read_manifest()["weights_sha256"] == expected["weights_sha256"]
    assert pd.read_csv(directory.history)["epoch"].tolist() == [1, 2, 3]

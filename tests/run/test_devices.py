"""Several processes that train together: real ones, on the CPU, and how they share the rows."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score

import csvision
from csvision.data.batches import BatchLoader, Place
from csvision.data.split import Part, Parts, read_parts
from csvision.data.table import table_of
from csvision.errors import DataError
from csvision.run.directory import RunDirectory
from csvision.run.recorded_config import read_config

SCRIPTS = Path(__file__).parents[2] / "scripts"
ROWS, TEST_ROWS, VAL_ROWS = 300, 65, 33
EPOCHS = 2
DATA = ("data=csv", "data.csv=digits.csv", "data.test_size=0.2166", "data.val_size=0.14")
CPU = ("accelerator=cpu", "accelerator.threads=1", "logger=none", f"epochs={EPOCHS}")
NETWORKS = {
    "mlp": ("model=mlp", "model.hidden=[16]"),
    "batch norm": (
        "model.stages=[{filters:4,normalization:batch,residual:1}]",
        "model.hidden=[]",
        "data.standardize=true",
        "augmentation.shift=1",
    ),
}


@dataclass(frozen=True)
class Run:
    """What training in two processes printed and left behind."""

    home: Path
    output: str
    complaints: str

    @property
    def directory(self) -> Path:
        return self.home / self.output.splitlines()[-1]

    @property
    def predictions(self) -> pd.DataFrame:
        return pd.read_csv(self.directory / "predictions.csv")

    @property
    def metrics(self) -> dict[str, Any]:
        return read_json(self.directory / "metrics.json")

    @property
    def parts(self) -> Parts:
        data = read_config(RunDirectory(self.directory)).data
        data.csv, data.cache = str(self.home / "digits.csv"), "none"
        return read_parts(data)


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def run_script(name: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as a user does; none of its processes outlives a test that waits in vain."""
    process = subprocess.Popen(
        [sys.executable, SCRIPTS / name, *arguments],
        cwd=cwd,
        env=os.environ | {"XDG_CACHE_HOME": str(cwd / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, complaints = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, complaints)


def write_digits(folder: Path) -> None:
    images, labels = load_digits(return_X_y=True)
    table = pd.DataFrame(np.rint(images[:ROWS] * 255 / 16).astype(int))
    table.insert(0, "label", labels[:ROWS])
    table.to_csv(folder / "digits.csv", index=False)


@pytest.fixture(scope="module", params=NETWORKS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("two_processes")
    write_digits(home)
    network: Sequence[str] = NETWORKS[request.param]
    arguments = (*DATA, *CPU, *network, "accelerator.devices=2", "batch_size=16")
    finished = run_script("train.py", *arguments, cwd=home)
    assert finished.returncode == 0, finished.stderr
    return Run(home, finished.stdout, finished.stderr)


def test_one_run_is_left_behind_and_told_once(run: Run) -> None:
    assert list((run.home / "outputs" / "runs").iterdir()) == [run.directory]
    assert read_json(run.directory / "run.json")["state"] == "finished"
    history = pd.read_csv(run.directory / "history.csv")
    assert history["epoch"].tolist() == [1, 2]
    assert run.output.count("epoch 1/2") == run.output.count("epoch 2/2") == 1
    assert run.output.count("test/acc") == 1
    assert "Traceback" not in run.complaints


def test_every_test_row_is_predicted_once_and_in_order(run: Run) -> None:
    # An odd number of rows, and more batches in one process than in the other.
    assert (len(run.parts.test), len(run.parts.val)) == (TEST_ROWS, VAL_ROWS)
    assert run.predictions["row"].tolist() == run.parts.test.rows.tolist()
    assert run.predictions["label"].tolist() == run.parts.test.labels.tolist()


def test_the_figures_are_those_of_the_predictions(run: Run) -> None:
    table = run.predictions
    labels = table["label"].to_numpy()
    probabilities = table[[f"probability {digit}" for digit in range(10)]].to_numpy()
    loss = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
    assert table["prediction"].tolist() == probabilities.argmax(axis=1).tolist()
    assert run.metrics["test/loss"] == pytest.approx(loss, abs=1e-5)
    assert run.metrics["test/acc"] == pytest.approx((table["prediction"] == labels).mean())
    f1 = f1_score(labels, table["prediction"], average="macro")
    assert run.metrics["test/f1"] == pytest.approx(f1, abs=1e-6)
    confusion = pd.read_csv(run.directory / "confusion_matrix.csv", index_col=0)
    assert confusion.to_numpy().sum() == TEST_ROWS


def test_the_probabilities_are_those_of_the_kept_classifier(run: Run) -> None:
    images = torch.from_numpy(run.parts.test.table.images)[run.parts.test.rows]
    expected = csvision.load(run.directory).probabilities(images).numpy()
    found = run.predictions[[f"probability {digit}" for digit in range(10)]].to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_validation_figures_are_those_of_the_kept_classifier(run: Run) -> None:
    part = run.parts.val
    images, labels = torch.from_numpy(part.table.images)[part.rows], torch.from_numpy(part.labels)
    probabilities = csvision.load(run.directory).probabilities(images)
    accuracy = (probabilities.argmax(dim=1) == labels).float().mean()
    loss = -probabilities[torch.arange(len(labels)), labels].log().mean()
    assert run.metrics["val/acc"] == pytest.approx(float(accuracy), abs=1e-6)
    assert run.metrics["val/loss"] == pytest.approx(float(loss), abs=1e-5)


@pytest.mark.parametrize("run", ["batch norm"], indirect=True)
def test_one_process_evaluates_the_run_to_the_same_figures(run: Run) -> None:
    finished = run_script("evaluate.py", f"run={run.directory}", cwd=run.home)
    assert finished.returncode == 0, finished.stderr
    (folder,) = (run.directory / "evaluations").iterdir()
    metrics = read_json(folder / "metrics.json")
    for name in ("test/loss", "test/acc", "test/f1"):
        assert metrics[name] == pytest.approx(run.metrics[name], abs=1e-6)
    assert pd.read_csv(folder / "predictions.csv")["row"].equals(run.predictions["row"])


@pytest.mark.parametrize("run", ["mlp"], indirect=True)
def test_two_processes_learn_what_one_does_from_batches_of_twice_the_size(run: Run) -> None:
    write_digits(Path())
    single = csvision.train(*DATA, *CPU, *NETWORKS["mlp"], "batch_size=32", "quiet=true")
    state = csvision.load(run.directory).network.state_dict()
    for name, weights in single.classifier.network.state_dict().items():
        torch.testing.assert_close(state[name], weights, atol=1e-5, rtol=1e-4)
    for name, value in single.metrics.items():
        assert run.metrics[name] == pytest.approx(value, abs=1e-4)


def test_a_sweep_of_jobs_in_several_processes_is_refused(tmp_path: Path) -> None:
    write_digits(tmp_path)
    arguments = ("-m", *DATA, *CPU, "seed=0,1", "accelerator.devices=2")
    refused = run_script("train.py", *arguments, cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == ("error: accelerator.devices: a sweep trains each job on one device\n")
    assert not (tmp_path / "outputs").exists()


def test_a_part_with_fewer_rows_than_processes_is_refused(tmp_path: Path) -> None:
    write_digits(tmp_path)
    digits = (tmp_path / "digits.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "one.csv").write_text("\n".join(digits[:2]), encoding="utf-8")
    arguments = (*DATA, *CPU, "data.test_csv=one.csv", "data.test_size=0.2")
    refused = run_script("train.py", *arguments, "accelerator.devices=2", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == ("error: accelerator.devices=2: 1 test rows are too few for that\n")
    assert not list(tmp_path.glob("outputs/runs/*"))


def test_each_part_needs_as_many_rows_as_there_are_processes_unless_it_is_empty() -> None:
    enough, few, none = (numbered_part(range(rows)) for rows in (4, 3, 0))
    Parts(enough, enough, enough).require_rows(4)
    Parts(enough, none, enough).require_rows(4)
    for parts in (Parts(few, enough, enough), Parts(enough, few, enough)):
        with pytest.raises(DataError, match=r"3 (training|validation) rows are too few"):
            parts.require_rows(4)


def numbered_part(rows: Sequence[int]) -> Part:
    """Rows of a table in which the class of a row is its number and each pixel half of that."""
    numbers = np.arange(60)
    images = np.broadcast_to((numbers // 2).astype(np.uint8)[:, None, None, None], (60, 1, 2, 2))
    names = [str(number) for number in numbers]
    table = table_of(images.copy(), numbers, list(range(60)), names)
    return Part(table, np.array(rows, dtype=np.int64))


def share(
    part: Part, rank: int, ranks: int, batch_size: int = 7, seed: int | None = None, epoch: int = 0
) -> list[int]:
    """The rows of all batches that one of several processes gets."""
    loader = BatchLoader(part, batch_size, seed, Place(rank=rank, ranks=ranks))
    loader.set_epoch(epoch)
    batches = list(loader)
    assert len(batches) == len(loader)
    assert all(len(labels) == batch_size for _, labels in batches[:-1])
    assert all(torch.equal(images[:, 0, 0, 0], labels // 2) for images, labels in batches)
    return [int(label) for _, labels in batches for label in labels]


rows_of_a_part = st.permutations(range(60)).flatmap(
    lambda rows: st.integers(0, 50).map(lambda size: rows[:size])
)


def test_a_killed_run_of_two_processes_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    write_digits(tmp_path)
    arguments = (*DATA, *CPU, *NETWORKS["mlp"], "accelerator.devices=2", "epochs=40")
    arguments += ("model.dropout=0.2", "quiet=true")
    whole = run_script("train.py", *arguments, "outputs=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    process = subprocess.Popen(
        [sys.executable, SCRIPTS / "train.py", *arguments], cwd=tmp_path, start_new_session=True
    )
    patience = time.monotonic() + 60
    while not any(tmp_path.glob("outputs/runs/*/checkpoints/previous.ckpt")):
        assert time.monotonic() < patience
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (directory,) = tmp_path.glob("outputs/runs/*")
    assert read_json(directory / "run.json")["state"] == "running"
    resumed = run_script("resume.py", f"run={directory}", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    expected = read_json(tmp_path / whole.stdout.splitlines()[-1] / "run.json")
    assert read_json(directory / "run.json")["weights_sha256"] == expected["weights_sha256"]
    assert pd.read_csv(directory / "history.csv")["epoch"].tolist() == [*range(1, 41)]


@given(rows_of_a_part, st.integers(1, 4), st.integers(1, 60))
def test_evaluation_gives_every_row_to_exactly_one_process(
    rows: list[int], ranks: int, batch_size: int
) -> None:
    part = numbered_part(rows)
    shares = [share(part, rank, ranks, batch_size) for rank in range(ranks)]
    assert [shares[index % ranks][index // ranks] for index in range(len(rows))] == rows
    assert sum(map(len, shares)) == len(rows)


@given(rows_of_a_part, st.integers(1, 4), st.integers(0, 2**40), st.integers(0, 5))
def test_training_gives_equally_many_rows_to_each_process_and_none_to_two(
    rows: list[int], ranks: int, seed: int, epoch: int
) -> None:
    part = numbered_part(rows)
    shares = [share(part, rank, ranks, seed=seed, epoch=epoch) for rank in range(ranks)]
    given_out = [row for rows_of_one in shares for row in rows_of_one]
    assert {len(rows_of_one) for rows_of_one in shares} == {len(rows) // ranks}
    assert len(set(given_out)) == len(given_out)
    assert set(given_out) <= set(rows)


def test_other_rows_are_left_out_in_other_epochs() -> None:
    part = numbered_part(range(11))
    left_out = {
        row
        for epoch in range(60)
        for row in set(range(11))
        - {row for rank in range(4) for row in share(part, rank, 4, seed=0, epoch=epoch)}
    }
    assert left_out == set(range(11))

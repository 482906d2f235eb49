"""Reproductions: bitwise identical results, or a report of what differs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

import csvision
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.reproduce import max_weight_diff
from tests.conftest import ROOT, SMALL_CNN, SMALL_RUN, SMALL_TRAINING
from tests.run.interrupt import CUSTOM_CODE, CUSTOM_MODEL

pytestmark = pytest.mark.usefixtures("digits_csv")


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.slow
def test_results_are_identical_whatever_logger_and_checkpoint_interval() -> None:
    run = csvision.train(*SMALL_RUN, "logger=tensorboard", "checkpoint_interval_seconds=0.01")
    comparison = csvision.reproduce(run.directory)
    assert comparison.equal
    assert comparison.differences == []
    assert comparison.reproduction.parent == run.directory / "reproductions"


@pytest.mark.slow
def test_changed_pixel_is_refused(digits_csv: Path) -> None:
    run = csvision.train(*SMALL_TRAINING, *SMALL_CNN)
    table = pd.read_csv(digits_csv)
    table.iloc[run.splits.train.indices[0], 1 + 4 * 8 + 4] ^= 255
    table.to_csv(digits_csv, index=False)
    with pytest.raises(RunError, match=rf"{digits_csv} has changed"):
        csvision.reproduce(run.directory)


@pytest.mark.slow
def test_changed_learning_rate_is_reported(small_run: RunDirectory) -> None:
    replace_in(small_run.manifest, '"lr": 0.03', '"lr": 0.02')
    comparison = csvision.reproduce(small_run.path)
    assert not comparison.equal
    assert comparison.differences[0] == "config: optimizer.lr was 0.03 and is 0.02"
    assert float(comparison.differences[1].split()[5]) > 0


@pytest.mark.slow
def test_changed_code_of_a_custom_network_is_reported() -> None:
    Path("net.py").write_text(CUSTOM_CODE, encoding="utf-8")
    run = csvision.train(*SMALL_TRAINING, *CUSTOM_MODEL)
    assert csvision.reproduce(run.directory, "net.py:Net").equal
    replace_in(Path("net.py"), "Dropout(0.2)", "Dropout(0.21)")
    comparison = csvision.reproduce(run.directory, "net.py:Net")
    assert not comparison.equal
    assert comparison.differences[0].startswith("code: model.path was ")


@pytest.mark.slow
def test_changed_code_of_csvision_is_reported(
    small_run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("src", "conf"):
        shutil.copytree(ROOT / folder, tmp_path / "modified" / folder)
    cnn = tmp_path / "modified" / "src" / "csvision" / "models" / "cnn.py"
    replace_in(cnn, "return logits", "return 1.01 * logits")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modified" / "src"))
    command = [sys.executable, str(ROOT / "scripts" / "reproduce.py"), f"run={small_run.path}"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1, ended.stderr
    assert "code: models/cnn.py was " in ended.stdout
    assert "weights: differ by at most " in ended.stdout


@pytest.mark.slow
def test_largest_difference_of_weights_names_the_layer(small_run: RunDirectory) -> None:
    content = torch.load(small_run.last, weights_only=True)
    assert max_weight_diff(small_run.last, small_run.last) == ""
    content["state_dict"]["network.logits.bias"][3] += 0.5
    torch.save(content, small_run.best)
    expected = "weights: differ by at most 0.5 (logits.bias)"
    assert max_weight_diff(small_run.last, small_run.best) == expected
    del content["state_dict"]["network.logits.bias"]
    torch.save(content, small_run.best)
    assert max_weight_diff(small_run.last, small_run.best) == "weights: different layers"


@pytest.mark.slow
def test_changed_version_is_reported(small_run: RunDirectory) -> None:
    version = small_run.read_manifest()["versions"]["torch"]
    replace_in(small_run.manifest, f'"torch": "{version}"', '"torch": "1"')
    comparison = csvision.reproduce(small_run.path)
    assert comparison.equal
    assert comparison.differences == [f"versions: torch was 1 and is {version}"]


def test_unfinished_run_is_refused(interrupted_run: RunDirectory) -> None:
    hint = f"resume run={interrupted_run.path.name}"
    with pytest.raises(RunError, match=f"run={interrupted_run.path} is not finished; .*{hint}"):
        csvision.reproduce(interrupted_run.path)

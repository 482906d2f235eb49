"""A run repeated: equal to the bit, or what differs is named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import csvision
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from tests.conftest import ROOT
from tests.run.small import NET, NO_MODEL, OWN, SMALL, manifest, unfinished

DIGITS = ("data=csv", "data.csv=digits.csv")

OWN_DIGITS = (*NO_MODEL, *DIGITS, *OWN)


def test_equal_whatever_does_not_count(digits_csv: Path) -> None:
    run = csvision.train(*SMALL, *DIGITS, "logger=tensorboard", "checkpoint_seconds=0.01")
    result = csvision.reproduce(run.directory)
    assert result.equal
    assert result.differences == []
    assert result.repetition.parent == run.directory / "reproductions"


def test_equal_with_a_progress_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = csvision.train(*SMALL)
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(sys.stdout, "isatty", lambda: True)
        shown = csvision.train(*SMALL, "quiet=false")
    assert "it/s" in capsys.readouterr().out
    first, second = (manifest(each.directory) for each in (run, shown))
    assert first["weights_sha256"] == second["weights_sha256"]


def test_a_pixel_of_the_data_is_named(digits_csv: Path) -> None:
    run = csvision.train(*SMALL, *DIGITS, "augmentation=none")
    table = pd.read_csv(digits_csv)
    table.iloc[run.parts.train.rows[0], 1 + 4 * 8 + 4] ^= 255
    table.to_csv(digits_csv, index=False)
    result = csvision.reproduce(run.directory)
    assert not result.equal
    first, *_, last = result.differences
    assert first.startswith("data: sha256 was ")
    assert last.startswith("weights: differ by at most ")


def test_a_learning_rate_is_named() -> None:
    run = RunDirectory(csvision.train(*SMALL).directory)
    text = run.manifest.read_text(encoding="utf-8")
    run.manifest.write_text(text.replace('"lr": 0.003', '"lr": 0.002'), encoding="utf-8")
    result = csvision.reproduce(run.path)
    assert not result.equal
    assert result.differences[0] == "config: optimizer.lr was 0.003 and is 0.002"
    assert float(result.differences[1].split()[5]) > 0


def test_a_line_of_an_own_network_is_named(digits_csv: Path) -> None:
    Path("net.py").write_text(NET, encoding="utf-8")
    run = csvision.train(*OWN_DIGITS)
    with pytest.raises(RunError, match=r"name its code: model\.path=FILE\.py:CLASS"):
        csvision.reproduce(run.directory)
    assert csvision.reproduce(run.directory, "net.py:Net").equal
    Path("net.py").write_text(NET.replace("Dropout(0.2)", "Dropout(0.21)"), encoding="utf-8")
    result = csvision.reproduce(run.directory, "net.py:Net")
    assert not result.equal
    assert result.differences[0].startswith("code: model.path was ")


def test_a_line_of_csvision_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = csvision.train(*SMALL)
    for folder in ("src", "conf"):
        shutil.copytree(ROOT / folder, tmp_path / "other" / folder)
    file = tmp_path / "other" / "src" / "csvision" / "models" / "cnn.py"
    text = file.read_text(encoding="utf-8")
    changed = text.replace("return logits", "return 1.01 * logits")
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "other" / "src"))
    command = [sys.executable, str(ROOT / "scripts" / "reproduce.py"), f"run={run.directory}"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1, ended.stderr
    assert "code: models/cnn.py was " in ended.stdout
    assert "weights: differ by at most " in ended.stdout


def test_a_version_is_named() -> None:
    run = RunDirectory(csvision.train(*SMALL, "epochs=1").directory)
    version = manifest(run)["versions"]["torch"]
    text = run.manifest.read_text(encoding="utf-8")
    run.manifest.write_text(text.replace(f'"torch": "{version}"', '"torch": "1"'), "utf-8")
    result = csvision.reproduce(run.path)
    assert result.equal
    assert result.differences == [f"versions: torch was 1 and is {version}"]


def test_a_run_that_has_not_finished_is_refused() -> None:
    with pytest.raises(RunError, match=r"has not finished; python scripts/resume\.py"):
        csvision.reproduce(unfinished(20).path)

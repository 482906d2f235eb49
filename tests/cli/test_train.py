"""`csvision train`: what it prints, how often it reads its file, how it is interrupted."""

import json
import os
import signal
import subprocess
import sys
import time
from math import inf
from pathlib import Path
from typing import Any

import pytest

from csvision.cli.sweep_value import worst_value
from csvision.command_hints import display_path
from csvision.data import parse_file
from csvision.data.parsed_rows import Rows
from csvision.data.source import Source
from csvision.run.directory import RunDirectory
from tests.cli.conftest import RunCommand

QUICK = (
    "data=csv",
    "data.csv=digits.csv",
    "model=mlp",
    "model.hidden=[8]",
    "epochs=1",
    "accelerator=cpu",
    "launcher=serial",
    "logger=none",
)

pytestmark = pytest.mark.usefixtures("digits_csv")


@pytest.mark.slow
def test_prints_epochs_metrics_and_the_relative_path_of_the_run(
    csvision_command: RunCommand,
) -> None:
    output = csvision_command("train", *QUICK)
    assert (output.code, output.err) == (0, "")
    *_, epoch, metrics, path = output.out.splitlines()
    assert epoch.startswith("epoch 1/1  train/loss ")
    assert "test/acc " in metrics
    assert path.startswith("outputs/runs/")
    assert RunDirectory(Path(path)).read_manifest()["state"] == "finished"


@pytest.mark.slow
def test_quiet_prints_only_the_path(csvision_command: RunCommand) -> None:
    (path,) = csvision_command("train", *QUICK, "quiet=true").out.splitlines()
    assert RunDirectory(Path(path)).read_manifest()["state"] == "finished"


@pytest.mark.slow
def test_run_outside_the_current_directory_has_an_absolute_path(
    csvision_command: RunCommand, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("elsewhere")
    (path,) = csvision_command(
        "train", *QUICK, "quiet=true", f"output_dir={folder}"
    ).out.splitlines()
    assert Path(path).is_relative_to(folder)


def count_parsed_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the path of each file that is parsed."""
    parsed: list[str] = []
    parse_rows = parse_file.parse_rows

    def counting(opened: Source, *arguments: Any) -> Rows:
        parsed.append(str(opened.path))
        return parse_rows(opened, *arguments)

    monkeypatch.setattr(parse_file, "parse_rows", counting)
    return parsed


@pytest.mark.slow
@pytest.mark.parametrize("sweep", [(), ("-m", "seed=0,1", "optimizer.lr=0.1,0.2")], ids=str)
def test_file_is_read_once_per_command(
    sweep: tuple[str, ...], csvision_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = count_parsed_files(monkeypatch)
    # Without a cache on disk, each read would parse the file.
    output = csvision_command("train", *QUICK, "quiet=true", "data.cache=none", *sweep)
    assert output.code == 0
    assert parsed == ["digits.csv"]


@pytest.mark.slow
def test_next_command_reads_the_file_again(csvision_command: RunCommand) -> None:
    csvision_command("train", *QUICK, "quiet=true", "data.cache=none")
    Path("digits.csv").write_text("label,a,b,c,d\n0,1,1,1,90\n1,x,1,1,1\n", encoding="utf-8")
    assert "line 3" in csvision_command("train", *QUICK, "data.cache=none").error


@pytest.mark.slow
def test_sweep_prints_each_job_and_the_table(csvision_command: RunCommand) -> None:
    output = csvision_command("train", "-m", *QUICK, "quiet=true", "seed=0,1")
    lines = output.out.splitlines()
    assert next(line for line in lines if line.startswith("job ")).startswith("job 0: ")
    assert output.out.count(" finished") == 2
    assert "mean +- standard deviation over seeds" in lines
    assert (Path(lines[-1]) / "sweep.csv").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("sweep", [False, True], ids=["run", "sweep"])
def test_interrupted_command_exits_with_130_and_says_once_how_to_resume(sweep: bool) -> None:
    sweeping = ("-m", "seed=0,1") if sweep else ()
    command = [sys.executable, "-m", "csvision", "train", *sweeping, *QUICK, "epochs=100000"]
    # A background process ignores Ctrl-C, and so would its children.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, handler)
    try:
        directory = wait_for_two_epochs("sweeps/*" if sweep else "runs")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    manifest = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    assert manifest["state"] == "interrupted"
    assert (directory / "checkpoints/last.ckpt").is_file()
    (hint,) = [line for line in out.splitlines() if "interrupted" in line]
    assert "interrupted" not in err
    target = directory.parent if sweep else directory
    assert hint.endswith(f" csvision resume run={display_path(target)}")


def wait_for_two_epochs(folder: str) -> Path:
    """Return the directory of the first run with two finished epochs."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for history in Path("outputs").glob(f"{folder}/*/history.csv"):
            if history.read_text(encoding="utf-8").count(os.linesep) > 2:
                return history.parent
        time.sleep(0.05)
    raise AssertionError("no epoch in two minutes")


@pytest.mark.parametrize(
    ("sweeper", "value"),
    [
        ({}, inf),
        ({"direction": "minimize"}, inf),
        ({"direction": "maximize"}, -inf),
        ({"direction": "Direction.maximize"}, -inf),
        ({"direction": None}, inf),
    ],
)
def test_failed_job_has_the_worst_value_for_a_search(sweeper: dict[str, str], value: float) -> None:
    assert worst_value(sweeper) == value

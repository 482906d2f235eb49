"""What a user can get wrong, each in a real process: one line, exit code 2, nothing left behind."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from csvision import config

SCRIPTS = config.conf_dir().parent / "scripts"
HEADER = "label,a,b,c,d\n"
ROWS = "0,1,2,3,4\n1,5,6,7,8\n" * 5
"""Ten rows of two labels; the row after them is line 12."""

FILES = {
    "empty.csv": "",
    "no_pixels.csv": "label\n0\n1\n",
    "text.csv": HEADER + ROWS + "1,5,cat,7,8\n",
    "nan.csv": HEADER + ROWS + "1,5,NaN,7,8\n",
    "large.csv": HEADER + ROWS + "1,5,6,300,8\n",
    "negative.csv": HEADER + ROWS + "1,-5,6,7,8\n",
    "rare.csv": HEADER + ROWS * 2 + "77,5,6,7,8\n",
    "short_row.csv": HEADER + ROWS + "1,5,6,7\n",
    "long_row.csv": HEADER + ROWS + "1,5,6,7,8,9\n",
    "783.csv": ",".join(["label", *map("p{}".format, range(783))])
    + ("\n0" + ",7" * 783 + "\n1" + ",7" * 783) * 5,
    "good.csv": HEADER + ROWS,
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for name, content in FILES.items():
        (folder / name).write_text(content)
    return folder


def refusal(script: str, *arguments: str) -> str:
    """What a script that refuses its arguments says after `error: `."""
    command = [sys.executable, str(SCRIPTS / script), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert list(Path().iterdir()) == []
    return line.removeprefix("error: ")


DATA = {
    "missing.csv": ": there is no such file; check data.csv",
    "empty.csv": " is empty; a header and one row an image are needed",
    "no_pixels.csv": ", line 1: there are no pixel columns after the label; "
    "cells are parted by commas",
    "text.csv": ", line 12, column b: 'cat' is no number",
    "nan.csv": ", line 12, column b: 'NaN' is missing",
    "large.csv": ", line 12, column c: '300' is outside 0 to 255",
    "negative.csv": ", line 12, column a: '-5' is outside 0 to 255",
    "rare.csv": ": label 77 has one row in the training part where a validation part needs two; "
    "add rows or write data.val_size=0",
    "short_row.csv": ", line 12: 4 cells where the header has 5",
    "long_row.csv": ", line 12: 6 cells where the header has 5",
    "783.csv": " has 783 pixel columns, which is no square (the nearest are 729 and 784); "
    "give data.image_shape, such as [1,27,29] or [1,9,87] or [1,3,261]",
}


@pytest.mark.parametrize(("name", "complaint"), DATA.items())
def test_a_file_is_refused_by_row_and_column(name: str, complaint: str, inputs: Path) -> None:
    line = refusal("train.py", "data=csv", f"data.csv={inputs / name}", "data.test_size=0.02")
    assert line == f"{inputs / name}{complaint}"


CONFIGURATION = [
    ("optimizer.learning_rate=1", "there is no key optimizer.learning_rate"),
    ("epochs=many", "epochs=many: "),
    ("optimizer.lr=-1", "optimizer.lr=-1.0 must be > 0"),
    ("model=resnet", "model=resnet: there is none; choose from cnn, custom, mlp"),
    ("--epochs", "there is no option --epochs"),
]


@pytest.mark.parametrize(("argument", "complaint"), CONFIGURATION)
def test_a_configuration_is_refused_by_key(argument: str, complaint: str) -> None:
    assert refusal("train.py", argument).startswith(complaint)


def test_a_feature_map_that_vanishes_is_refused_by_layer_and_size(inputs: Path) -> None:
    own = ("data=csv", f"data.csv={inputs / 'good.csv'}", "data.val_size=0.3")
    line = refusal("train.py", *own, "model.stages.1.kernel_size=7")
    assert line.startswith("model.stages.1.convolution: kernel_size=7, ")
    assert "1x1 input" in line


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the GPU that is asked for")
def test_an_accelerator_that_is_not_there_is_refused_by_what_is() -> None:
    line = refusal("train.py", "accelerator=gpu")
    assert line.startswith("accelerator=gpu is not there; this machine has cpu")


def test_outputs_that_are_a_file_are_refused(inputs: Path) -> None:
    file = inputs / "good.csv"
    line = refusal("train.py", f"outputs={file / 'below'}")
    assert line == f"outputs={file / 'below'}: {file} is no folder; name another"


def test_a_sweep_is_refused_before_its_first_job(inputs: Path) -> None:
    line = refusal(
        "train.py",
        "-m",
        "model=mlp",
        "data=csv",
        "data.val_size=0.3",
        f"data.csv={inputs / 'good.csv'},{inputs / 'text.csv'}",
        "optimizer.lr=0.1,0.2",
    )
    assert line == f"{inputs / 'text.csv'}, line 12, column b: 'cat' is no number"


def test_a_folder_that_is_no_run_cannot_be_evaluated(inputs: Path) -> None:
    line = refusal("evaluate.py", f"run={inputs}")
    assert line == f"run={inputs} is no run: it has no run.json; name a folder that train.py made"


def test_without_a_run_nothing_can_be_predicted(inputs: Path) -> None:
    run = inputs / "no such run"
    line = refusal("predict.py", f"run={run}", f"data.csv={inputs / 'good.csv'}")
    assert line == f"run={run}: there is no such folder"

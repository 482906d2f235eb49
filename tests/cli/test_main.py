"""The entry point: which command runs, what it prints, and with which code it exits."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from csvision.cli.commands import BUILT_IN
from csvision.command_hints import SCRIPTS
from tests.cli.conftest import RunCommand
from tests.conftest import ROOT

HEADER = "label,a,b,c,d\n"
ROWS = "0,1,2,3,40\n1,5,6,7,80\n" * 5
"""Ten rows with two labels; the row after them is in line 12."""

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

OWN_FILE = ("data=csv", "data.csv=digits.csv", "accelerator=cpu", "logger=none")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write FILES into a folder."""
    folder = tmp_path_factory.mktemp("inputs")
    for name, content in FILES.items():
        (folder / name).write_text(content)
    return folder


class TestCommandName:
    def test_version_is_that_of_the_package(self, csvision_command: RunCommand) -> None:
        assert csvision_command("--version").out == f"csvision {version('csvision')}\n"

    def test_unknown_command_suggests_a_similar_one(self, csvision_command: RunCommand) -> None:
        error = csvision_command("trian", "seed=1").error
        assert error.startswith("trian: unknown command")
        assert "train?" in error

    def test_underscore_instead_of_hyphen_is_recognized(self, csvision_command: RunCommand) -> None:
        assert "inspect-data?" in csvision_command("inspect_data").error

    def test_unknown_command_without_similar_one_lists_all(
        self, csvision_command: RunCommand
    ) -> None:
        error = csvision_command("xyzzy").error
        assert all(command.name in error for command in BUILT_IN)

    @pytest.mark.slow
    def test_module_runs_the_command_in_a_process(self) -> None:
        command = [sys.executable, "-m", "csvision", "train", "epochs=0"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == "error: epochs=0 must be >= 1 and <= 1000000\n"


class TestInvalidConfiguration:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("arguments", "parts"),
        [
            (["sed=1"], ["sed: ", "seed?"]),
            (["optimizer.learning_rate=1"], ["optimizer.learning_rate: ", "optimizer.lr?"]),
            (["lr=0.1"], ["lr: ", "optimizer.lr?"]),
            (["seed=many"], ["seed=many must be an integer"]),
            (["optimizer.lr=high"], ["optimizer.lr=high must be a number"]),
            (["quiet=maybe"], ["quiet=maybe must be true or false"]),
            (["model.hidden=64"], ["model.hidden=64 must be a list; write model.hidden=[64]"]),
            (["accelerator.name=tpu"], ["accelerator.name=tpu must be one of auto, cpu"]),
            (["model=rnn"], ["model=rnn: ", "cnn, custom, mlp"]),
            (["seed=0,1"], ["seed=0,1", "-m"]),
            (["data.classes=[a"], ["data.classes=[a: ", "KEY=VALUE"]),
            (["data=csv"], ["data.csv is missing", "data.csv=FILE"]),
            (["optimizer.lr=-1"], ["optimizer.lr=-1.0 ", "> 0"]),
            (["--fast"], ["--fast: unknown option"]),
            (["seed=1", "--cfg", "job", "epochs=2"], ["epochs=2: ", "options after"]),
            (["seed=0,1", "-m", "--cfg", "job"], ["--multirun and --cfg"]),
            (["--experimental-rerun", "x.pkl"], ["--experimental-rerun", "pickle"]),
            (["=1"], ["=1: ", "key"]),
            (["my.csv"], ["my.csv: the key is missing", "KEY=my.csv"]),
            (["hydra.run.dir=${nothing}"], ["nothing"]),
            (["outputs=here"], ["outputs: unknown key", "output_dir"]),
            (["model.head=flatten"], ["model.head: unknown key", "model.global_pool"]),
        ],
        ids=str,
    )
    def test_is_one_line_with_key_and_fix(
        self,
        arguments: list[str],
        parts: list[str],
        csvision_command: RunCommand,
        working_folder: Path,
    ) -> None:
        error = csvision_command("train", *arguments).error
        assert all(part in error for part in parts), error
        assert list(working_folder.iterdir()) == []

    @pytest.mark.slow
    def test_values_are_reported_together(self, csvision_command: RunCommand) -> None:
        errors = csvision_command("train", "optimizer.lr=-1", "epochs=0", "model.dropout=2").errors
        assert [error.split()[0] for error in errors] == [
            "model.dropout=2.0",
            "optimizer.lr=-1.0",
            "epochs=0",
        ]

    @pytest.mark.slow
    def test_missing_keys_of_other_commands_are_reported(
        self, csvision_command: RunCommand
    ) -> None:
        assert csvision_command("evaluate").errors == ["run is missing: write run=DIR"]
        assert len(csvision_command("predict").errors) == 2

    def test_folder_without_run_is_named(self, csvision_command: RunCommand, inputs: Path) -> None:
        assert csvision_command("evaluate", "run=nowhere").error.startswith("run=nowhere: ")
        error = csvision_command("evaluate", f"run={inputs}").error
        assert error.startswith(f"run={inputs} ")
        assert "run.json" in error

    @pytest.mark.slow
    def test_output_dir_that_cannot_be_created_is_named(self, csvision_command: RunCommand) -> None:
        error = csvision_command("train", "output_dir=/proc/x").error
        assert error.startswith("/proc/x: ")
        assert "output_dir" in error

    @pytest.mark.slow
    @pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
    def test_missing_accelerator_lists_available_ones(self, csvision_command: RunCommand) -> None:
        error = csvision_command("train", "accelerator=gpu").error
        assert error.startswith("accelerator=gpu ")
        assert error.endswith("has cpu")

    def test_output_dir_below_a_file_is_rejected(
        self, csvision_command: RunCommand, inputs: Path
    ) -> None:
        file = inputs / "good.csv"
        error = csvision_command("train", f"output_dir={file / 'below'}").error
        assert error.startswith(f"output_dir={file / 'below'}: {file} ")


DATA_ERRORS = {
    "missing.csv": ["data.csv"],
    "empty.csv": ["empty", "one row per image"],
    "no_pixels.csv": ["line 1", "pixel"],
    "text.csv": ["line 12, column b", "'cat'"],
    "nan.csv": ["line 12, column b", "'NaN'"],
    "large.csv": ["line 12, column c", "'300'", "255"],
    "negative.csv": ["line 12, column a", "'-5'", "255"],
    "rare.csv": ["label 77", "data.val_size=0"],
    "short_row.csv": ["line 12", "4", "5"],
    "long_row.csv": ["line 12", "6", "5"],
    "783.csv": ["783", "729", "784", "data.image_shape", "[1,27,29]", "[1,9,87]", "[1,3,261]"],
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parts"), DATA_ERRORS.items())
def test_invalid_file_is_reported_by_location(
    name: str,
    parts: list[str],
    inputs: Path,
    csvision_command: RunCommand,
    working_folder: Path,
) -> None:
    error = csvision_command(
        "train", "data=csv", f"data.csv={inputs / name}", "data.test_size=0.02"
    ).error
    assert error.startswith(str(inputs / name))
    assert all(part in error for part in parts), error
    assert list(working_folder.iterdir()) == []


def test_vanishing_feature_map_is_reported_by_layer_and_size(
    inputs: Path, csvision_command: RunCommand
) -> None:
    data = ("data=csv", f"data.csv={inputs / 'good.csv'}", "data.val_size=0.3")
    error = csvision_command("train", *data, "model.stages.1.kernel_size=7").error
    assert error.startswith("model.stages.1.convolution: kernel_size=7, ")
    assert "1x1 input" in error


@pytest.mark.slow
def test_sweep_is_rejected_before_its_first_job(
    inputs: Path, csvision_command: RunCommand, working_folder: Path
) -> None:
    files = f"data.csv={inputs / 'good.csv'},{inputs / 'text.csv'}"
    sweep = ("-m", "model=mlp", "data=csv", "data.val_size=0.3", files, "optimizer.lr=0.1,0.2")
    error = csvision_command("train", *sweep).error
    assert error.startswith(f"{inputs / 'text.csv'}, line 12, column b: 'cat'")
    assert list(working_folder.iterdir()) == []


def test_cfg_prints_the_configuration_and_trains_nothing(
    csvision_command: RunCommand, working_folder: Path
) -> None:
    output = csvision_command("train", "seed=3", "--cfg", "job")
    assert (output.code, output.err) == (0, "")
    assert "\nseed: 3\n" in output.out
    assert list(working_folder.iterdir()) == []


def test_config_dir_adds_an_experiment(csvision_command: RunCommand) -> None:
    folder = Path("my_conf/experiment")
    folder.mkdir(parents=True)
    (folder / "short.yaml").write_text("# @package _global_\nepochs: 77\n", encoding="utf-8")
    options = ("--config-dir", "my_conf", "--cfg", "job")
    output = csvision_command("train", "experiment=short", *options)
    assert "\nepochs: 77\n" in output.out


class TestException:
    @pytest.mark.slow
    def test_bug_in_custom_network_keeps_its_traceback(
        self, csvision_command: RunCommand, digits_csv: Path
    ) -> None:
        Path("odd.py").write_text(ODD_NETWORK, encoding="utf-8")
        with pytest.raises(RuntimeError, match="odd"):
            csvision_command("train", *OWN_FILE, "model=custom", "model.path=odd.py:Odd")

    @pytest.mark.slow
    def test_diverged_training_is_one_line_and_exits_with_1(
        self, csvision_command: RunCommand, digits_csv: Path
    ) -> None:
        diverging = ("model=mlp", "optimizer=sgd", "optimizer.lr=1e30", "scheduler=none")
        output = csvision_command("train", *OWN_FILE, *diverging)
        assert output.code == 1
        (line,) = output.err.splitlines()
        assert line.startswith("error: the loss is ")
        assert "optimizer.lr" in line

    @pytest.mark.slow
    def test_diverged_job_lets_a_sweep_exit_with_1(
        self, csvision_command: RunCommand, digits_csv: Path
    ) -> None:
        sweep = ("-m", "model=mlp", "optimizer=sgd", "optimizer.lr=1e30,0.1", "scheduler=none")
        quick = ("epochs=1", "quiet=true", "launcher=serial")
        output = csvision_command("train", *OWN_FILE, *sweep, *quick)
        assert output.code == 1
        (line,) = [each for each in output.out.splitlines() if "] job 0 diverged in " in each]
        assert "the loss is " in line
        assert output.out.count(" finished") == 1


ODD_NETWORK = """
from torch import nn

class Odd(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))

    def forward(self, images):
        if self.training:
            raise RuntimeError("odd")
        return self.layers(images)
"""


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.py")), ids=lambda p: p.stem)
def test_scripts_run_the_command_of_their_name(script: Path) -> None:
    commands = {stem: command for command, stem in SCRIPTS.items()}
    name = commands.get(script.stem, script.stem.replace("_", "-"))
    text = script.read_text(encoding="utf-8")
    assert f'run_process(["{name}", *sys.argv[1:]])' in text
    assert len(text.splitlines()) < 10


@pytest.mark.slow
def test_script_and_command_give_the_same_errors(csvision_command: RunCommand) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "train.py"), "epochs=0", "seed=-1"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    output = csvision_command("train", "epochs=0", "seed=-1")
    assert (result.returncode, result.stderr) == (output.code, output.err)

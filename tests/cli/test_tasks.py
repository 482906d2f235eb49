"""The commands other than train: what they print and what they write."""

from pathlib import Path

import pandas as pd
import pytest

from csvision.command_hints import display_path
from csvision.data.cache import default_folder
from csvision.data.read_options import ReadOptions
from csvision.data.table import read_table
from csvision.inspection.inspect import STEPS
from csvision.run.directory import RunDirectory
from tests.cli.conftest import RunCommand


@pytest.mark.slow
def test_evaluate_prints_scores_and_the_path_of_the_results(
    small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    output = csvision_command("evaluate", f"run={small_run.path}", "device=cpu")
    *_, metrics, path = output.out.splitlines()
    assert "test/acc" in metrics
    assert Path(path).parent == display_path(small_run.evaluations)
    assert (Path(path) / "confusion_matrix.png").is_file()


@pytest.mark.slow
def test_predict_prints_the_path_of_the_predictions(
    small_run: RunDirectory, digits_csv: Path, csvision_command: RunCommand
) -> None:
    output = csvision_command(
        "predict", f"run={small_run.path}", f"data.csv={digits_csv}", "device=cpu", "quiet=true"
    )
    (path,) = output.out.splitlines()
    assert len(pd.read_csv(path)) == 300


@pytest.mark.slow
def test_export_prints_the_difference_and_the_path_of_the_file(
    small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    output = csvision_command("export", f"run={small_run.path}", "format=state_dict")
    check, path = output.out.splitlines()
    assert check.startswith("probabilities of 40 test rows differ by at most ")
    assert Path(path).parents[1] == display_path(small_run.exports)
    assert Path(path).is_file()


@pytest.mark.slow
def test_inspect_prints_its_steps_and_the_path_of_the_page(
    small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    output = csvision_command("inspect", f"run={small_run.path}", "device=cpu")
    *steps, path = output.out.splitlines()
    assert (output.code, output.err) == (0, "")
    assert len(steps) == STEPS
    assert Path(path) == display_path(small_run.path / "inspection" / "index.html")
    assert Path(path).is_file()


@pytest.mark.slow
def test_reproduce_prints_the_verdict_and_the_path(
    small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    output = csvision_command("reproduce", f"run={small_run.path}")
    *_, verdict, path = output.out.splitlines()
    assert (output.code, verdict) == (0, "bitwise identical")
    assert Path(path).parent == display_path(small_run.reproductions)


def test_resume_of_a_finished_run_is_rejected(
    small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    error = csvision_command("resume", f"run={small_run.path}").error
    assert error.startswith(f"run={small_run.path} is finished")


@pytest.mark.slow
def test_resume_prints_the_path_of_the_run(
    interrupted_run: RunDirectory, csvision_command: RunCommand
) -> None:
    output = csvision_command("resume", f"run={interrupted_run.path}")
    assert (output.code, output.err) == (0, "")
    assert Path(output.out.splitlines()[-1]) == display_path(interrupted_run.path)
    assert interrupted_run.read_manifest()["state"] == "finished"


def test_inspect_data_prints_the_report_and_the_path_of_the_figure(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    lines = csvision_command("inspect-data", f"data.csv={digits_csv}").out.splitlines()
    assert "1x8x8" in lines[0]
    assert Path(lines[-1]).suffix == ".png"
    assert Path(lines[-1]).is_file()


class TestCache:
    def test_shows_and_clears_entries(self, digits_csv: Path, csvision_command: RunCommand) -> None:
        read_table(str(digits_csv))
        entry, total = csvision_command("cache").out.splitlines()
        assert entry.split() == ["0.0", "MB", str(digits_csv.resolve())]
        assert total.strip() == f"0.0 MB in 1 entries of {default_folder()}"
        cleared = csvision_command("cache", "clear=true")
        assert cleared.out == f"0.0 MB freed in {default_folder()}\n"
        assert list(default_folder().iterdir()) == []

    @pytest.mark.slow
    def test_clears_only_the_cache_in_another_folder(
        self, digits_csv: Path, csvision_command: RunCommand
    ) -> None:
        Path("other/figures").mkdir(parents=True)
        Path("other/notes.txt").write_text("keep me", encoding="utf-8")
        read_table(str(digits_csv), ReadOptions(cache="other"))
        before = csvision_command("cache", "folder=other").out.splitlines()
        assert before[0].split()[-1] == str(digits_csv.resolve())
        assert before[-1].endswith("1 entries of other")
        assert csvision_command("cache", "clear=true", "folder=other").out.endswith("in other\n")
        assert sorted(path.name for path in Path("other").iterdir()) == ["figures", "notes.txt"]


class TestExampleData:
    @pytest.mark.parametrize("name", ["digits", "photos"])
    def test_writes_the_file_that_it_prints(self, name: str, csvision_command: RunCommand) -> None:
        output = csvision_command("example-data", f"name={name}").out
        assert output.splitlines()[-1] == f"outputs/data/{name}.csv"
        assert Path(f"outputs/data/{name}.csv").read_text().startswith("label,pixel1,pixel2,")

    def test_output_with_spaces_is_one_path(self, csvision_command: RunCommand) -> None:
        path = "my files/a, b.csv"
        assert csvision_command("example-data", f"output={path}").out.splitlines()[-1] == path
        assert Path(path).is_file()

    def test_unknown_name_lists_valid_names(self, csvision_command: RunCommand) -> None:
        error = csvision_command("example-data", "name=cats").error
        assert error.startswith("name=cats")

    def test_other_file_type_is_rejected(self, csvision_command: RunCommand) -> None:
        error = csvision_command("example-data", "output=digits.xlsx").error
        assert error.startswith("output=digits.xlsx: ")
        assert ".csv" in error


def test_prepare_fashion_mnist_reports_a_folder_without_the_files(
    tmp_path: Path, csvision_command: RunCommand
) -> None:
    error = csvision_command("prepare-fashion-mnist", f"source_dir={tmp_path}").error
    assert error.startswith(str(tmp_path))
    assert "source_dir" in error


@pytest.mark.parametrize("command", ["inspect", "predict", "export", "evaluate", "resume", "demo"])
def test_code_that_the_run_does_not_have_is_refused(
    command: str, small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    words = ["data.csv=digits.csv"] if command == "predict" else []
    error = csvision_command(command, f"run={small_run.path}", "model.path=a.py:B", *words).error
    assert error.startswith(f"model.path=a.py:B is not for run={small_run.path}, ")
    assert error.endswith("trained with model=cnn; leave out model.path")


def test_every_part_that_the_run_does_not_have_is_named(
    small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    words = ("metric.path=a.py:B", "transform.path=c.py:D")
    errors = csvision_command("evaluate", f"run={small_run.path}", *words).errors
    assert [error.partition("=")[0] for error in errors] == ["metric.path", "transform.path"]


def test_run_without_checkpoint_has_one_message(
    small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    small_run.update_manifest(state="diverged")
    for path in small_run.path.joinpath("checkpoints").iterdir():
        path.unlink()
    error = csvision_command("evaluate", f"run={small_run.path}").error
    assert "has no last.ckpt" in error


def test_other_file_is_not_called_a_changed_one(
    small_run: RunDirectory, digits_csv: Path, csvision_command: RunCommand
) -> None:
    lines = digits_csv.read_text(encoding="utf-8").splitlines()
    Path("other.csv").write_text("\n".join(lines[:100]), encoding="utf-8")
    error = csvision_command("inspect", f"run={small_run.path}", "data.csv=other.csv").error
    assert "data.csv=other.csv is not the data of the run" in error
    assert f"give the current path of {small_run.read_config().data.csv};" in error


def test_folder_of_a_run_that_cannot_be_created_is_named(csvision_command: RunCommand) -> None:
    error = csvision_command("train", "output_dir=/proc/x").error
    assert error.startswith("/proc/x: cannot create this folder for the run: ")
    assert error.endswith("choose another output_dir")

"""Runs of different data are not compared."""

import json
from pathlib import Path

import pytest

import csvision
from csvision.comparison.compare import compare_runs
from csvision.comparison.page import PAGE, refresh_page
from csvision.errors import ConfigError, RunError
from tests.cli.conftest import RunCommand
from tests.comparison.made_up_runs import accuracies, write_run, write_sweep


def record_data(run: Path, sha256: str, test_sha256: str | None = None) -> None:
    """Record the hashes of the data files of a run."""
    file = run / "run.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["data"] = {"sha256": sha256, "test_sha256": test_sha256 or sha256}
    file.write_text(json.dumps(content), encoding="utf-8")


def write_data_run(folder: Path, csv: str, sha256: str, *overrides: str) -> None:
    """Write a run on a data file."""
    write_run(folder, ["data=csv", f"data.csv={csv}", *overrides], val__acc=0.5, test__acc=0.5)
    record_data(folder, sha256)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs of two data files, one of which was renamed."""
    folder = tmp_path / "runs"
    write_data_run(folder / "a", "digits.csv", "11111111aa", "seed=0")
    write_data_run(folder / "b", "copy/digits.csv", "11111111aa", "seed=1")
    write_data_run(folder / "c", "other data.csv", "22222222bb", "seed=0")
    return folder


@pytest.mark.slow
def test_different_data_are_refused_by_name_with_a_hint_that_works(
    runs: Path, csvision_command: RunCommand
) -> None:
    with pytest.raises(RunError) as caught:
        compare_runs([runs])
    assert "digits.csv (2 runs), other data.csv (1 run)" in str(caught.value)
    assert str(caught.value).endswith("dataset=digits.csv")
    output = csvision_command("compare", f"run={runs}", "dataset=digits.csv", "test=all")
    assert output.code == 0
    assert output.out.startswith("runs: 2 finished; 1 setting, repeated over seed")
    comparison = csvision.compare(runs, "dataset='other data.csv'")
    assert [len(each.runs) for each in comparison.settings] == [1]
    # Nothing but the index of the runs is written into their folder.
    assert {path.name for path in runs.iterdir()} == {"a", "b", "c", ".runs.jsonl"}


def test_refused_comparison_writes_no_results(runs: Path, csvision_command: RunCommand) -> None:
    output = csvision_command("compare", f"run={runs}")
    assert output.code == 2
    assert "error: run: these runs have used different data" in output.err
    assert not Path("outputs").exists()


def test_files_of_the_same_name_are_told_apart_by_their_hash(runs: Path) -> None:
    write_data_run(runs / "d", "digits.csv", "33333333cc", "seed=2")
    with pytest.raises(RunError) as caught:
        compare_runs([runs])
    assert "digits.csv@11111111 (2 runs)" in str(caught.value)
    found = csvision.compare(runs, "dataset='digits.csv@33333333'")
    assert found.settings[0].runs == [str(runs / "d")]
    with pytest.raises(ConfigError, match=r"dataset=digits.csv: .*write one of: digits.csv@1111"):
        csvision.compare(runs, "dataset=digits.csv")


def test_another_test_file_is_other_data(runs: Path) -> None:
    record_data(runs / "b", "11111111aa", "44444444dd")
    record_data(runs / "c", "11111111aa")
    with pytest.raises(RunError, match="different data"):
        compare_runs([runs])


def test_reference_of_other_data_is_refused(tmp_path: Path, runs: Path) -> None:
    sweep = write_sweep(tmp_path / "s", accuracies(mlp=(0.5, 0.6)))
    for run in sweep.glob("*_model*"):
        record_data(run, "11111111aa")
    with pytest.raises(RunError, match="different data"):
        compare_runs([sweep], baseline=str(runs / "c"))


def test_page_of_a_sweep_over_data_says_why_it_has_no_comparison(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "s", accuracies(mlp=[0.5], cnn=[0.6]))
    for number, run in enumerate(sorted(sweep.glob("*_model*"))):
        record_data(run, f"{number}" * 10)
    refresh_page(sweep, final=True)
    text = (sweep / PAGE).read_text(encoding="utf-8")
    assert "these runs have used different data" in text
    assert "No run is finished yet" not in text


def test_settings_that_differ_in_folders_of_files_have_different_names(tmp_path: Path) -> None:
    for name in ("a", "b"):
        path = f"model.path={name}/net.py:Net"
        write_run(tmp_path / "runs" / name, ["model=custom", path], val__acc=0.5)
    comparison = compare_runs([tmp_path / "runs"])
    assert [each.label for each in comparison.settings] == [
        "path=net.py:Net",
        "path=net.py:Net (2)",
    ]
    assert "Chosen by the mean of val/acc: path=net.py:Net, the first of 2" in str(comparison)

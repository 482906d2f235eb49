"""What a search has found: plain data, the table, and the command of the best trial."""

import shlex
import shutil
from pathlib import Path

import pandas as pd
import pytest

import csvision
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.search.definition import read_definition
from csvision.search.storage import JOURNAL
from csvision.search.table import format_report
from tests.search.conftest import RunSearch


def test_report_has_each_trial_with_its_values(small_search_original: Path) -> None:
    report = csvision.search_report(small_search_original)
    assert [trial.number for trial in report.trials] == [*range(8)]
    for trial in report.trials:
        assert trial.directory is not None
        run_dir = RunDirectory(report.directory / trial.directory)
        history = pd.read_csv(run_dir.history)
        assert trial.history == dict(zip(history["epoch"], history["val/acc"], strict=True))
        assert trial.state == run_dir.read_manifest()["state"]
        assert (trial.value is None) == (trial.state == "pruned")
        if trial.value is not None:
            assert trial.value == trial.history[3]
        assert trial.started is not None
        assert trial.ended is not None
        assert trial.started < trial.ended


def test_best_trial_is_the_first_one_with_the_best_value(small_search_original: Path) -> None:
    report = csvision.search_report(small_search_original)
    values = [-1.0 if trial.value is None else trial.value for trial in report.trials]
    assert report.best == values.index(max(values))
    assert report.best_values == [max(values[:count]) for count in range(1, 9)]


@pytest.mark.slow
def test_loss_is_minimized(run_search: RunSearch) -> None:
    report = run_search("search.n_trials=2", "epochs=1", "monitor=val/loss")
    assert report.direction == "minimize"
    assert report.best is not None
    assert report.trials[report.best].value == min(
        trial.value for trial in report.trials if trial.value is not None
    )


@pytest.mark.slow
def test_importance_adds_up_to_one(run_search: RunSearch) -> None:
    report = run_search("search.n_trials=4", "search.pruner=none", "batch_size=28,56", "epochs=1")
    assert {*report.importance} == {"optimizer.lr", "batch_size"}
    assert sum(report.importance.values()) == pytest.approx(1)
    assert [*report.importance.values()] == sorted(report.importance.values(), reverse=True)


def test_report_changes_nothing_in_the_folder(small_search_original: Path) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in small_search_original.rglob("*")}

    before = files()
    csvision.search_report(small_search_original)
    assert files() == before


def test_table_shows_states_but_no_test_metric(small_search_original: Path) -> None:
    report = csvision.search_report(small_search_original)
    text = format_report(report, read_definition(small_search_original))
    pruned = sum(trial.state == "pruned" for trial in report.trials)
    assert pruned > 0
    assert f"8 trials: {8 - pruned} finished, {pruned} pruned" in text
    assert "test/" not in text
    table = pd.read_csv(small_search_original / "sweep.csv")
    assert table["state"].tolist() == [trial.state for trial in report.trials]
    assert table["trained_epochs"].tolist() == [len(trial.history) for trial in report.trials]


@pytest.mark.slow
def test_printed_command_trains_the_best_trial_again(
    small_search_original: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = csvision.search_report(small_search_original)
    text = format_report(report, read_definition(small_search_original))
    (line,) = [line for line in text.splitlines() if "csvision train" in line or "train.py" in line]
    words = shlex.split(line[line.index("data=csv") :])
    monkeypatch.chdir(small_search_original.parent)
    again = csvision.train(*words, f"output_dir={tmp_path}")
    assert report.best is not None
    best = report.trials[report.best]
    assert again.metrics["val/acc"] == best.value
    assert best.directory is not None
    recorded = RunDirectory(report.directory / best.directory).read_manifest()
    repeated = RunDirectory(again.directory).read_manifest()
    assert repeated["weights_sha256"] == recorded["weights_sha256"]


def test_folder_without_a_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"search\.json cannot be read"):
        csvision.search_report(tmp_path)


def test_search_without_trials_is_refused(small_search_original: Path, tmp_path: Path) -> None:
    shutil.copy(small_search_original / "search.json", tmp_path)
    with pytest.raises(RunError, match="no trial of this search has started"):
        csvision.search_report(tmp_path)


def test_damaged_journal_is_refused_in_one_line(
    small_search_original: Path, tmp_path: Path
) -> None:
    shutil.copy(small_search_original / "search.json", tmp_path)
    (tmp_path / JOURNAL).write_text("no JSON\n{}\n", encoding="utf-8")
    for read in (csvision.search_report, csvision.resume_sweep):
        with pytest.raises(RunError) as caught:
            read(tmp_path)
        (error,) = caught.value.messages
        assert error.startswith(f"{tmp_path / JOURNAL} is damaged: ")

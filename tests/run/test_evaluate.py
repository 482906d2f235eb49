"""Testing a finished run again: on its own test rows, or on another file."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import csvision
from csvision.errors import ConfigError, DataError
from csvision.run.directory import RunDirectory
from csvision.run.threads import limit_threads
from tests.conftest import SMALL_CNN, SMALL_MLP, SMALL_TRAINING

SMALL = (*SMALL_TRAINING, "epochs=2")


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def file_contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestOwnTestRows:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        "overrides",
        [
            (*SMALL_MLP, "model.dropout=0.5"),
            (*SMALL_CNN, "batch_size=7"),
            (*SMALL_MLP, "data.val_size=0", "data.test_size=0.4", "data.split_seed=1"),
            (*SMALL_MLP, "data.test_csv=test.csv"),
            (*SMALL_MLP, "debug.limit_rows=30"),
            (*SMALL_MLP, "data.normalize=true", "data.pad=1", "data.permutation_seed=1"),
            (*SMALL_MLP, "accelerator.precision=64-true"),
            (*SMALL_MLP, "accelerator.precision=bf16-mixed"),
        ],
        ids=lambda overrides: overrides[-1],
    )
    def test_metrics_and_files_equal_those_of_training(
        self, overrides: tuple[str, ...], digits_csv: Path
    ) -> None:
        pd.read_csv(digits_csv).tail(50).to_csv("test.csv", index=False)
        run = csvision.train(*SMALL, *overrides).directory
        result = csvision.evaluate(run, "quiet=true")
        assert result.directory is not None
        now, trained = read_json(result.directory / "metrics.json"), read_json(run / "metrics.json")
        assert set(now) == {
            "test/loss",
            "test/acc",
            "test/f1",
            "test/balanced_acc",
            "test/acc by class",
        }
        assert now == {name: trained[name] for name in now}
        for name in ("predictions.csv", "confusion_matrix.csv", "per_class.csv"):
            assert (result.directory / name).read_bytes() == (run / name).read_bytes()
        assert len(result.subset) == len(pd.read_csv(run / "predictions.csv"))

    @pytest.mark.slow
    def test_results_are_written_into_a_new_folder_of_the_run(
        self, small_run: RunDirectory
    ) -> None:
        before = file_contents(small_run.path)
        first = csvision.evaluate(small_run.path, "quiet=true").directory
        after_first = file_contents(small_run.path)
        second = csvision.evaluate(small_run.path, "quiet=true").directory
        assert {first, second} == set(small_run.evaluations.iterdir())
        for path, content in (before | after_first).items():
            assert path.read_bytes() == content

    @pytest.mark.slow
    def test_random_state_and_threads_of_the_caller_are_unchanged(
        self, small_run: RunDirectory
    ) -> None:
        assert small_run.read_manifest()["threads"] == 1
        state = torch.get_rng_state()
        with limit_threads(2):
            csvision.evaluate(small_run.path, "quiet=true")
            assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), state)

    def test_folder_that_cannot_be_created_is_refused(self, small_run: RunDirectory) -> None:
        small_run.evaluations.touch()
        with pytest.raises(ConfigError, match=r"run=.*evaluations is not a folder; .*output_dir="):
            csvision.evaluate(small_run.path, "quiet=true")


class TestOtherFile:
    @pytest.mark.slow
    def test_all_rows_are_tested(self, small_run: RunDirectory, digits_csv: Path) -> None:
        other = pd.read_csv(digits_csv).query("label in (3, 8)")
        other.to_csv("other.csv", index=False)
        result = csvision.evaluate(small_run.path, "data.csv=other.csv", "quiet=true")
        assert 20 < len(result.subset) == len(other) < 300
        assert result.confusion_matrix.sum(axis=1).nonzero()[0].tolist() == [3, 8]
        assert result.directory is not None
        table = pd.read_csv(result.directory / "predictions.csv")
        assert [*table["label"]] == [*other["label"]]
        accuracy = (table["label"] == table["prediction"]).mean()
        assert result.metrics["test/acc"] == pytest.approx(accuracy)

    @pytest.mark.slow
    def test_classes_without_rows_have_no_accuracy(
        self, small_run: RunDirectory, digits_csv: Path
    ) -> None:
        pd.read_csv(digits_csv).query("label in (3, 8)").to_csv("other.csv", index=False)
        folder = csvision.evaluate(small_run.path, "data.csv=other.csv", "quiet=true").directory
        assert folder is not None
        by_class = read_json(folder / "metrics.json")["test/acc by class"]
        assert {name for name, value in by_class.items() if value is not None} == {"3", "8"}
        recalls = pd.read_csv(folder / "per_class.csv")["recall"]
        assert [*recalls[recalls.notna()]] == pytest.approx([by_class["3"], by_class["8"]])

    def test_unknown_label_is_refused(self, small_run: RunDirectory, digits_csv: Path) -> None:
        table = pd.read_csv(digits_csv)
        table.loc[4, "label"] = 11
        table.to_csv("other.csv", index=False)
        with pytest.raises(DataError, match=r"other\.csv, row 4: label 11 "):
            csvision.evaluate(small_run.path, "data.csv=other.csv", "quiet=true")
        assert not small_run.evaluations.exists()

"""Predicting the labels of a file with a finished run."""

import errno
import gc
import gzip
import io
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pytest
import torch
from PIL import Image

import csvision
from csvision.data import source
from csvision.errors import ConfigError, DataError, RunError
from csvision.run.directory import RunDirectory
from csvision.run.predict import TableFile
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_MLP, SMALL_TRAINING, digits

pytestmark = pytest.mark.usefixtures("digits_csv")


def write_folder(folder: str, names: list[str]) -> pd.DataFrame:
    """Write digits as images of these names; return their table."""
    table = digits(len(names))
    Path(folder).mkdir()
    for name, pixels in zip(names, table.iloc[:, 1:].to_numpy(np.uint8), strict=True):
        Image.fromarray(pixels.reshape(8, 8)).save(f"{folder}/{name}")
    return table


def write_csv(table: pd.DataFrame, name: str) -> str:
    """Write a table; return the name of the file."""
    table.to_csv(name, index=False)
    return name


@pytest.mark.slow
@pytest.mark.parametrize("labeled", [True, False], ids=["labels", "no labels"])
def test_probabilities_are_those_of_the_loaded_classifier(
    labeled: bool, small_run: RunDirectory, digits_csv: Path
) -> None:
    source = pd.read_csv(digits_csv).tail(90)
    source.iloc[:, 0 if labeled else 1 :].to_csv("new digits.csv", index=False)
    result = csvision.predict(small_run.path, "new digits.csv", "quiet=true")

    images = torch.tensor(source.iloc[:, 1:].to_numpy(np.uint8)).reshape(-1, 1, 8, 8)
    expected = csvision.load(small_run.path).predict_proba(images).numpy()
    probabilities = result.filter(like="probability ").to_numpy()
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)
    assert [*result["row"]] == [*range(90)]
    assert [*result["prediction"]] == [*expected.argmax(axis=1)]
    assert len(set(result["prediction"])) > 3
    assert ("label" in result) is labeled
    if labeled:
        assert [*result["label"]] == [*source["label"]]


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "64-true"])
def test_predictions_are_those_of_the_evaluation(precision: str, digits_csv: Path) -> None:
    pd.read_csv(digits_csv).tail(50).to_csv("test.csv", index=False)
    overrides = ("data.test_csv=test.csv", f"accelerator.precision={precision}")
    run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, *overrides).directory
    path = csvision.predict(run, "test.csv", "quiet=true").attrs["path"]
    assert path.read_bytes() == (run / "predictions.csv").read_bytes()


@pytest.mark.slow
def test_each_prediction_is_written_to_a_new_file_of_the_run(small_run: RunDirectory) -> None:
    results = [csvision.predict(small_run.path, "digits.csv", "quiet=true") for _ in range(2)]
    paths = {result.attrs["path"] for result in results}
    assert paths == set(small_run.predictions.iterdir())
    assert len(paths) == 2
    for path in paths:
        assert path.name.startswith("digits_")
        assert path.suffix == ".csv"
        pd.testing.assert_frame_equal(pd.read_csv(path), results[0], check_dtype=False)


@pytest.mark.slow
def test_predictions_are_label_values_of_the_training_file(digits_csv: Path) -> None:
    table = pd.read_csv(digits_csv)
    table["label"] = table["label"] * 10 - 30
    table.to_csv(digits_csv, index=False)
    run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, "epochs=10").directory
    result = csvision.predict(run, digits_csv, "quiet=true")
    assert (result["prediction"] == table["label"]).mean() > 0.6


def test_images_of_another_size_are_refused(small_run: RunDirectory) -> None:
    pd.DataFrame(np.zeros((2, 49), int)).add_prefix("pixel").to_csv("7x7.csv", index=False)
    with pytest.raises(DataError, match=r"7x7\.csv: 49 pixel columns.* have 64"):
        csvision.predict(small_run.path, "7x7.csv", "quiet=true")
    assert not small_run.predictions.exists()


def test_folder_that_cannot_be_created_is_refused(small_run: RunDirectory) -> None:
    small_run.predictions.touch()
    with pytest.raises(ConfigError, match=r"run=.*predictions is not a folder; write output_dir="):
        csvision.predict(small_run.path, "digits.csv", "quiet=true")


class TestStreaming:
    """Rows are predicted while they are read."""

    @pytest.mark.slow
    def test_small_chunks_give_the_same_bytes_as_one(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = csvision.predict(small_run.path, "digits.csv", "quiet=true")
        sizes: list[int] = []
        write = TableFile.write

        def write_counted(file: TableFile, table: pd.DataFrame) -> None:
            sizes.append(len(table))
            write(file, table)

        monkeypatch.setattr(TableFile, "write", write_counted)
        monkeypatch.setattr(source, "CHUNK_BYTES", 5000)
        parts = csvision.predict_to_file(small_run.path, "digits.csv", "quiet=true")
        assert parts.read_bytes() == whole.attrs["path"].read_bytes()
        # Batches are those of the whole file: multiples of batch_size=28, then the rest.
        assert len(sizes) > 4
        assert {size % 28 for size in sizes[:-1]} == {0}

    @pytest.mark.slow
    def test_range_decided_by_the_last_row_is_used_for_all_rows(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first rows are 0 and 1, the last one shows fractions from 0 to 1."""
        table = digits(40)
        table.iloc[:, 1:] = np.where(table.iloc[:, 1:] > 127, 1, 0)
        expected = table.copy()
        expected.iloc[:, 1:] *= 255
        expected.to_csv("bytes.csv", index=False)
        table = table.astype(dict.fromkeys(table.columns[1:], float))
        table.iloc[39, 10] = 0.001
        table.to_csv("fractions.csv", index=False)
        restarts: list[int] = []
        restart = TableFile.restart

        def restart_counted(file: TableFile) -> None:
            restarts.append(file.rows)
            restart(file)

        monkeypatch.setattr(TableFile, "restart", restart_counted)
        monkeypatch.setattr(source, "CHUNK_BYTES", 3000)
        found = csvision.predict(small_run.path, "fractions.csv", "quiet=true")
        whole = csvision.predict(small_run.path, "bytes.csv", "quiet=true", "data.pixel_range=255")
        pd.testing.assert_frame_equal(found, whole)
        assert len(restarts) == 1
        assert restarts[0] > 0

    def test_error_in_the_last_chunk_leaves_nothing_behind(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = digits(300).astype(str)
        table.loc[250, "pixel9"] = "x"
        table.to_csv("wrong.csv", index=False)
        monkeypatch.setattr(source, "CHUNK_BYTES", 5000)
        with pytest.raises(DataError) as raised:
            csvision.predict(small_run.path, "wrong.csv", "quiet=true")
        (line,) = raised.value.messages
        assert line.startswith("wrong.csv, line 252, column pixel9: 'x' is not a number")
        assert not small_run.predictions.exists()

    def test_identifiers_are_those_of_the_rows_in_every_chunk(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = digits(100).drop(columns="label")
        table.insert(0, "id", [f"image {row}" for row in range(100)])
        table.to_csv("new.csv", index=False)
        monkeypatch.setattr(source, "CHUNK_BYTES", 3000)
        found = csvision.predict(small_run.path, "new.csv", "quiet=true")
        assert [*found["id"]] == [*table["id"]]
        assert [*found.columns[:3]] == ["row", "id", "prediction"]

    @pytest.mark.slow
    def test_memory_does_not_grow_with_the_number_of_rows(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(source, "CHUNK_BYTES", 100_000)

        def peak(rows: int) -> int:
            digits(200).sample(rows, replace=True, random_state=0).to_csv("new.csv", index=False)
            gc.collect()
            tracemalloc.start()
            csvision.predict_to_file(small_run.path, "new.csv", "quiet=true")
            _, largest = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return largest

        peak(500)
        # The images of 7,000 more rows have 448 kB, their probabilities 280 kB.
        assert peak(8000) < peak(1000) + 400_000


class TestLabels:
    """Labels are copied into the predictions; none of them is a reason to refuse a file."""

    @pytest.mark.slow
    @pytest.mark.parametrize("rows", [1, 200], ids=["one by one", "together"])
    def test_unknown_labels_are_kept_with_a_warning(
        self,
        rows: int,
        small_run: RunDirectory,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        table = digits(60)
        expected = csvision.predict(small_run.path, write_csv(table, "known.csv"), "quiet=true")
        table["label"] = table["label"].astype(object)
        table.loc[[31, 45, 50, 55], "label"] = ["cat", "77", "", "1.5"]
        monkeypatch.setattr(source, "CHUNK_BYTES", 1000 * rows)
        capsys.readouterr()
        found = csvision.predict(small_run.path, write_csv(table, "other.csv"))
        (warning,) = [line for line in capsys.readouterr().out.splitlines() if "label" in line]
        assert warning.startswith("other.csv: rows with labels that the run does not know: 4 ")
        assert "(the first is row 31: 'cat')" in warning
        assert [*found["label"].astype(str)] == [*table["label"].astype(str)]
        others = [*expected.columns.drop("label")]
        pd.testing.assert_frame_equal(found[others], expected[others])

    @pytest.mark.slow
    def test_evaluate_refuses_labels_that_predict_accepts(self, small_run: RunDirectory) -> None:
        table = digits(20).replace({"label": {3: 77}})
        csvision.predict(small_run.path, write_csv(table, "other.csv"), "quiet=true")
        with pytest.raises(DataError, match=r"^other\.csv, row 3: label 77 is not one of 0, 1"):
            csvision.evaluate(small_run.path, "data.csv=other.csv", "quiet=true")

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["new.csv", "new.npz", "folder"])
    def test_ignored_label_column_is_not_read(self, name: str, small_run: RunDirectory) -> None:
        table = digits(12)
        match name:
            case "new.npz":
                images = table.iloc[:, 1:].to_numpy(np.uint8).reshape(-1, 8, 8)
                np.savez(name, x=images, y=table["label"])
            case "folder":
                Path(name).mkdir()
                write_folder(f"{name}/some class", [f"{row}.png" for row in range(12)])
            case _:
                write_csv(table, name)
        found = csvision.predict(small_run.path, name, "data.ignore=[label]", "quiet=true")
        expected = csvision.predict(small_run.path, write_csv(table, "all.csv"), "quiet=true")
        assert "label" not in found
        assert [*found["prediction"]] == [*expected["prediction"]]

    @pytest.mark.slow
    def test_labels_of_an_archive_that_do_not_belong_to_the_images_are_left_out(
        self, small_run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        images = digits(12).iloc[:, 1:].to_numpy(np.uint8).reshape(-1, 8, 8)
        np.savez("new.npz", x=images, y=np.arange(5))
        found = csvision.predict(small_run.path, "new.npz")
        assert (len(found), "label" in found) == (12, False)
        assert "the labels are left out: new.npz: 12 images, but 5" in capsys.readouterr().out

    @pytest.mark.slow
    def test_baseline_keeps_unknown_labels(
        self, digits_csv: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = csvision.baseline("baseline=knn", "data=csv", f"data.csv={digits_csv}").directory
        table = digits(20).astype({"label": str}).replace({"label": {"3": "three"}})
        found = csvision.predict(run, write_csv(table, "other.csv"))
        assert [*found["label"].astype(str)] == [*table["label"]]
        assert "does not know: 2 (the first is row 3: 'three')" in capsys.readouterr().out


class TestFormats:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["new.parquet", "new.csv.gz", "new.npz"])
    def test_other_formats_give_the_predictions_of_the_csv_file(
        self, name: str, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = digits(70)
        match name.partition(".")[2]:
            case "parquet":
                polars.DataFrame(table.to_dict("list")).write_parquet(name)
            case "csv.gz":
                table.to_csv(name, index=False)
            case _:
                images = table.iloc[:, 1:].to_numpy(np.uint8).reshape(-1, 8, 8)
                np.savez(name, x=images, y=table["label"])
        table.to_csv("new.csv", index=False)
        monkeypatch.setattr(source, "CHUNK_BYTES", 8 * 65 * 20)
        found, expected = (
            csvision.predict(small_run.path, csv, "quiet=true") for csv in (name, "new.csv")
        )
        pd.testing.assert_frame_equal(found, expected)

    @pytest.mark.slow
    def test_folder_of_images_is_predicted_file_by_file(self, small_run: RunDirectory) -> None:
        table = write_folder("images", [f"{row:02}.png" for row in range(12)])
        found = csvision.predict(small_run.path, "images", "quiet=true")
        table.to_csv("new.csv", index=False)
        expected = csvision.predict(small_run.path, "new.csv", "quiet=true")
        assert [*found["id"]] == [f"{row:02}.png" for row in range(12)]
        for name in expected.filter(like="probability "):
            pd.testing.assert_series_equal(found[name], expected[name])

    @pytest.mark.slow
    def test_images_of_a_folder_are_in_the_order_of_their_numbers(
        self, small_run: RunDirectory
    ) -> None:
        table = write_folder("images", [f"{row}.png" for row in range(12)])
        found = csvision.predict(small_run.path, "images", "quiet=true")
        assert [*found["id"]] == [f"{row}.png" for row in range(12)]
        table.to_csv("new.csv", index=False)
        expected = csvision.predict(small_run.path, "new.csv", "quiet=true")
        assert [*found["prediction"]] == [*expected["prediction"]]

    def test_single_image_is_refused_with_its_folder(self, small_run: RunDirectory) -> None:
        write_folder("images", ["0.png"])
        with pytest.raises(DataError) as raised:
            csvision.predict(small_run.path, "images/0.png", "quiet=true")
        message = str(raised.value)
        assert message == "images/0.png: is a single image; give its folder: data.csv=images"
        csvision.predict(small_run.path, message.rpartition("=")[2], "quiet=true")

    def test_folder_without_images_needs_no_folder_per_class(self, small_run: RunDirectory) -> None:
        Path("images").mkdir()
        with pytest.raises(DataError, match="images: no images; put image files into this"):
            csvision.predict(small_run.path, "images", "quiet=true")


class TestStandardInput:
    @pytest.fixture
    def give(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
        """Let standard input have this content."""

        def give(content: bytes) -> None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

        return give

    @pytest.mark.slow
    @pytest.mark.parametrize("compressed", [False, True])
    def test_gives_the_predictions_of_the_file(
        self,
        compressed: bool,
        give: Callable[[bytes], None],
        small_run: RunDirectory,
        digits_csv: Path,
    ) -> None:
        content = digits_csv.read_bytes()
        give(gzip.compress(content) if compressed else content)
        found = csvision.predict(small_run.path, "-", "quiet=true")
        expected = csvision.predict(small_run.path, digits_csv, "quiet=true")
        pd.testing.assert_frame_equal(found, expected)
        assert found.attrs["path"].name.startswith("stdin_")
        assert len([*small_run.predictions.iterdir()]) == 2

    @pytest.mark.slow
    def test_error_names_standard_input_and_leaves_nothing_behind(
        self, give: Callable[[bytes], None], small_run: RunDirectory, digits_csv: Path
    ) -> None:
        give(digits_csv.read_bytes().replace(b"\n0,", b"\n0,x"))
        with pytest.raises(DataError, match=r"^stdin, line 2, column pixel0: 'x0' is not a number"):
            csvision.predict(small_run.path, "-", "quiet=true")
        give(b"")
        with pytest.raises(DataError, match=r"^stdin: the file is empty"):
            csvision.predict(small_run.path, "-", "quiet=true")
        assert not small_run.predictions.exists()

    def test_process_without_standard_input_is_refused(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", None)
        with pytest.raises(DataError, match=r"data\.csv=-: there is no standard input; write"):
            csvision.predict(small_run.path, "-", "quiet=true")


class TestColumns:
    @pytest.mark.slow
    def test_submission_for_kaggle_counts_images_from_one(
        self, small_run: RunDirectory, digits_csv: Path
    ) -> None:
        digits(300).drop(columns="label").to_csv("test.csv", index=False)
        predictions = csvision.predict(small_run.path, "test.csv", "quiet=true")
        result = csvision.predict(small_run.path, "test.csv", "submission=kaggle", "quiet=true")
        lines = result.attrs["path"].read_text().splitlines()
        assert lines[:2] == ["ImageId,Label", f"1,{predictions['prediction'][0]}"]
        assert lines[-1] == f"300,{predictions['prediction'][299]}"
        assert len(lines) == 301

    @pytest.mark.slow
    @pytest.mark.parametrize("model", ["network", "baseline"])
    def test_submission_names_the_first_image_that_is_out_of_sequence(
        self, model: str, small_run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = small_run.path
        if model == "baseline":
            digits(300).to_csv("digits.csv", index=False)
            run = csvision.baseline("baseline=knn", "data=csv", "data.csv=digits.csv").directory
        write_folder("images", [f"{row}.png" for row in range(13)])
        csvision.predict(run, "images", "submission=kaggle")
        output = capsys.readouterr().out
        assert "ImageId 1 is 0.png, the last one is 12.png\n" in output
        assert "after" not in output
        Path("images/9.png").unlink()
        csvision.predict(run, "images", "submission=kaggle")
        assert "ImageId 10 is 10.png, after 8.png: " in capsys.readouterr().out

    @pytest.mark.slow
    def test_submission_with_texts_as_labels_is_reported(
        self, digits_csv: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        table = digits(300)
        table["label"] = [f"digit {label}" for label in table["label"]]
        table.to_csv(digits_csv, index=False)
        run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, "epochs=1").directory
        csvision.predict(run, digits_csv, "submission=kaggle")
        assert "Label has texts, such as 'digit 0'; " in capsys.readouterr().out

    def test_probabilities_can_be_left_out(self, small_run: RunDirectory) -> None:
        options = ("probabilities=false", "quiet=true")
        result = csvision.predict(small_run.path, "digits.csv", *options)
        assert [*result] == ["row", "label", "prediction"]


@pytest.mark.slow
class TestSweep:
    @pytest.fixture
    def train_sweep(self, csvision_command: RunCommand) -> Callable[[str], Path]:
        """Train a sweep of small MLPs."""

        def train(axis: str) -> Path:
            options = (*SMALL_TRAINING, *SMALL_MLP, "epochs=1", "hydra.sweep.dir=sweep", axis)
            assert csvision_command("train", "-m", *options).code == 0
            return Path("sweep")

        return train

    def test_probabilities_of_the_jobs_are_averaged(
        self, train_sweep: Callable[[str], Path], digits_csv: Path
    ) -> None:
        sweep = train_sweep("seed=0,1")
        found = csvision.predict(sweep, digits_csv, "quiet=true")
        jobs = [
            csvision.predict(job, digits_csv, "quiet=true") for job in sorted(sweep.glob("?_*"))
        ]
        probabilities = [job.filter(like="probability ").to_numpy(np.float64) for job in jobs]
        assert len(probabilities) == 2
        mean = np.mean(probabilities, axis=0)
        np.testing.assert_allclose(found.filter(like="probability "), mean, atol=1e-6)
        assert [*found["prediction"]] == [*mean.argmax(axis=1)]
        assert any((job["prediction"] != found["prediction"]).any() for job in jobs)
        assert found.attrs["path"].parent == sweep / "predictions"

    def test_jobs_with_other_classes_are_refused(
        self, train_sweep: Callable[[str], Path], digits_csv: Path
    ) -> None:
        table = pd.read_csv(digits_csv)
        table[table["label"] < 5].to_csv("five.csv", index=False)
        sweep = train_sweep("data.csv=digits.csv,five.csv")
        with pytest.raises(RunError, match=r"data\.(label_values|classes) differs from that of 0_"):
            csvision.predict(sweep, digits_csv, "quiet=true")


def test_full_disk_is_reported_in_one_line(
    small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: TableFile, table: pd.DataFrame) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TableFile, "write", write)
    with pytest.raises(RunError, match=r"predictions cannot be written: No space .* output_dir$"):
        csvision.predict(small_run.path, "digits.csv", "quiet=true")
    assert not small_run.predictions.exists()

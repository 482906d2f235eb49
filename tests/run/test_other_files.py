"""Files for evaluation and prediction are read as the training file was, or refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import csvision
from csvision.errors import DataError, RunError
from csvision.files import write_json
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING, digits

QUICK = (*SMALL_TRAINING, *SMALL_MLP, "epochs=1")
OTHER = ("device=cpu", "quiet=true")


def rescale(table: pd.DataFrame, highest: int) -> pd.DataFrame:
    """Return a table with pixels from 0 to a highest value instead of 255."""
    pixels = (table.iloc[:, 1:] / 255 * highest).round().astype(int)
    return pd.concat([table[["label"]], pixels], axis=1)


@pytest.mark.slow
def test_columns_in_another_order_give_the_same_metrics(small_run: RunDirectory) -> None:
    table = digits(120)
    table.to_csv("same.csv", index=False)
    table[sorted(table.columns, reverse=True)].to_csv("shuffled.csv", index=False)
    same = csvision.evaluate(small_run.path, "data.csv=same.csv", *OTHER)
    shuffled = csvision.evaluate(small_run.path, "data.csv=shuffled.csv", *OTHER)
    assert shuffled.metrics == same.metrics
    assert same.metrics["test/acc"] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("highest", "found"), [(1, "0 to 1"), (16, "0 to 16")])
def test_other_pixel_range_is_refused_until_it_is_given(
    highest: int, found: str, small_run: RunDirectory
) -> None:
    table = rescale(digits(120), highest)
    table.to_csv("other.csv", index=False)
    expected = rf"^other\.csv: pixels from {found}, but those of the training file"
    with pytest.raises(DataError, match=expected):
        csvision.evaluate(small_run.path, "data.csv=other.csv", *OTHER)
    with pytest.raises(DataError, match=expected):
        csvision.predict(small_run.path, "other.csv", *OTHER)
    given = f"data.pixel_range={highest}"
    result = csvision.evaluate(small_run.path, "data.csv=other.csv", given, *OTHER)
    assert result.metrics["test/acc"] > 0.4
    predictions = csvision.predict(small_run.path, "other.csv", given, *OTHER)
    assert [*predictions["label"]] == [*table["label"]]


@pytest.mark.slow
def test_range_of_a_run_on_0_to_16_is_that_of_its_own_rows(
    digits_csv: Path,
) -> None:
    rescale(digits(300), 16).to_csv("sixteen.csv", index=False)
    run = csvision.train(*QUICK, "data.csv=sixteen.csv")
    recorded = RunDirectory(run.directory).read_manifest()["data"]
    assert recorded["pixel_range"] == [0, 16]
    assert recorded["notices"] == ["pixels are from 0 to 16"]
    log = (run.directory / "train.log").read_text(encoding="utf-8")
    assert "INFO data: pixels are from 0 to 16" in log
    assert csvision.evaluate(run.directory, *OTHER).metrics["test/acc"] == run.metrics["test/acc"]
    with pytest.raises(DataError, match="those of the training file are from 0 to 16"):
        csvision.evaluate(run.directory, f"data.csv={digits_csv}", *OTHER)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [5, 60])
def test_identifiers_are_carried_into_the_predictions(rows: int, small_run: RunDirectory) -> None:
    table = digits(rows).drop(columns="label")
    table.insert(0, "id", range(10, 10 + rows))
    table.to_csv("kaggle.csv", index=False)
    result = csvision.predict(small_run.path, "kaggle.csv", *OTHER)
    written = pd.read_csv(result.attrs["path"])
    assert [*written["id"]] == [*table["id"]]
    assert [*written["row"]] == [*range(rows)]
    assert "label" not in written


@pytest.mark.slow
def test_all_rows_of_a_file_without_header_are_predicted(small_run: RunDirectory) -> None:
    table = digits(50).drop(columns="label")
    table.to_csv("header.csv", index=False)
    np.savetxt("savetxt.csv", table.to_numpy(), delimiter=",")
    expected = csvision.predict(small_run.path, "header.csv", *OTHER)
    found = csvision.predict(small_run.path, "savetxt.csv", *OTHER)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.slow
def test_labels_keep_their_zeros_from_training_to_prediction(digits_csv: Path) -> None:
    table = digits(300)
    table["label"] = [f"{label:03d}" for label in table["label"]]
    table.to_csv("zeros.csv", index=False)
    run = csvision.train(*QUICK, "data.csv=zeros.csv")
    path = csvision.predict(run.directory, "zeros.csv", *OTHER).attrs["path"]
    written = pd.read_csv(path, dtype=str)
    assert [*written["label"]] == [*table["label"]]
    assert set(written["prediction"]) <= {f"{digit:03d}" for digit in range(10)}


@pytest.mark.slow
def test_columns_of_training_are_recorded(digits_csv: Path) -> None:
    table = pd.read_csv(digits_csv)
    letters = [f"x{'abcdefgh'[row]}{'abcdefgh'[column]}" for row in range(8) for column in range(8)]
    table.columns = ["target", *letters]
    table[[*table.columns[1:], "target"]].to_csv("letters.csv", index=False)
    run = csvision.train(*QUICK, "data.csv=letters.csv")
    recorded = RunDirectory(run.directory).read_manifest()["data"]
    assert (recorded["label_column"], recorded["pixel_columns"]) == ("target", letters)
    table[sorted(table.columns, reverse=True)].to_csv("other.csv", index=False)
    same = csvision.evaluate(run.directory, "data.csv=letters.csv", *OTHER)
    other = csvision.evaluate(run.directory, "data.csv=other.csv", *OTHER)
    assert other.metrics == same.metrics
    with pytest.raises(DataError, match=r"digits\.csv: no column is named 'xaa', a pixel of the"):
        csvision.evaluate(run.directory, f"data.csv={digits_csv}", *OTHER)


@pytest.mark.slow
def test_run_of_an_earlier_version_that_read_the_file_otherwise_is_refused(
    digits_csv: Path,
) -> None:
    table = pd.read_csv(digits_csv)
    table[["label", *sorted(table.columns[1:])]].to_csv("order.csv", index=False)
    run = RunDirectory(csvision.train(*QUICK, "data.csv=order.csv").directory)
    content = run.read_manifest()
    assert any("order" in notice for notice in content["data"]["notices"])
    for name in ("pixel_range", "label_column", "pixel_columns", "notices"):
        del content["data"][name]
    write_json(run.manifest, content)
    with pytest.raises(RunError, match=r"earlier version of csvision read .*order\.csv"):
        csvision.evaluate(run.path, *OTHER)


@pytest.mark.slow
def test_names_of_classes_are_renamed_by_label(digits_csv: Path) -> None:
    table = pd.read_csv(digits_csv)
    table["label"] = table["label"].map(lambda digit: ["circle", "cross", "square"][digit % 3])
    table.to_csv("shapes.csv", index=False)
    with pytest.raises(DataError, match="another order"):
        csvision.train(*QUICK, "data.csv=shapes.csv", "data.classes=[square,circle,cross]")
    run = csvision.train(*QUICK, "data.csv=shapes.csv", "data.classes={circle: Kreis}")
    per_class = pd.read_csv(run.directory / "per_class.csv")
    assert [*per_class["class"]] == ["Kreis", "cross", "square"]
    predictions = pd.read_csv(run.directory / "predictions.csv")
    assert set(predictions["label"]) == {"circle", "cross", "square"}
    config = json.loads(run.directory.joinpath("run.json").read_text(encoding="utf-8"))["config"]
    assert config["data"]["classes"] == {"circle": "Kreis"}
    resumed = csvision.load(run.directory)
    assert resumed.classes == ["Kreis", "cross", "square"]


@pytest.mark.slow
def test_file_that_lacks_classes_is_read_with_those_of_the_run(small_run: RunDirectory) -> None:
    table = digits(300)
    table = table[table["label"] >= 5]
    table.to_csv("high.csv", index=False)
    images = csvision.read(small_run.path, "high.csv")
    assert images.labels is not None
    assert images.labels.tolist() == [*table["label"]]
    probabilities = csvision.load(small_run.path).predict_proba(torch.from_numpy(images.images))
    accuracy = (probabilities.argmax(dim=1).numpy() == images.labels).mean()
    expected = csvision.evaluate(small_run.path, "data.csv=high.csv", *OTHER).metrics["test/acc"]
    assert accuracy == pytest.approx(expected)
    # A file that is read without the run numbers its own labels from 0.
    own = csvision.read_table("high.csv").labels
    assert own is not None
    assert own.tolist() == [label - 5 for label in table["label"]]


def test_unlabeled_file_is_read_for_a_run(small_run: RunDirectory) -> None:
    digits(20).drop(columns="label").to_csv("unlabeled.csv", index=False)
    table = csvision.read(small_run.path, Path("unlabeled.csv"))
    assert table.labels is None
    assert table.classes == [str(digit) for digit in range(10)]

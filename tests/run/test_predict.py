"""Predicting the labels of a file with a finished run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import csvision
from csvision.errors import ConfigError, DataError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING

pytestmark = pytest.mark.usefixtures("digits_csv")


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


def test_each_prediction_is_written_to_a_new_file_of_the_run(small_run: RunDirectory) -> None:
    results = [csvision.predict(small_run.path, "digits.csv", "quiet=true") for _ in range(2)]
    paths = {result.attrs["path"] for result in results}
    assert paths == set(small_run.predictions.iterdir())
    assert len(paths) == 2
    for path in paths:
        assert path.name.startswith("digits_")
        assert path.suffix == ".csv"
        pd.testing.assert_frame_equal(pd.read_csv(path), results[0], check_dtype=False)


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

"""Mean and standard deviation of the training rows, as numpy has them."""

from pathlib import Path

import numpy as np
import polars
import pytest

import csvision
from csvision.data import statistics
from csvision.data.split import Part, read_parts, whole
from csvision.data.statistics import channel_statistics
from csvision.data.table import ImageTable, read_table

SHAPE = (3, 4, 5)
ROWS = 40


@pytest.fixture
def table() -> ImageTable:
    """Colour images whose channels differ in brightness and contrast, and rows in brightness."""
    generator = np.random.default_rng(0)
    lows, highs = np.array([0, 100, 30]), np.array([256, 120, 31])
    pixels = generator.integers(lows[:, None, None], highs[:, None, None], (ROWS, *SHAPE))
    pixels[ROWS // 2 :] //= 2
    columns = polars.DataFrame(pixels.reshape(ROWS, -1), orient="row")
    columns.insert_column(0, polars.Series("label", [0, 1] * (ROWS // 2))).write_csv("images.csv")
    return read_table("images.csv", image_shape=SHAPE, cache="none")


def by_numpy(part: Part) -> tuple[list[float], list[float]]:
    values = part.table.images[part.rows] / 255
    return values.mean(axis=(0, 2, 3)).tolist(), values.std(axis=(0, 2, 3)).tolist()


@pytest.mark.parametrize("rows_at_once", [1, 7, 10, 4096])
def test_statistics_are_those_of_numpy_however_the_rows_are_counted(
    table: ImageTable, rows_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "ROWS_AT_ONCE", rows_at_once)
    means, deviations = channel_statistics(whole(table))
    expected_means, expected_deviations = by_numpy(whole(table))
    assert means == pytest.approx(expected_means, rel=1e-12)
    assert deviations == pytest.approx(expected_deviations, rel=1e-12)


def test_only_the_rows_of_the_part_count(table: ImageTable) -> None:
    part = Part(table, np.array([3, 30, 7, 3]))
    means, deviations = channel_statistics(part)
    assert means == pytest.approx(by_numpy(part)[0], rel=1e-12)
    assert deviations == pytest.approx(by_numpy(part)[1], rel=1e-12)
    assert means != pytest.approx(by_numpy(whole(table))[0], rel=0.01)


def test_a_channel_of_one_value_has_the_deviation_1() -> None:
    pixels = {"a": [0, 0], "b": [255, 255], "c": [51, 51], "d": [0, 255]}
    polars.DataFrame({"label": [0, 1]} | pixels).write_csv("images.csv")
    table = read_table("images.csv", image_shape=[4, 1, 1], cache="none")
    means, deviations = channel_statistics(whole(table))
    assert means == pytest.approx([0, 1, 0.2, 0.5])
    assert deviations == [1, 1, 1, 0.5]


def test_a_run_standardises_by_its_training_rows_alone(digits_csv: Path) -> None:
    trained = csvision.train(
        "data=csv",
        f"data.csv={digits_csv}",
        "data.standardize=true",
        "model=mlp",
        "model.hidden=[]",
        "epochs=1",
        "accelerator=cpu",
        "logger=none",
        "quiet=true",
    )
    means, deviations = by_numpy(read_parts(trained.config.data).train)
    for classifier in (trained.classifier, csvision.load(trained.directory)):
        assert classifier.mean.flatten().tolist() == pytest.approx(means)
        assert classifier.deviation.flatten().tolist() == pytest.approx(deviations)
    images = trained.parts.train.table.images[trained.parts.train.rows]
    assert abs(images.mean() / 255 - means[0]) < 1e-9

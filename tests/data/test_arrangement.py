"""Borders and orders of pixels: the same for all images, and taken along to other files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import csvision
from csvision import config, schema
from csvision.data.arrangement import arranged, permuted, shape_in_file
from csvision.data.split import read_parts
from csvision.data.table import ImageTable, table_of

ARRANGED = ("data.border=2", "data.permutation_seed=3")
SMALL = ("epochs=2", "accelerator=cpu", "logger=none", "quiet=true", "model=mlp")


def data(csv: Path, *overrides: str) -> schema.Data:
    arguments = ("data=csv", f"data.csv={csv}", *overrides)
    train: schema.Train = config.load(config.compose("train", arguments))
    return train.data


def small_table() -> ImageTable:
    images = np.arange(1, 49, dtype=np.uint8).reshape(2, 2, 3, 4)
    return table_of(images, np.array([0, 1]), [0, 1], ["a", "b"])


def test_a_border_is_black_and_on_every_side(digits_csv: Path) -> None:
    table = small_table()
    bordered = arranged(table, data(digits_csv, "data.border=2")).images
    assert bordered.shape == (2, 2, 7, 8)
    assert np.array_equal(bordered[:, :, 2:5, 2:6], table.images)
    assert bordered.sum() == table.images.sum()


def test_the_pixels_of_all_images_and_channels_change_places_alike() -> None:
    images = small_table().images
    moved = permuted(images, seed=3)
    assert moved.shape == images.shape
    order = np.argsort(moved[0, 0].ravel())
    assert not np.array_equal(order, np.arange(12))
    for image, original in zip(moved, images, strict=True):
        for channel, channel_before in zip(image, original, strict=True):
            assert np.array_equal(channel.ravel()[order], channel_before.ravel())


def test_the_seed_decides_the_order() -> None:
    images = small_table().images
    assert np.array_equal(permuted(images, 3), permuted(images, 3))
    assert not np.array_equal(permuted(images, 3), permuted(images, 4))


def test_a_table_that_is_to_stay_is_not_copied(digits_csv: Path) -> None:
    table = small_table()
    assert arranged(table, data(digits_csv)) is table


def test_the_shape_in_the_file_is_told_from_the_arranged_one(digits_csv: Path) -> None:
    assert shape_in_file((3, 12, 14), data(digits_csv, "data.border=2")) == (3, 8, 10)


def test_a_file_of_test_rows_is_arranged_as_the_training_rows_are(digits_csv: Path) -> None:
    settings = data(digits_csv, f"data.test_csv={digits_csv}", *ARRANGED)
    parts = read_parts(settings)
    assert parts.train.table.image_shape == parts.test.table.image_shape == (1, 12, 12)
    assert np.array_equal(parts.train.table.images, parts.test.table.images)
    plain = read_parts(replace(settings, permutation_seed=None))
    assert not np.array_equal(plain.test.table.images, parts.test.table.images)


def test_a_run_takes_its_arrangement_along_to_other_files(digits_csv: Path) -> None:
    run = csvision.train(*SMALL, "data=csv", f"data.csv={digits_csv}", *ARRANGED)
    again = csvision.evaluate(run.directory, "quiet=true")
    assert again.metrics == pytest.approx(run.evaluation.metrics, abs=1e-6)
    everything = csvision.evaluate(run.directory, f"data.csv={digits_csv}", "quiet=true")
    rows = run.parts.test.rows
    assert np.allclose(everything.probabilities[rows], run.evaluation.probabilities, atol=1e-6)
    labelled = csvision.predict(run.directory, digits_csv)
    assert np.array_equal(labelled["prediction"].to_numpy()[rows], run.evaluation.predictions)

"""Borders and orders of pixels: the same for all images, and part of what a run is known by."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import csvision
from csvision import config, schema
from csvision.arrangement import Arrangement, arranged_shape
from csvision.errors import ConfigError

SMALL = ("epochs=2", "accelerator=cpu", "logger=none", "quiet=true", "model=mlp")

BOTH = ("data.border=2", "data.permutation_seed=3")


def data(*overrides: str) -> schema.Data:
    train: schema.Train = config.load(config.compose("train", overrides))
    return train.data


def images() -> Tensor:
    return torch.arange(1, 49, dtype=torch.uint8).reshape(2, 2, 3, 4)


def arranged(*overrides: str) -> Tensor:
    found: Tensor = Arrangement(data(*overrides), (2, 3, 4))(images())
    return found


def test_a_border_is_black_and_on_every_side() -> None:
    bordered = arranged("data.border=2")
    assert bordered.shape == (2, 2, 7, 8)
    assert bordered.dtype == torch.uint8
    assert torch.equal(bordered[:, :, 2:5, 2:6], images())
    assert int(bordered.sum()) == int(images().sum())


def test_the_pixels_of_all_images_and_channels_change_places_alike() -> None:
    moved = arranged("data.permutation_seed=3")
    assert moved.shape == images().shape
    order = moved[0, 0].flatten().argsort()
    assert order.tolist() != list(range(12))
    for image, before in zip(moved.flatten(0, 1), images().flatten(0, 1), strict=True):
        assert torch.equal(image.flatten()[order], before.flatten())


def test_the_seed_decides_the_order() -> None:
    assert torch.equal(arranged("data.permutation_seed=3"), arranged("data.permutation_seed=3"))
    assert not torch.equal(arranged("data.permutation_seed=3"), arranged("data.permutation_seed=0"))


def test_the_border_takes_part_in_the_order() -> None:
    assert arranged(*BOTH).shape == (2, 2, 7, 8)
    assert sorted(arranged(*BOTH).flatten()) == sorted(arranged("data.border=2").flatten())


def test_without_either_the_images_stay() -> None:
    assert torch.equal(arranged(), images())
    assert arranged_shape((3, 8, 10), data()) == (3, 8, 10)
    assert arranged_shape((3, 8, 10), data("data.border=2")) == (3, 12, 14)


def test_a_run_takes_its_arrangement_along(digits_csv: Path) -> None:
    run = csvision.train(*SMALL, "data=csv", f"data.csv={digits_csv}", *BOTH)
    weights = run.classifier.network.state_dict()["dense.0.linear.weight"]
    assert weights.shape == (128, 144)
    again = csvision.evaluate(run.directory, "quiet=true")
    assert again.metrics == pytest.approx(run.evaluation.metrics, abs=1e-6)
    everything = csvision.evaluate(run.directory, f"data.csv={digits_csv}", "quiet=true")
    rows = run.parts.test.rows
    expected = run.evaluation.probabilities
    assert np.allclose(everything.probabilities[rows], expected, atol=1e-6)
    labelled = csvision.predict(run.directory, digits_csv)
    assert np.array_equal(labelled["prediction"].to_numpy()[rows], run.evaluation.predictions)
    # A loaded classifier takes images as they are read.
    table = csvision.read_table(str(digits_csv))
    found = csvision.load(run.directory).probabilities(torch.from_numpy(table.images[rows]))
    assert np.allclose(found.numpy(), expected, atol=1e-6)


def test_augmentation_comes_behind_the_border(digits_csv: Path) -> None:
    # A shift within the border loses nothing: with it the sum of all pixels stays.
    run = csvision.train(
        *SMALL, "data=csv", f"data.csv={digits_csv}", "data.border=3", "augmentation.shift=3"
    )
    shown = run.classifier.arrangement(torch.from_numpy(run.parts.train.table.images))
    assert run.classifier.augmentation is not None
    moved = run.classifier.augmentation(shown, step=1)
    assert not torch.equal(moved, shown)
    assert int(moved.long().sum()) == int(shown.long().sum())


def test_a_network_must_fit_the_images_with_their_border(digits_csv: Path) -> None:
    stages = "model.stages=[{filters:2},{filters:2},{filters:2},{filters:2}]"
    words = ("data=csv", f"data.csv={digits_csv}", "model=cnn", stages, "epochs=1", "quiet=true")
    with pytest.raises(ConfigError, match="leaves nothing of its 1x1 input"):
        csvision.train(*words)
    assert csvision.train(*words, "data.border=4").metrics

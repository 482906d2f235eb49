"""Padding and the permutation of pixels: alike for all images, and restored with a run."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import csvision
from csvision.config import schema
from csvision.errors import ConfigError
from csvision.transforms import PadAndPermute

SMALL = ("epochs=2", "accelerator=cpu", "logger=none", "quiet=true", "model=mlp")

PAD_AND_PERMUTE = ("data.pad=2", "data.permutation_seed=3")


def data_config(*overrides: str) -> schema.DataConfig:
    config: schema.TrainConfig = csvision.load_config("train", overrides)
    return config.data


def images() -> Tensor:
    """Return two images (2, 3, 4) without black pixels."""
    return torch.arange(1, 49, dtype=torch.uint8).reshape(2, 2, 3, 4)


def transform(*overrides: str) -> Tensor:
    transformed: Tensor = PadAndPermute(data_config(*overrides), (2, 3, 4))(images())
    return transformed


@pytest.mark.slow
def test_padding_is_black_on_every_side() -> None:
    padded = transform("data.pad=2")
    assert padded.shape == (2, 2, 7, 8)
    assert padded.dtype == torch.uint8
    assert torch.equal(padded[:, :, 2:5, 2:6], images())
    assert int(padded.sum()) == int(images().sum())


@pytest.mark.slow
def test_permutation_is_the_same_for_all_images_and_channels() -> None:
    permuted = transform("data.permutation_seed=3")
    assert permuted.shape == images().shape
    order = permuted[0, 0].flatten().argsort()
    assert order.tolist() != list(range(12))
    for image, before in zip(permuted.flatten(0, 1), images().flatten(0, 1), strict=True):
        assert torch.equal(image.flatten()[order], before.flatten())


@pytest.mark.slow
def test_permutation_depends_on_its_seed() -> None:
    first = transform("data.permutation_seed=3")
    assert torch.equal(first, transform("data.permutation_seed=3"))
    assert not torch.equal(first, transform("data.permutation_seed=0"))


@pytest.mark.slow
def test_padding_is_permuted_too() -> None:
    both, padded = transform(*PAD_AND_PERMUTE), transform("data.pad=2")
    assert both.shape == (2, 2, 7, 8)
    assert sorted(both.flatten().tolist()) == sorted(padded.flatten().tolist())
    assert not torch.equal(both, padded)


def test_images_are_unchanged_by_default() -> None:
    assert torch.equal(transform(), images())


def test_permutation_is_not_part_of_checkpoints() -> None:
    assert not PadAndPermute(data_config(*PAD_AND_PERMUTE), (2, 3, 4)).state_dict()


@pytest.mark.slow
def test_run_restores_its_transform(digits_csv: Path) -> None:
    run = csvision.train(*SMALL, "data=csv", f"data.csv={digits_csv}", *PAD_AND_PERMUTE)
    weights = run.classifier.network.state_dict()["dense.0.linear.weight"]
    assert weights.shape == (128, 144)
    evaluation = csvision.evaluate(run.directory, "quiet=true")
    assert evaluation.metrics == pytest.approx(run.evaluation.metrics, abs=1e-6)
    all_rows = csvision.evaluate(run.directory, f"data.csv={digits_csv}", "quiet=true")
    test_rows = run.splits.test.indices
    expected = run.evaluation.probabilities
    assert np.allclose(all_rows.probabilities[test_rows], expected, atol=1e-6)
    table = csvision.predict(run.directory, digits_csv)
    predictions = table["prediction"].to_numpy()[test_rows]
    assert np.array_equal(predictions, run.evaluation.predictions)
    # A loaded classifier takes images as stored in the file.
    stored = csvision.read_table(str(digits_csv)).images[test_rows]
    probabilities = csvision.load(run.directory).predict_proba(torch.from_numpy(stored))
    assert np.allclose(probabilities.numpy(), expected, atol=1e-6)


@pytest.mark.slow
def test_augmentation_is_applied_after_padding(digits_csv: Path) -> None:
    # A translation within the padding loses no pixel, so the sum of all pixels is constant.
    run = csvision.train(
        *SMALL, "data=csv", f"data.csv={digits_csv}", "data.pad=3", "augmentation.translate=3"
    )
    padded = run.classifier.transform(torch.from_numpy(run.splits.train.table.images))
    assert run.classifier.augmentation is not None
    translated = run.classifier.augmentation(padded, step=1)
    assert not torch.equal(translated, padded)
    assert int(translated.long().sum()) == int(padded.long().sum())


@pytest.mark.slow
def test_network_must_fit_the_padded_images(digits_csv: Path) -> None:
    stages = "model.stages=[{filters:2},{filters:2},{filters:2},{filters:2}]"
    arguments = (
        "data=csv",
        f"data.csv={digits_csv}",
        "model=cnn",
        stages,
        "epochs=1",
        "accelerator=cpu",
        "logger=none",
        "quiet=true",
    )
    with pytest.raises(ConfigError, match=r"model\.stages\.3\.pool: .* 1x1 input"):
        csvision.train(*arguments)
    assert csvision.train(*arguments, "data.pad=4").metrics

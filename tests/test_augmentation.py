"""Random transforms: each against a slow loop with the same random numbers; only in training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import csvision
from csvision.augmentation import Augmentation, cutout, hflip, impulse_noise, translate
from csvision.classifier import Classifier
from csvision.config import schema
from csvision.data.loader import BatchLoader
from csvision.data.read_options import ReadOptions
from csvision.data.splits import Subset
from csvision.data.table import read_table
from csvision.models.build import build_model
from csvision.models.mlp import MLP
from csvision.rng import derive_seed
from csvision.run.log import ignore_known_warnings
from tests.conftest import digits, silent_trainer

SHAPES = [(5, 1, 8, 8), (3, 3, 6, 9), (1, 1, 1, 1), (4, 2, 7, 3)]
TRAIN = (
    "data=csv",
    "model=mlp",
    "model.hidden=[8]",
    "epochs=2",
    "accelerator=cpu",
    "logger=none",
    "quiet=true",
)


def random_images(*shape: int) -> Tensor:
    """Return images without black pixels, so that every black pixel comes from a transform."""
    generator = torch.Generator().manual_seed(1)
    return torch.randint(1, 256, shape, generator=generator, dtype=torch.uint8)


def new_generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augment(
    images: Tensor,
    step: int = 0,
    seed: int = 0,
    hflip: float = 0,
    translate: int = 0,
    cutout: int = 0,
    impulse_noise: float = 0,
) -> Tensor:
    config = schema.AugmentationConfig(hflip, translate, cutout, impulse_noise)
    return Augmentation(config, seed)(images, step)


@pytest.mark.parametrize("shape", SHAPES)
def test_hflip_reverses_the_rows_of_the_drawn_images(shape: tuple[int, ...]) -> None:
    images = random_images(*shape)
    draws = torch.rand(len(images), generator=new_generator())
    expected = images.clone()
    for image, draw in zip(expected, draws, strict=True):
        if draw < 0.5:
            for row in image.reshape(-1, shape[3]):
                row[:] = torch.tensor(row.tolist()[::-1])
    assert torch.equal(hflip(images, 0.5, new_generator()), expected)


def test_hflip_with_probability_0_and_1() -> None:
    images = random_images(100, 3, 4, 5)
    assert torch.equal(hflip(images, 0.0, new_generator()), images)
    assert torch.equal(hflip(images, 1.0, new_generator()), images.flip(3))


def test_hflip_flips_the_given_fraction_of_images() -> None:
    images = random_images(4000, 1, 1, 8)
    flipped = (hflip(images, 0.3, new_generator()) != images).flatten(1).any(dim=1)
    assert flipped.float().mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("max_shift", [1, 2, 20])
@pytest.mark.parametrize("shape", SHAPES)
def test_translate_shifts_each_image_and_fills_with_black(
    shape: tuple[int, ...], max_shift: int
) -> None:
    images = random_images(*shape)
    count, _, height, width = shape
    offsets = torch.randint(0, 2 * max_shift + 1, (2, count), generator=new_generator())
    down, right = max_shift - offsets
    expected = torch.zeros_like(images)
    for index in range(count):
        for row in range(height):
            for column in range(width):
                from_row, from_column = row - down[index], column - right[index]
                if 0 <= from_row < height and 0 <= from_column < width:
                    expected[index, :, row, column] = images[index, :, from_row, from_column]
    assert torch.equal(translate(images, max_shift, new_generator()), expected)


def test_translate_draws_every_shift_within_its_range() -> None:
    images = torch.zeros(2000, 1, 9, 9, dtype=torch.uint8)
    images[:, 0, 4, 4] = 255
    _, _, rows, columns = translate(images, 2, new_generator()).nonzero(as_tuple=True)
    assert len(rows) == len(images)
    counts = torch.bincount((rows - 2) * 5 + columns - 2)
    assert set(rows.tolist()) == set(columns.tolist()) == {2, 3, 4, 5, 6}
    assert len(counts) == 25
    assert counts.min() > 40


@pytest.mark.parametrize("size", [1, 2, 3, 8, 30])
@pytest.mark.parametrize("shape", SHAPES)
def test_cutout_sets_one_clipped_square_to_black(shape: tuple[int, ...], size: int) -> None:
    images = random_images(*shape)
    count, _, height, width = shape
    down, right = torch.rand(2, count, generator=new_generator())
    expected = images.clone()
    for index in range(count):
        top = int(down[index] * height) - size // 2
        left = int(right[index] * width) - size // 2
        for row in range(max(top, 0), min(top + size, height)):
            for column in range(max(left, 0), min(left + size, width)):
                expected[index, :, row, column] = 0
    assert torch.equal(cutout(images, size, new_generator()), expected)


def test_cutout_pixels_form_a_square_unless_at_an_edge() -> None:
    masked = cutout(random_images(500, 3, 12, 12), 4, new_generator()) == 0
    full_squares = 0
    for image in masked:
        channels, rows, columns = (index.unique() for index in image.nonzero(as_tuple=True))
        assert channels.tolist() == [0, 1, 2]
        assert int(image.sum()) == 3 * len(rows) * len(columns)
        assert 2 <= len(rows) <= 4
        assert 2 <= len(columns) <= 4
        if {0, 11}.isdisjoint([*rows.tolist(), *columns.tolist()]):
            assert len(rows) == len(columns) == 4
            full_squares += 1
    assert 100 < full_squares < 500


@pytest.mark.parametrize("p", [0.0, 0.2, 1.0])
def test_impulse_noise_sets_a_fraction_of_the_pixels_in_all_channels(p: float) -> None:
    images = random_images(200, 3, 10, 10).clamp(max=254)
    noisy = impulse_noise(images, p, new_generator())
    black, white = (noisy == 0).all(dim=1), (noisy == 255).all(dim=1)
    assert torch.equal((noisy != images).all(dim=1), black | white)
    unchanged = ~(black | white)[:, None].expand_as(images)
    assert torch.equal(noisy[unchanged], images[unchanged])
    assert float(black.float().mean()) == pytest.approx(p / 2, abs=0.01)
    assert float(white.float().mean()) == pytest.approx(p / 2, abs=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_and_dtype_are_kept_and_the_input_is_not_modified(shape: tuple[int, ...]) -> None:
    images = random_images(*shape)
    before = images.clone()
    changed = augment(images, hflip=0.5, translate=2, cutout=3, impulse_noise=0.2)
    assert changed.shape == images.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(images, before)


def test_images_are_unchanged_if_nothing_is_enabled() -> None:
    images = random_images(4, 3, 5, 5)
    assert torch.equal(augment(images), images)


@pytest.mark.parametrize(
    "options", [{"hflip": 0.5}, {"translate": 2}, {"cutout": 3}, {"impulse_noise": 0.2}]
)
def test_result_depends_on_seed_and_step_alone(options: dict[str, Any]) -> None:
    images = random_images(50, 1, 8, 8)
    torch.manual_seed(0)
    first = augment(images, step=7, seed=3, **options)
    torch.manual_seed(1)
    torch.rand(5)
    assert torch.equal(augment(images, step=7, seed=3, **options), first)
    assert not torch.equal(augment(images, step=8, seed=3, **options), first)
    assert not torch.equal(augment(images, step=7, seed=4, **options), first)


def test_global_random_state_is_unchanged() -> None:
    before = torch.random.get_rng_state()
    augment(random_images(4, 1, 8, 8), hflip=0.5, translate=2, cutout=3, impulse_noise=0.2)
    assert torch.equal(torch.random.get_rng_state(), before)


@given(st.integers(0, 2**40), st.integers(0, 10**9))
def test_enabling_one_transform_does_not_change_another(seed: int, step: int) -> None:
    images = random_images(6, 1, 8, 8)
    others: list[dict[str, Any]] = [
        {"translate": 2},
        {"cutout": 3},
        {"translate": 2, "cutout": 3},
    ]
    for options in others:
        # The flip runs first, so with p=1 it equals flipping the input.
        flipped = augment(images, step, seed, hflip=1.0, **options)
        assert torch.equal(flipped, augment(images.flip(3), step, seed, **options))
    together = augment(images, step, seed, translate=2, cutout=3, impulse_noise=0.2)
    translated = augment(images, step, seed, translate=2)
    masked = augment(translated, step, seed, cutout=3)
    assert torch.equal(together, augment(masked, step, seed, impulse_noise=0.2))


@pytest.mark.usefixtures("digits_csv")
def test_validation_and_test_use_the_original_images() -> None:
    subset = Subset.full(csvision.read_table("digits.csv", csvision.ReadOptions(cache="none")))
    network = MLP((1, 8, 8), 10, hidden=[8])
    metrics = []
    for augmentation in (None, Augmentation(schema.AugmentationConfig(1.0, 3, 8, 0.5), 0)):
        classifier = Classifier(network, subset.table.classes, augmentation=augmentation)
        trainer, loader = silent_trainer(), BatchLoader(subset, 64)
        with ignore_known_warnings():
            metrics.append(trainer.validate(classifier, loader, verbose=False))
            metrics.append(trainer.test(classifier, loader, verbose=False))
    assert metrics[:2] == metrics[2:]


@pytest.mark.slow
def test_training_uses_augmented_images_and_the_test_does_not(digits_csv: Path) -> None:
    arguments = (*TRAIN, f"data.csv={digits_csv}", "optimizer=sgd", "scheduler=none")
    plain = csvision.train(*arguments)
    black = csvision.train(*arguments, "augmentation.cutout=40")
    initial = build_model(plain.config.model, (1, 8, 8), 10, derive_seed(42, "weights"))
    # On black images the gradient of the first layer's weights is zero.
    name = "dense.0.linear.weight"
    weights = [run.classifier.network.state_dict()[name] for run in (plain, black)]
    assert not torch.equal(weights[0], initial.state_dict()[name])
    assert torch.equal(weights[1], initial.state_dict()[name])
    test = black.splits.test
    images = torch.from_numpy(test.table.images[test.indices])
    expected = black.classifier.predict_proba(images)
    assert torch.allclose(torch.from_numpy(black.evaluation.probabilities), expected, atol=1e-6)
    assert csvision.evaluate(black.directory, "quiet=true").metrics == pytest.approx(
        black.evaluation.metrics, abs=1e-6
    )


@pytest.mark.slow
def test_augmented_run_is_deterministic(digits_csv: Path) -> None:
    arguments = (*TRAIN, f"data.csv={digits_csv}", "augmentation=standard")
    first, second = csvision.train(*arguments), csvision.train(*arguments)
    assert first.metrics == second.metrics
    assert csvision.train(*arguments, "seed=1").metrics != first.metrics


def test_flip_of_a_file_with_images_on_their_side_exchanges_left_and_right() -> None:
    upright = digits(60)
    pixels = upright.iloc[:, 1:].to_numpy().reshape(-1, 8, 8)
    on_side = upright.copy()
    on_side.iloc[:, 1:] = pixels.transpose(0, 2, 1).reshape(-1, 64)
    on_side.to_csv("on_side.csv", index=False)
    table = read_table("on_side.csv", ReadOptions(transpose=True))
    generator = torch.Generator().manual_seed(0)
    flipped = hflip(torch.from_numpy(table.images), 1.0, generator)
    np.testing.assert_array_equal(flipped.numpy()[:, 0], pixels[:, :, ::-1])

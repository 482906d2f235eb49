"""Random changes of images: each against a slow loop with the same draws, and only in training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightning import Trainer
from torch import Tensor

import csvision
from csvision import schema
from csvision.augmentation import Augmentation, erase, flip, impulse, shift
from csvision.classifier import Classifier
from csvision.data.batches import BatchLoader
from csvision.data.split import Part, whole
from csvision.data.table import read_table
from csvision.models.build import build_network
from csvision.models.mlp import MLP
from csvision.run.log import known_warnings_ignored
from csvision.seeding import stream_seed

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
    """Images without a black pixel, so that black is what a change has brought in."""
    generator = torch.Generator().manual_seed(1)
    return torch.randint(1, 256, shape, generator=generator, dtype=torch.uint8)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augmented(
    images: Tensor,
    step: int = 0,
    seed: int = 0,
    flip: float = 0,
    shift: int = 0,
    erase: int = 0,
    impulse: float = 0,
) -> Tensor:
    return Augmentation(schema.Augmentation(flip, shift, erase, impulse), seed)(images, step)


@pytest.mark.parametrize("shape", SHAPES)
def test_flip_mirrors_the_images_that_are_drawn(shape: tuple[int, ...]) -> None:
    images = random_images(*shape)
    draws = torch.rand(len(images), generator=stream())
    expected = images.clone()
    for image, draw in zip(expected, draws, strict=True):
        if draw < 0.5:
            for row in image.reshape(-1, shape[3]):
                row[:] = torch.tensor(row.tolist()[::-1])
    assert torch.equal(flip(images, 0.5, stream()), expected)


def test_flip_with_probability_0_and_1() -> None:
    images = random_images(100, 3, 4, 5)
    assert torch.equal(flip(images, 0.0, stream()), images)
    assert torch.equal(flip(images, 1.0, stream()), images.flip(3))


def test_flip_mirrors_the_given_share_of_images() -> None:
    images = random_images(4000, 1, 1, 8)
    mirrored = (flip(images, 0.3, stream()) != images).flatten(1).any(dim=1)
    assert mirrored.float().mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("most", [1, 2, 20])
@pytest.mark.parametrize("shape", SHAPES)
def test_shift_moves_each_image_and_fills_with_black(shape: tuple[int, ...], most: int) -> None:
    images = random_images(*shape)
    count, _, height, width = shape
    downs, rights = most - torch.randint(0, 2 * most + 1, (2, count), generator=stream())
    expected = torch.zeros_like(images)
    for index in range(count):
        for row in range(height):
            for column in range(width):
                from_row, from_column = row - downs[index], column - rights[index]
                if 0 <= from_row < height and 0 <= from_column < width:
                    expected[index, :, row, column] = images[index, :, from_row, from_column]
    assert torch.equal(shift(images, most, stream()), expected)


def test_every_shift_within_the_bounds_occurs_and_none_beyond() -> None:
    images = torch.zeros(2000, 1, 9, 9, dtype=torch.uint8)
    images[:, 0, 4, 4] = 255
    _, _, rows, columns = shift(images, 2, stream()).nonzero(as_tuple=True)
    assert len(rows) == len(images)
    counts = torch.bincount((rows - 2) * 5 + columns - 2)
    assert set(rows.tolist()) == set(columns.tolist()) == {2, 3, 4, 5, 6}
    assert len(counts) == 25
    assert counts.min() > 40


@pytest.mark.parametrize("side", [1, 2, 3, 8, 30])
@pytest.mark.parametrize("shape", SHAPES)
def test_erase_blackens_one_square_that_the_edges_clip(shape: tuple[int, ...], side: int) -> None:
    images = random_images(*shape)
    count, _, height, width = shape
    down, right = torch.rand(2, count, generator=stream())
    expected = images.clone()
    for index in range(count):
        top = int(down[index] * height) - side // 2
        left = int(right[index] * width) - side // 2
        for row in range(max(top, 0), min(top + side, height)):
            for column in range(max(left, 0), min(left + side, width)):
                expected[index, :, row, column] = 0
    assert torch.equal(erase(images, side, stream()), expected)


def test_erased_pixels_form_a_square_unless_at_an_edge() -> None:
    erased = erase(random_images(500, 3, 12, 12), 4, stream()) == 0
    whole_squares = 0
    for image in erased:
        channels, rows, columns = (index.unique() for index in image.nonzero(as_tuple=True))
        assert channels.tolist() == [0, 1, 2]
        assert int(image.sum()) == 3 * len(rows) * len(columns)
        assert 2 <= len(rows) <= 4
        assert 2 <= len(columns) <= 4
        if {0, 11}.isdisjoint([*rows.tolist(), *columns.tolist()]):
            assert len(rows) == len(columns) == 4
            whole_squares += 1
    assert 100 < whole_squares < 500


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_impulses_turn_a_share_of_the_pixels_black_or_white_in_all_channels(share: float) -> None:
    images = random_images(200, 3, 10, 10).clamp(max=254)
    spoilt = impulse(images, share, stream())
    black, white = (spoilt == 0).all(dim=1), (spoilt == 255).all(dim=1)
    assert torch.equal((spoilt != images).all(dim=1), black | white)
    untouched = ~(black | white)[:, None].expand_as(images)
    assert torch.equal(spoilt[untouched], images[untouched])
    assert float(black.float().mean()) == pytest.approx(share / 2, abs=0.01)
    assert float(white.float().mean()) == pytest.approx(share / 2, abs=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_form_of_images_stays_and_what_is_given_is_not_changed(shape: tuple[int, ...]) -> None:
    images = random_images(*shape)
    before = images.clone()
    changed = augmented(images, flip=0.5, shift=2, erase=3, impulse=0.2)
    assert changed.shape == images.shape
    assert changed.dtype == torch.uint8
    assert torch.equal(images, before)


def test_without_a_change_the_images_are_as_they_were() -> None:
    images = random_images(4, 3, 5, 5)
    assert torch.equal(augmented(images), images)


@pytest.mark.parametrize("change", [{"flip": 0.5}, {"shift": 2}, {"erase": 3}, {"impulse": 0.2}])
def test_seed_and_step_alone_decide(change: dict[str, Any]) -> None:
    images = random_images(50, 1, 8, 8)
    torch.manual_seed(0)
    first = augmented(images, step=7, seed=3, **change)
    torch.manual_seed(1)
    torch.rand(5)
    assert torch.equal(augmented(images, step=7, seed=3, **change), first)
    assert not torch.equal(augmented(images, step=8, seed=3, **change), first)
    assert not torch.equal(augmented(images, step=7, seed=4, **change), first)


def test_the_global_stream_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    augmented(random_images(4, 1, 8, 8), flip=0.5, shift=2, erase=3, impulse=0.2)
    assert torch.equal(torch.random.get_rng_state(), before)


@given(st.integers(0, 2**40), st.integers(0, 10**9))
def test_switching_one_change_on_does_not_shift_the_draws_of_another(seed: int, step: int) -> None:
    images = random_images(6, 1, 8, 8)
    # Mirroring the outcome undoes a flip of all images, wherever it stood among the changes.
    for change in ({"shift": 2}, {"erase": 3}, {"shift": 2, "erase": 3}):
        mirrored_first = augmented(images, step, seed, flip=1.0, **change)
        assert torch.equal(mirrored_first, augmented(images.flip(3), step, seed, **change))
    together = augmented(images, step, seed, shift=2, erase=3, impulse=0.2)
    moved = augmented(images, step, seed, shift=2)
    erased = augmented(moved, step, seed, erase=3)
    assert torch.equal(together, augmented(erased, step, seed, impulse=0.2))


def digits_part() -> Part:
    return whole(read_table("digits.csv", cache="none"))


@pytest.mark.usefixtures("digits_csv")
def test_a_test_sees_the_images_as_they_are() -> None:
    part, network = digits_part(), MLP((1, 8, 8), 10, hidden=[8])
    figures = []
    for change in (None, Augmentation(schema.Augmentation(1.0, 3, 8), 0)):
        classifier = Classifier(network, part.table.classes, augmentation=change)
        trainer = Trainer(
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
        )
        loader = BatchLoader(part, 64)
        with known_warnings_ignored():
            figures.append(trainer.validate(classifier, loader, verbose=False))
            figures.append(trainer.test(classifier, loader, verbose=False))
    assert figures[:2] == figures[2:]


def test_training_sees_the_changed_images_and_testing_does_not(digits_csv: Path) -> None:
    arguments = (*TRAIN, f"data.csv={digits_csv}", "optimizer=sgd", "scheduler=none")
    plain = csvision.train(*arguments)
    black = csvision.train(*arguments, "augmentation.erase=40")
    initial = build_network(plain.config.model, (1, 8, 8), 10, stream_seed(42, "weights"))
    # Black images leave the gradient of the first layer's weights zero.
    name = "dense.0.linear.weight"
    weights = [run.classifier.network.state_dict()[name] for run in (plain, black)]
    assert not torch.equal(weights[0], initial.state_dict()[name])
    assert torch.equal(weights[1], initial.state_dict()[name])
    images = torch.from_numpy(black.parts.test.table.images)[black.parts.test.rows]
    expected = black.classifier.probabilities(images)
    assert torch.allclose(torch.from_numpy(black.evaluation.probabilities), expected, atol=1e-6)
    assert csvision.evaluate(black.directory, "quiet=true").metrics == pytest.approx(
        black.evaluation.metrics, abs=1e-6
    )


def test_an_augmented_run_can_be_repeated(digits_csv: Path) -> None:
    arguments = (*TRAIN, f"data.csv={digits_csv}", "augmentation=standard")
    first, second = csvision.train(*arguments), csvision.train(*arguments)
    assert first.metrics == second.metrics
    assert csvision.train(*arguments, "seed=1").metrics != first.metrics

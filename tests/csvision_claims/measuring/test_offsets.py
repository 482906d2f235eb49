"""Garments moved on a canvas, and networks that predict the offset."""

import pytest
import torch
from torch import nn

from csvision import Subset, read_table
from csvision_claims.measuring.offsets import (
    MAX_OFFSET,
    draw_offsets,
    mean_abs_error,
    move_images,
    offset_error,
)


def test_image_is_at_its_offset() -> None:
    images = torch.arange(1, 28 * 28 * 3 + 1).reshape(3, 1, 28, 28)
    offsets = torch.tensor([[0, 0], [-MAX_OFFSET, MAX_OFFSET], [2, -5]])
    canvas = move_images(images, offsets)
    assert canvas.shape == (3, 1, 40, 40)
    for image, shown, (down, right) in zip(images, canvas, offsets.tolist(), strict=True):
        top, left = MAX_OFFSET + down, MAX_OFFSET + right
        assert torch.equal(shown[0, top : top + 28, left : left + 28], image[0])
        assert int(shown.sum()) == int(image.sum())


def test_all_offsets_are_drawn() -> None:
    offsets = draw_offsets(5000, torch.Generator().manual_seed(0))
    assert set(offsets.flatten().tolist()) == set(range(-MAX_OFFSET, MAX_OFFSET + 1))
    assert float(offsets.double().mean()) == pytest.approx(0, abs=0.15)


class Guess(nn.Module):
    """Always predicts the center."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(images), 2)


class Border(nn.Module):
    """Locates a white image by its first row and column."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        inside = images[:, 0] > 0
        rows, columns = (inside.any(dim=axis).int().argmax(dim=1) for axis in (2, 1))
        return torch.stack([rows, columns], dim=1) - float(MAX_OFFSET)


def test_error_is_the_mean_absolute_error_in_pixels() -> None:
    table = read_table("bundled")
    subset = Subset.full(table)
    # The mean of |offset| over -6 ... 6 is 42 / 13, its standard error over 12,000 draws 0.018.
    assert mean_abs_error(Guess(), subset) == pytest.approx(42 / 13, abs=0.06)
    white = torch.full((50, 1, 28, 28), 255, dtype=torch.uint8)
    offsets = draw_offsets(50, torch.Generator().manual_seed(1))
    assert torch.equal(Border()(move_images(white, offsets)), offsets.float())


@pytest.mark.slow
def test_network_learns_offsets_from_few_garments() -> None:
    overrides = ["model=mlp", "model.hidden=[32]"]
    data = ["data=fmnist_small", "data.val_size=0.2", "debug.limit_rows=256"]

    def found(epochs: int, split: str) -> float:
        return offset_error(overrides, data, 0.003, 0, epochs, split)

    untrained = found(1, "val")
    assert found(20, "val") < 0.8 * untrained
    assert found(1, "val") == untrained
    assert found(1, "test") != untrained

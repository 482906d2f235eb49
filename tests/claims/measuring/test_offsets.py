"""Garments moved on a canvas, and networks that say by how much."""

import pytest
import torch
from torch import nn

from csvision.claims.measuring.offsets import MOST, draw_offsets, error, moved, offset_error
from csvision.data.split import whole
from csvision.data.table import read_table


def test_an_image_stands_where_its_offset_says() -> None:
    images = torch.arange(1, 28 * 28 * 3 + 1).reshape(3, 1, 28, 28)
    offsets = torch.tensor([[0, 0], [-MOST, MOST], [2, -5]])
    canvas = moved(images, offsets)
    assert canvas.shape == (3, 1, 40, 40)
    for image, shown, (down, right) in zip(images, canvas, offsets.tolist(), strict=True):
        top, left = MOST + down, MOST + right
        assert torch.equal(shown[0, top : top + 28, left : left + 28], image[0])
        assert int(shown.sum()) == int(image.sum())


def test_every_offset_is_drawn() -> None:
    offsets = draw_offsets(5000, torch.Generator().manual_seed(0))
    assert set(offsets.flatten().tolist()) == set(range(-MOST, MOST + 1))
    assert float(offsets.double().mean()) == pytest.approx(0, abs=0.15)


class Guess(nn.Module):
    """Always the middle."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(images), 2)


class Border(nn.Module):
    """Finds a full white image by its first row and column."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        inside = images[:, 0] > 0
        rows, columns = (inside.any(dim=axis).int().argmax(dim=1) for axis in (2, 1))
        return torch.stack([rows, columns], dim=1) - float(MOST)


def test_the_error_is_the_mean_absolute_one_in_pixels() -> None:
    table = read_table("embedded")
    part = whole(table)
    # The mean of |offset| over -6 ... 6 is 42 / 13, its error over 12,000 draws 0.018.
    assert error(Guess(), part) == pytest.approx(42 / 13, abs=0.06)
    white = torch.full((50, 1, 28, 28), 255, dtype=torch.uint8)
    offsets = draw_offsets(50, torch.Generator().manual_seed(1))
    assert torch.equal(Border()(moved(white, offsets)), offsets.float())


def test_a_network_learns_offsets_on_a_few_garments() -> None:
    overrides = ["model=mlp", "model.hidden=[32]"]
    data = ["data=fmnist_small", "data.val_size=0.2", "debug.rows=256"]

    def found(epochs: int, part: str) -> float:
        return offset_error(overrides, data, 0.003, 0, epochs, part)

    untrained = found(1, "val")
    assert found(20, "val") < 0.8 * untrained
    assert found(1, "val") == untrained
    assert found(1, "test") != untrained

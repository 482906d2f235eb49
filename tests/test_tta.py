"""Test-time augmentation: which views there are, and the mean of their probabilities."""

import pytest
import torch
from torch import Tensor, nn

from csvision.config.training_schema import TTA
from csvision.tta import average_views, shift, views

IMAGES = torch.arange(1, 10, dtype=torch.uint8).reshape(1, 1, 3, 3)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (0, 1, [[0, 1, 2], [0, 4, 5], [0, 7, 8]]),
        (0, -1, [[2, 3, 0], [5, 6, 0], [8, 9, 0]]),
        (1, 0, [[0, 0, 0], [1, 2, 3], [4, 5, 6]]),
        (-1, 0, [[4, 5, 6], [7, 8, 9], [0, 0, 0]]),
    ],
)
def test_shift_by_hand(rows: int, columns: int, expected: list[list[int]]) -> None:
    assert shift(IMAGES, rows, columns)[0, 0].tolist() == expected


def test_views_are_different_images() -> None:
    assert len([*views(IMAGES, TTA.flip)]) == 2
    found = [*views(IMAGES, TTA.flip_shift)]
    assert len({tuple(view.flatten().tolist()) for view in found}) == len(found) == 10
    assert {view.shape for view in found} == {IMAGES.shape}


@pytest.mark.parametrize("tta", [TTA.flip, TTA.flip_shift])
def test_softmax_is_the_mean_of_the_probabilities(tta: TTA) -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Flatten(), nn.Linear(9, 4))
    images = torch.randint(256, (5, 1, 3, 3), dtype=torch.uint8)

    def network(batch: Tensor) -> Tensor:
        logits: Tensor = layers(batch / 255)
        return logits

    expected = torch.stack([network(view).softmax(dim=1) for view in views(images, tta)]).mean(0)
    torch.testing.assert_close(average_views(network, images, tta).softmax(dim=1), expected)


def test_none_is_the_network_itself() -> None:
    logits = torch.randn(1, 4)
    assert average_views(lambda _: logits, IMAGES, TTA.none) is logits

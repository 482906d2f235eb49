"""Shifted images, and the predictions that change."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from csvision.inspection.applicable import NotApplicable
from csvision.inspection.shifts import MAX_ROWS, measure_shifts, shift_images
from tests.inspection.examples import eval_result

IMAGE = torch.arange(1, 13).reshape(1, 1, 3, 4).to(torch.uint8)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (0, 1, [[0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11]]),
        (0, -2, [[3, 4, 0, 0], [7, 8, 0, 0], [11, 12, 0, 0]]),
        (1, 0, [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]]),
        (-2, 1, [[0, 9, 10, 11], [0, 0, 0, 0], [0, 0, 0, 0]]),
        (0, 0, IMAGE[0, 0].tolist()),
    ],
)
def test_images_are_shifted_down_and_right(
    rows: int, columns: int, expected: list[list[int]]
) -> None:
    assert shift_images(IMAGE, rows, columns)[0, 0].tolist() == expected


def left_half(images: Tensor) -> NDArray[np.float32]:
    """Predict class 0 if the left half is brighter, else class 1."""
    left, right = images[..., :4].float().sum((1, 2, 3)), images[..., 4:].float().sum((1, 2, 3))
    return torch.stack([left, right], dim=1).add(0.01).softmax(dim=1).numpy()


def test_predictions_that_change_are_counted() -> None:
    """A bright column moves from the left half into the right one, or out of the image."""
    images = np.zeros((2, 1, 8, 8), np.uint8)
    images[0, :, :, 4] = 1
    images[1, :, :, 2] = 1
    result = eval_result(left_half(torch.from_numpy(images[::-1].copy())), [0, 1], images)
    found = measure_shifts(result, left_half)
    changed = {(each.distance, each.direction): each.changed.value for each in found.single}
    assert changed[1, "right"] == 0
    assert changed[2, "right"] == changed[1, "left"] == 0.5
    # In the column of row 0, all shifts by 1 to 4 to the left change the half.
    assert changed[4, "left"] == pytest.approx(0.5)
    assert changed[2, "up"] == 0
    assert found.distances == [1, 2, 3, 4]
    assert found.changed[1].value == pytest.approx((0.5 + 0.5 + 0 + 0) / 4)
    assert found.accuracy[1].value == pytest.approx(1 - (0.5 + 0.5) / 4)
    assert {(each.position, each.direction) for each in found.examples} == {
        (0, "right"),
        (1, "left"),
    }


def test_fall_compares_each_row_with_itself() -> None:
    """To the right, all predictions are lost; black images are predicted as class 0, too."""
    images = np.zeros((40, 1, 8, 8), np.uint8)
    images[:, :, :, 3] = 1
    result = eval_result(left_half(torch.from_numpy(images)), [0] * 40, images)
    found = measure_shifts(result, left_half)
    assert found.unshifted.value == 1
    assert [each.value for each in found.fall] == [0.25] * 4
    for fall, accuracy in zip(found.fall, found.accuracy, strict=True):
        assert fall.value == pytest.approx(1 - accuracy.value)
    for each in [*found.changed, *found.accuracy, *(each.changed for each in found.single)]:
        assert 0 <= each.low < each.high <= 1


def test_distance_is_smaller_than_the_image() -> None:
    result = eval_result([[0.9, 0.1]], [0])
    found = measure_shifts(result, lambda images: np.array([[0.9, 0.1]], np.float32))
    assert found.distances == [1]


def test_images_of_one_row_do_not_apply() -> None:
    result = eval_result([[0.9, 0.1]], [0], np.zeros((1, 1, 1, 5), np.uint8))
    with pytest.raises(NotApplicable):
        measure_shifts(result, left_half)


def test_large_test_sets_are_sampled_in_equal_steps() -> None:
    count = 2 * MAX_ROWS
    images = np.zeros((count, 1, 2, 2), np.uint8)
    result = eval_result(np.tile([[0.9, 0.1]], (count, 1)), [0] * count, images)
    found = measure_shifts(result, lambda batch: np.tile([[0.9, 0.1]], (len(batch), 1)))
    assert found.rows == MAX_ROWS

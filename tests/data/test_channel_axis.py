"""The axis of the channels: first, last, or refused."""

import pytest

from csvision.data.channel_axis import find_channel_axis


@pytest.mark.parametrize(
    ("sides", "shape", "layout"),
    [
        ((28, 28, 3), (3, 28, 28), "channels_last"),
        ((3, 28, 28), (3, 28, 28), "channels_first"),
        ((1, 28, 28), (1, 28, 28), "channels_first"),
        ((28, 20, 1), (1, 28, 20), "channels_last"),
        ((4, 4, 3), (3, 4, 4), "channels_last"),
        ((3, 4, 4), (3, 4, 4), "channels_first"),
        ((1, 3, 3), (1, 3, 3), "channels_first"),
        ((4, 5, 3), (3, 4, 5), "channels_last"),
    ],
)
def test_axis_is_that_of_square_images_or_of_three_channels(
    sides: tuple[int, int, int], shape: tuple[int, int, int], layout: str
) -> None:
    assert find_channel_axis(sides) == (shape, layout)


@pytest.mark.parametrize("sides", [(3, 5, 3), (4, 4, 4), (3, 3, 3), (28, 28, 2), (5, 6, 7)])
def test_axis_that_is_not_clear_is_not_guessed(sides: tuple[int, int, int]) -> None:
    assert find_channel_axis(sides) is None

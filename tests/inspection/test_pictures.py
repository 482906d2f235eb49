"""Arrays as pictures of plain pixels."""

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from csvision.inspection.pictures import (
    FRAME,
    GAP,
    OUTLINES,
    Picture,
    arrange,
    color_filter_pixels,
    fit_scale,
    image_pixels,
    outline_field,
    signed_pixels,
)
from csvision.inspection.receptive_field import ReceptiveField


def test_zero_is_white_positive_red_negative_blue() -> None:
    pixels = signed_pixels(np.array([[0.0, 2.0, -2.0, 0.5]])).astype(int)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    red, _, blue = (pixels[0, 1] - pixels[0, 2]).tolist()
    assert red > 50
    assert blue < -50
    # A weaker value is lighter.
    assert pixels[0, 3].sum() > pixels[0, 1].sum()


def test_constant_zero_is_white() -> None:
    assert (signed_pixels(np.zeros((2, 2))) == 255).all()


def test_gray_and_color_images() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    assert image_pixels(image)[1, 0].tolist() == [2, 6, 10]
    assert image_pixels(image[:1])[1, 0].tolist() == [2, 2, 2]


def test_color_filter_has_gray_for_zero() -> None:
    weights = np.zeros((3, 1, 2))
    weights[0, 0, 1] = 1
    assert color_filter_pixels(weights, 1.0).tolist() == [[[128, 128, 128], [255, 128, 128]]]


def test_sheet_has_lines_between_its_pictures() -> None:
    black = np.zeros((2, 3, 3), np.uint8)
    sheet = arrange([black] * 3, scale=2, width=18)
    # Two columns of 6 pixels, two rows of 4.
    assert sheet.shape == (2 * (4 + GAP) + GAP, 2 * (6 + GAP) + GAP, 3)
    assert (sheet[:GAP] == FRAME).all()
    assert (sheet[GAP : GAP + 4, GAP : GAP + 6] == 0).all()
    assert (sheet[-GAP - 4 :, -GAP - 6 :] == FRAME).all()


@pytest.mark.parametrize("color", [0, 128, 255, (230, 90, 0), (0, 0, 255)])
def test_frame_around_the_receptive_field_is_visible_on_any_color(
    color: int | tuple[int, int, int],
) -> None:
    field = ReceptiveField(0, 0, top=1, bottom=2, left=1, right=3)
    image = np.broadcast_to(np.array(color, np.uint8), (4, 5, 3))
    pixels = outline_field(image, field, scale=3)
    outer, inner = ((pixels == line).all(axis=2) for line in OUTLINES)
    # Rows 3 to 8 and columns 3 to 11 are the field.
    ring, hole = np.zeros((12, 15), bool), np.zeros((12, 15), bool)
    ring[3:9, 3:12], hole[4:8, 4:11] = True, True
    assert outer[ring & ~hole].all()
    ring, hole[:] = hole.copy(), False
    hole[5:7, 5:10] = True
    assert inner[ring & ~hole].all()
    assert (pixels[hole] == color).all()
    contrasts = [np.abs(line.astype(int) - np.array(color)).max() for line in OUTLINES]
    assert max(contrasts) > 120


def test_field_of_one_pixel_has_a_frame_of_one_line() -> None:
    field = ReceptiveField(0, 0, top=1, bottom=1, left=1, right=1)
    pixels = outline_field(np.full((3, 3, 3), 200, np.uint8), field, scale=3)
    assert (pixels[3:6, 3:6, 0] == [[0, 0, 0], [0, 200, 0], [0, 0, 0]]).all()


def test_uri_is_a_lossless_png() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    picture = Picture("name", "text", 3, pixels)
    data = b64decode(picture.uri.removeprefix("data:image/png;base64,"))
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    assert (picture.width, picture.height) == (21, 15)


@pytest.mark.parametrize(("size", "scale"), [(28, 3), (8, 10), (200, 1), (1000, 1)])
def test_scale_is_an_integer(size: int, scale: int) -> None:
    assert fit_scale(size, 84) == scale

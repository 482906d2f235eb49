"""Two dots: only their distance depends on the class."""

from pathlib import Path

import numpy as np
import pytest

from csvision import read_table
from csvision_claims.measuring.dots import DISTANCES, SIDE, make_dots, write_dots


def test_distance_of_the_dots_is_that_of_the_class() -> None:
    table = make_dots(rows=400, seed=1)
    images = table.drop(columns="distance").to_numpy().reshape(-1, SIDE, SIDE)
    for name, image in zip(table["distance"], images, strict=True):
        bright = np.argwhere(image >= 192)
        assert len(bright) == 2
        apart = np.abs(bright[0] - bright[1])
        around = np.minimum(apart, SIDE - apart)
        assert sorted(around) == [0, DISTANCES[name]]
        assert (image[image < 192] < 64).all()


def test_classes_are_balanced_and_independent_of_position() -> None:
    table = make_dots(rows=8000, seed=0)
    images = table.drop(columns="distance").to_numpy().reshape(-1, SIDE, SIDE) >= 192
    near = (table["distance"] == "near").to_numpy()
    assert near.mean() == 0.5
    # Rows and columns of dots: 8,000 of each class over 20 of each; five std.
    for axis in (1, 2):
        counts = [images[rows].sum(axis=(0, axis)) for rows in (near, ~near)]
        assert np.abs(np.subtract(*counts)).max() < 5 * np.sqrt(2 * 8000 / SIDE) * 2


@pytest.mark.slow
def test_file_is_written_once_and_repaired(tmp_path: Path) -> None:
    path = write_dots(tmp_path / "data" / "dots.csv")
    before = path.stat().st_mtime_ns
    assert write_dots(path).stat().st_mtime_ns == before
    path.write_text("damaged")
    write_dots(path)
    table = read_table(str(path))
    assert table.image_shape == (1, SIDE, SIDE)
    assert sorted(table.classes) == ["far", "near"]
    assert len(table.images) == 4000


@pytest.mark.parametrize("rows", [2, 10])
def test_images_depend_on_the_seed(rows: int) -> None:
    assert make_dots(rows, seed=3).equals(make_dots(rows, seed=3))
    assert not make_dots(rows, seed=3).equals(make_dots(rows, seed=4))

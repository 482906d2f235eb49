"""The image sets that scikit-learn brings along: written, read back, and learnt from."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_sample_image

import csvision
from csvision.data.table import ImageTable, read_table

SCRIPT = Path(__file__).parents[2] / "scripts" / "example_data.py"
SHORT = ("data=csv", "epochs=2", "accelerator=cpu", "logger=none", "quiet=true")
PHOTOS = ("data.image_shape=[3,16,16]", "data.layout=channels_last")


def write(name: str, folder: Path, *arguments: str) -> Path:
    """Run the script as a user does; the file that it says it has written."""
    finished = subprocess.run(
        [sys.executable, SCRIPT, name, *arguments],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder / finished.stdout.strip()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write("digits", tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write("photos", tmp_path_factory.mktemp("photos"), "--to", "my photos/patches.csv")


def read_photos(path: Path) -> ImageTable:
    return read_table(str(path), image_shape=[3, 16, 16], layout="channels_last", cache="none")


def test_the_files_are_where_they_are_said_to_be(digits: Path, photos: Path) -> None:
    assert digits.parts[-3:] == ("outputs", "data", "digits.csv")
    assert photos.parts[-2:] == ("my photos", "patches.csv")
    assert digits.read_text(encoding="utf-8").startswith("label,pixel1,pixel2,")
    assert photos.read_text(encoding="utf-8").startswith("label,pixel1,pixel2,")


def test_digits_are_grey_squares(digits: Path) -> None:
    table = read_table(str(digits), cache="none")
    images, labels = load_digits(return_X_y=True)
    assert table.images.shape == (1797, 1, 8, 8)
    assert table.images.max() == 255
    np.testing.assert_allclose(table.images.reshape(1797, 64), images * 255 / 16, atol=0.5)
    np.testing.assert_array_equal(table.labels, labels)


def test_photos_are_patches_in_colour(photos: Path) -> None:
    table = read_photos(photos)
    assert table.images.shape == (2080, 3, 16, 16)
    assert table.label_values == ["china", "flower"]
    assert table.labels is not None
    assert table.labels.tolist() == [0] * 1040 + [1] * 1040
    for first, name in ((0, "china"), (1040, "flower")):
        photo = load_sample_image(f"{name}.jpg").transpose(2, 0, 1)
        # 40 patches in a row of 640 pixels.
        for index, top, left in ((0, 0, 0), (1, 0, 16), (40, 16, 0), (1039, 400, 624)):
            patch = photo[:, top : top + 16, left : left + 16]
            np.testing.assert_array_equal(table.images[first + index], patch)


def test_a_network_learns_from_digits(digits: Path) -> None:
    trained = csvision.train(*SHORT, f"data.csv={digits}")
    assert trained.parts.train.table.image_shape == (1, 8, 8)
    assert trained.metrics["test/acc"] > 0.6


def test_a_network_learns_from_photos(photos: Path) -> None:
    trained = csvision.train(*SHORT, *PHOTOS, f"data.csv={photos}", "debug.rows=600")
    assert trained.parts.train.table.classes == ["china", "flower"]
    assert trained.metrics["test/acc"] > 0.75

"""Example data sets: images that scikit-learn includes, written as CSV files."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_digits, load_sample_image

from csvision.errors import ConfigError
from csvision.files import replace_file

PATCH_SIZE = 16

READING_OVERRIDES = {
    "digits": (),
    "photos": (f"data.image_shape=[3,{PATCH_SIZE},{PATCH_SIZE}]", "data.layout=channels_last"),
}
"""How the file of each data set is read, as overrides of `csvision train`."""


def write_example_data(name: str, output: Path | None = None) -> Path:
    """Write the data set `digits` or `photos`; return the path of the file.

    The default is outputs/data/NAME.csv. Raises ConfigError if the file cannot be written.
    """
    path = output or Path("outputs/data") / f"{name}.csv"
    if not path.name.endswith((".csv", ".csv.gz")):
        raise ConfigError(f"output={path}: the name must end with .csv or .csv.gz")
    table = {"digits": digits, "photos": photos}[name]()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as file:
            table.to_csv(file, index=False, compression="gzip" if path.suffix == ".gz" else None)
    except OSError as error:
        raise ConfigError(f"output={path}: cannot be written ({error}); choose another") from error
    return path


def digits() -> pd.DataFrame:
    """Return 1,797 handwritten digits, 8x8 grayscale, values 0 to 255."""
    images, labels = load_digits(return_X_y=True)
    return to_table(np.rint(images * 255 / 16), labels)


def photos() -> pd.DataFrame:
    """Return 2,080 patches of two photographs, 16x16, channels last."""
    patches = {
        name: split_patches(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")
    }
    labels = [name for name, rows in patches.items() for _ in rows]
    return to_table(np.concatenate(list(patches.values())), labels)


def split_patches(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Split a photograph (H, W, 3) into patches without overlap, one per row."""
    rows, columns = (size // PATCH_SIZE for size in photo.shape[:2])
    tiles = photo[: rows * PATCH_SIZE, : columns * PATCH_SIZE]
    tiles = tiles.reshape(rows, PATCH_SIZE, columns, PATCH_SIZE, 3)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(rows * columns, -1)


def to_table(pixels: NDArray[np.generic], labels: list[str] | NDArray[np.generic]) -> pd.DataFrame:
    """Return a table with the label, then the pixels."""
    names = [f"pixel{index + 1}" for index in range(pixels.shape[1])]
    table = pd.DataFrame(pixels.astype(np.uint8), columns=names)
    table.insert(0, "label", labels)
    return table

"""Write image sets that scikit-learn brings along as CSV: python scripts/example_data.py digits"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits, load_sample_image

SIDE = 16


def digits() -> pd.DataFrame:
    """1,797 handwritten digits, 8x8, grey, from 0 to 255."""
    images, labels = load_digits(return_X_y=True)
    return table(np.rint(images * 255 / 16), labels)


def photos() -> pd.DataFrame:
    """2,080 patches of two photographs, 16x16; red, green and blue of a pixel in turn."""
    patches = {name: cut(load_sample_image(f"{name}.jpg")) for name in ("china", "flower")}
    labels = [name for name, rows in patches.items() for _ in rows]
    return table(np.concatenate(list(patches.values())), labels)


def cut(photo: np.ndarray) -> np.ndarray:
    """The patches of a photograph (H, W, 3) that do not overlap, one a row."""
    height, width = (size // SIDE for size in photo.shape[:2])
    tiles = photo[: height * SIDE, : width * SIDE].reshape(height, SIDE, width, SIDE, 3)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(height * width, -1)


def table(pixels: np.ndarray, labels: list[str] | np.ndarray) -> pd.DataFrame:
    """The label, then the pixels."""
    names = [f"pixel{index + 1}" for index in range(pixels.shape[1])]
    result = pd.DataFrame(pixels.astype(np.uint8), columns=names)
    result.insert(0, "label", labels)
    return result


def main() -> None:
    """Write one set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=("digits", "photos"))
    parser.add_argument(
        "--to", type=Path, help="a .csv or .csv.gz file (default: outputs/data/NAME.csv)"
    )
    arguments = parser.parse_args()
    path = arguments.to or Path("outputs/data") / f"{arguments.name}.csv"
    if not path.name.endswith((".csv", ".csv.gz")):
        parser.error(f"{path} must end in .csv or .csv.gz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        {"digits": digits, "photos": photos}[arguments.name]().to_csv(path, index=False)
    except OSError as error:
        parser.error(f"{path} cannot be written: {error}")
    print(path)


if __name__ == "__main__":
    main()

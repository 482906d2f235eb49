"""Images of two dots, whose distance is the class: a task that needs a large receptive field.

`python -m csvision_claims.measuring.dots` writes the images of B8.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SIDE = 20

ROWS = 4000

DISTANCES = {"near": 5, "far": 8}
"""Pixels between the two dots, along a row or a column."""

FILE = Path("outputs/data/dots.csv")


def make_dots(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Return images of SIDE x SIDE with two bright dots on faint noise, one per row.

    The image is a torus: a pair of dots continues on the opposite side, so that the border
    carries no information about the class and each position is equally likely in both classes.
    """
    rng = np.random.default_rng(seed)
    images: NDArray[np.uint8] = rng.integers(0, 64, (rows, SIDE, SIDE), dtype=np.uint8)
    labels = np.arange(rows) % 2
    positions = rng.integers(0, SIDE, (rows, 2))
    axes = rng.integers(0, 2, rows)
    offsets = np.array(list(DISTANCES.values()))[labels][:, None] * np.eye(2, dtype=int)[axes]
    for dots in (positions, (positions + offsets) % SIDE):
        images[np.arange(rows), dots[:, 0], dots[:, 1]] = rng.integers(192, 256, rows)
    names = [f"pixel{index + 1}" for index in range(SIDE * SIDE)]
    table = pd.DataFrame(images.reshape(rows, -1), columns=names)
    table.insert(0, "distance", np.array(list(DISTANCES))[labels])
    return table


def write_dots(path: Path = FILE) -> Path:
    """Write the images unless the file already contains them; return the path."""
    content = make_dots().to_csv(index=False)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return path


if __name__ == "__main__":
    print(write_dots())

"""Images of two dots whose distance is the class: what a receptive field must reach."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SIDE = 20

ROWS = 4000

DISTANCES = {"near": 5, "far": 8}
"""Pixels between the two dots, along a row or a column."""

FILE = Path("outputs/data/dots.csv")


def dots(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """So many images of SIDE x SIDE: two bright dots anywhere on faint noise.

    The image is a torus: a pair that leaves on one side comes in on the other, so that no border
    tells the classes apart and each place of a dot is as likely in both.
    """
    stream = np.random.default_rng(seed)
    images: NDArray[np.uint8] = stream.integers(0, 64, (rows, SIDE, SIDE), dtype=np.uint8)
    labels = np.arange(rows) % 2
    places = stream.integers(0, SIDE, (rows, 2))
    axes = stream.integers(0, 2, rows)
    steps = np.array(list(DISTANCES.values()))[labels][:, None] * np.eye(2, dtype=int)[axes]
    for ends in (places, (places + steps) % SIDE):
        images[np.arange(rows), ends[:, 0], ends[:, 1]] = stream.integers(192, 256, rows)
    names = [f"pixel{index + 1}" for index in range(SIDE * SIDE)]
    table = pd.DataFrame(images.reshape(rows, -1), columns=names)
    table.insert(0, "distance", np.array(list(DISTANCES))[labels])
    return table


def write_dots(path: Path = FILE) -> Path:
    """Write the images unless they are there as they should be; the file."""
    content = dots().to_csv(index=False)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return path

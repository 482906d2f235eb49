"""Store a fitted baseline in a file that executes no code when it is read, and hash it.

skops writes the attributes of an estimator as JSON and arrays. It constructs only types of
scikit-learn and numpy that it knows to be harmless, and those in TRUSTED.
"""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from csvision.baselines.fitted import FittedBaseline, pixel_values
from csvision.config.baseline_schema import BaselineConfig
from csvision.errors import RunError, first_line
from csvision.files import replace_file
from csvision.layer_shapes import Shape

FILE = "baseline.skops"

TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
"""Types of trees, whose content is arrays."""


def save_baseline(folder: Path, fitted: FittedBaseline) -> None:
    """Write a fitted baseline completely or not at all."""
    from skops import io

    content = {
        "estimator": fitted.estimator,
        "mean": fitted.values.mean.flatten().numpy(),
        "std": fitted.values.std.flatten().numpy(),
    }
    with replace_file(folder / FILE) as file:
        io.dump(content, file)


def load_baseline(
    folder: Path, config: BaselineConfig, image_shape: Shape, classes: list[str]
) -> FittedBaseline:
    """Read a fitted baseline; raises RunError if it is missing, damaged or has other types."""
    from skops import io

    path = folder / FILE
    if not path.is_file():
        raise RunError(f"run={folder} has no {FILE}: the baseline has not been fitted")
    check_archive(path)
    try:
        content = io.load(path, trusted=list(TRUSTED))
        values = pixel_values(config.data, image_shape, classes, content["mean"], content["std"])
        return FittedBaseline(content["estimator"], values)
    # skops raises any exception for a damaged file or a type that is not trusted.
    except Exception as error:
        raise RunError(
            f"{path} cannot be read: {first_line(error)}; fit the baseline again, with the version "
            "of scikit-learn in run.json or a new one"
        ) from error


def check_archive(path: Path) -> None:
    """Raise RunError if a file could need more memory than its size on the disk.

    skops does not compress.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    # zipfile raises several classes of errors for a damaged file.
    except Exception as error:
        raise RunError(f"{path} is damaged: it is not a file of skops") from error
    if size > path.stat().st_size:
        raise RunError(f"{path} is damaged: its entries are compressed or overlap")


def estimator_sha256(estimator: Any) -> str:
    """Return the sha256 of everything that an estimator has learned, and of its parameters.

    The bytes of the file differ between equal estimators.
    """
    digest = hashlib.sha256()
    update_hash(digest, estimator)
    return digest.hexdigest()


def update_hash(digest: Any, value: Any) -> None:
    """Add a value with its type, and everything in it, to a hash."""
    digest.update(f"{type(value).__name__}:".encode())
    match value:
        case np.ndarray() if value.dtype.names:
            # Bytes between the fields of a record have any value.
            for name in value.dtype.names:
                update_hash(digest, np.ascontiguousarray(value[name]))
        case np.ndarray() if value.dtype != object:
            digest.update(f"{value.dtype.str}{value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        case np.ndarray() | list() | tuple():
            digest.update(f"{len(value)}".encode())
            for item in value:
                update_hash(digest, item)
        case dict():
            for name in sorted(value, key=str):
                digest.update(f"{name}=".encode())
                update_hash(digest, value[name])
        case None | bool() | int() | float() | str() | np.generic() | type():
            digest.update(repr(value).encode())
        case _:
            update_hash(digest, object_state(value))


def object_state(value: Any) -> Any:
    """Return the attributes of an object; Cython classes have them in their pickled state."""
    state = getattr(value, "__dict__", None)
    return state if state else value.__reduce__()[1:]

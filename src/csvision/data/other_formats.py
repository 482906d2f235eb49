"""Refuse files in known formats that csvision does not read, and say what to do instead."""

from pathlib import Path

from csvision.errors import DataError

SAVE_ARRAYS = "save images and labels by numpy.savez(FILE, x=IMAGES, y=LABELS)"
MAKE_FOLDERS = "put images into one folder per class, and give the folder above"

OTHER_FORMATS = {
    b"\x93NUMPY": f"a NumPy array; {SAVE_ARRAYS}",
    b"\x89HDF": f"an HDF5 file; {SAVE_ARRAYS}",
    b"MATLAB": f"a MATLAB file; {SAVE_ARRAYS}",
    b"\xd0\xcf\x11\xe0": "an Excel file; save the table as CSV",
    b"%PDF": "a PDF file; save the table as CSV",
}
"""The first bytes of such files."""

IMAGES = (b"\x89PNG", b"\xff\xd8\xff")
"""The first bytes of image files."""

OTHER_SUFFIXES = {
    ".py": "Python code, not a table of images; give a CSV file",
    ".ipynb": "a notebook, not a table of images; give a CSV file",
    ".json": "a JSON file, not a table of images; save the table as CSV",
}
"""Texts that could be read as tables, by the ends of their names."""


def check_format(path: Path, needs_labels: bool = True) -> None:
    """Raise DataError for a file in a known format that is not read.

    Images without labels need no folder per class.
    """
    if path.suffix in OTHER_SUFFIXES:
        raise DataError(f"{path}: is {OTHER_SUFFIXES[path.suffix]}")
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(IMAGES):
        fix = MAKE_FOLDERS if needs_labels else f"give its folder: data.csv={path.parent}"
        raise DataError(f"{path}: is a single image; {fix}")
    for signature, description in OTHER_FORMATS.items():
        if start.startswith(signature):
            raise DataError(f"{path}: is {description}")

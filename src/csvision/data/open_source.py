"""Find a data file and open it as a source, by its content."""

from importlib.resources import files
from pathlib import Path

from csvision.command_hints import command_line
from csvision.config.schema import BUNDLED
from csvision.data.other_formats import check_format
from csvision.data.packing import GIB, READ_ERRORS, Packing, find_packing, open_text
from csvision.data.read_options import ReadOptions
from csvision.data.source import Source
from csvision.data.text_source import open_text_source
from csvision.errors import DataError, first_line


def resolve_path(source: str) -> Path:
    """Return the path of the file that `data.csv` names; raises DataError if it does not exist."""
    if source == BUNDLED:
        return Path(str(files("csvision.data") / "bundled" / "fmnist_small.csv.gz"))
    try:
        path = Path(source).expanduser()
        if path.is_dir():
            return path
        if not path.exists():
            hint = "check data.csv"
            if "fashion_mnist" in source:
                hint = f"create it with {command_line('prepare-fashion-mnist')}"
            raise DataError(f"{path}: file not found; {hint}")
        if not path.is_file():
            raise DataError(
                f"{path}: is a pipe or a device, not a file, and cannot be read twice; "
                "save the data in a file"
            )
        size = path.stat().st_size
    except (OSError, RuntimeError) as error:
        # For example a name that is too long, or the home folder of an unknown user.
        raise DataError(f"{source}: not a valid path ({error}); check data.csv") from error
    if size == 0:
        raise DataError(f"{path}: the file is empty; it needs one row per image")
    return path


def open_source(path: Path, options: ReadOptions) -> Source:
    """Return the columns and rows of a file or a folder of images.

    Raises DataError if it cannot be read.
    """
    max_bytes = options.max_decompressed_gib * GIB
    try:
        if path.is_dir():
            from csvision.data.image_folder import open_image_folder

            return open_image_folder(path, options)
        check_format(path, needs_labels=not options.allow_missing_labels)
        match find_packing(path):
            case Packing.parquet:
                from csvision.data.parquet_source import open_parquet

                return open_parquet(path, max_bytes)
            case Packing.npz:
                from csvision.data.array_sources import open_npz

                return open_npz(path, max_bytes, options)
        if is_arff(path, max_bytes):
            from csvision.data.array_sources import open_arff

            return open_arff(path, max_bytes)
        return open_text_source(path, options.header, max_bytes)
    except READ_ERRORS as error:
        raise DataError(f"{path}: cannot be read: {first_line(error)}") from error


def is_arff(path: Path, max_bytes: float) -> bool:
    """Return whether a text file is in the format of Weka and OpenML."""
    with open_text(path, max_bytes) as file:
        for _ in range(1000):
            line = file.readline(1000).strip().lower()
            if line and not line.startswith(b"%"):
                return line.startswith(b"@relation")
    return False

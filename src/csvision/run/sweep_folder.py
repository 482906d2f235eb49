"""The folder of a run, a sweep or a search, and the files by which it is recognized."""

from pathlib import Path

from csvision.errors import RunError
from csvision.files import RUN_FILES, timestamp

SWEEP_FILE = "multirun.yaml"
"""The file that Hydra writes into the folder of a sweep."""

SWEEP_RECORD = "sweep.json"
"""The jobs of a sweep; csvision writes it before the first job starts."""

SEARCH_RECORD = "search.json"
"""The space and the settings of a search; csvision writes it before the first trial starts."""


def check_folder(path: Path) -> None:
    """Raise RunError unless the path that `run=` names is a folder."""
    if path.is_dir():
        return
    if path.is_file():
        hint = f"write run={path.parent}" if path.name in RUN_FILES else "give a run directory"
        raise RunError(f"run={path} is a file; {hint}")
    raise RunError(f"run={path}: this folder does not exist")


def is_sweep(folder: Path) -> bool:
    """Return whether a folder contains a sweep, such as a search."""
    return any((folder / name).is_file() for name in (SWEEP_FILE, SWEEP_RECORD, SEARCH_RECORD))


def is_search(folder: Path) -> bool:
    """Return whether a folder contains a search."""
    return (folder / SEARCH_RECORD).is_file()


def default_sweep_dir(output_dir: str) -> Path:
    """Return the absolute path of a new sweep in output_dir, formed as in conf/train.yaml."""
    return Path(output_dir).absolute() / "sweeps" / timestamp()

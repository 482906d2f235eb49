"""The paths of the user's own code as recorded in a sweep or a search: text for hints only.

Nothing is loaded from these paths; the user decides whether to run the command in the hint.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from csvision.command_hints import display_path
from csvision.errors import RunError
from csvision.run.code_paths import CodePaths
from csvision.run.manifest import read_json_object
from csvision.run.sweep_folder import SEARCH_RECORD, SWEEP_RECORD

UNREADABLE = (RunError, OSError, LookupError, TypeError, ValueError, AttributeError)
"""What reading a missing or damaged record raises."""


def recorded_code(folder: Path) -> CodePaths:
    """Return the first recorded path of each part; no paths if nothing can be read."""
    found: dict[str, str] = {}
    for config, cwd in recorded_configs(folder):
        for part in CodePaths.PARTS:
            path = config.get(part, {}).get("path")
            if isinstance(path, str) and part not in found:
                found[part] = from_cwd(path, cwd)
    return CodePaths(**found)


def recorded_configs(folder: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield configurations as plain values, each with the folder of relative paths."""
    try:
        content = read_json_object(folder / SWEEP_RECORD)
        cwd = str(content["command"]["cwd"])
        yield from ((job["config"], cwd) for job in content["jobs"])
    except UNREADABLE:
        yield from search_configs(folder)


def search_configs(folder: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the configuration of a trial of a search, whose trials have the same code."""
    try:
        cwd = str(read_json_object(folder / SEARCH_RECORD)["cwd"])
        trial = next(folder.glob("*/run.json"), None)
        if trial is not None:
            yield read_json_object(trial)["config"], cwd
    except UNREADABLE:
        return


def from_cwd(path: str, cwd: str) -> str:
    """Return FILE.py:CLASS with the path of the file from the current directory."""
    file, separator, name = path.rpartition(":")
    return f"{display_path(Path(cwd, file))}{separator}{name}"

"""Parsed files kept between runs, found again by the content of their file.

An entry is a folder named by two hashes, of the file and of how it was read. It holds the arrays as
raw bytes and table.json with their checksums. It is made under another name and renamed when it is
whole, so that a half-written one is never found.
"""

import hashlib
import json
import logging
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from csvision.data.columns import Columns
from csvision.data.parsed import Parsed, parse_images, parse_into_memory

VERSION = 2
"""Changes when entries are written differently, so that older ones are not read."""

ENTRY_NAME = re.compile(r"[0-9a-f]{40}-[0-9a-f]{16}|unfinished-.*")

log = logging.getLogger("csvision")


def default_folder() -> Path:
    """Where this user's caches are kept on this system."""
    return platformdirs.user_cache_path("csvision")


def load_parsed(path: Path, columns: Columns, folder: Path) -> Parsed:
    """A file's arrays, the images mapped from the cache; parsed now if they are not there.

    A cache that cannot be written costs one line of warning, and memory. Raises DataError for a
    faulty file.
    """
    entry = folder / entry_name(path, columns)
    parsed = open_entry(entry, columns)
    if parsed is not None:
        return parsed
    try:
        write_entry(entry, path, columns)
        content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
        return map_arrays(entry, columns, content)
    except OSError as error:
        log.warning("%s: no cache can be kept there (%s); reading into memory", folder, error)
        return parse_into_memory(path, columns)


def entry_name(path: Path, columns: Columns) -> str:
    """What tells two files, or two ways to read one, apart."""
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    manner = json.dumps([VERSION, columns.label, columns.image_shape, columns.layout])
    return f"{content[:40]}-{hashlib.sha256(manner.encode()).hexdigest()[:16]}"


def write_entry(entry: Path, path: Path, columns: Columns) -> None:
    """Parse a file into a new entry; raises OSError when it cannot be written."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=entry.parent) as name:
        folder = Path(name) / "entry"
        folder.mkdir()
        with (folder / "images.bin").open("wb") as target:
            parsed = parse_images(path, columns, target)
        parsed.hashes.tofile(folder / "hashes.bin")
        parsed.constant.tofile(folder / "constant.bin")
        if parsed.labels is not None:
            parsed.labels.tofile(folder / "labels.bin")
        content = {
            "source": str(path.resolve()),
            "label_values": parsed.label_values,
            "unit_pixels": parsed.unit_pixels,
            "sha256": {file.name: checksum(file) for file in sorted(folder.iterdir())},
        }
        (folder / "table.json").write_text(json.dumps(content), encoding="utf-8")
        try:
            folder.rename(entry)
        except OSError:
            # Another process was quicker with the same file.
            if not entry.is_dir():
                raise


def open_entry(entry: Path, columns: Columns) -> Parsed | None:
    """The arrays of an entry; None when there is none, or a damaged one, which is taken away."""
    if not entry.is_dir():
        return None
    try:
        content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
        for name, expected in content["sha256"].items():
            if checksum(entry / name) != expected:
                raise ValueError(f"{name} has changed")
        return map_arrays(entry, columns, content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s: a damaged cache entry is made anew (%s)", entry, error)
        shutil.rmtree(entry, ignore_errors=True)
        return None


def map_arrays(entry: Path, columns: Columns, content: dict[str, Any]) -> Parsed:
    """The arrays of a sound entry, the images left on the disk until they are used."""
    # Copy-on-write: torch wants writable memory; nothing that is written reaches the file.
    images = np.memmap(entry / "images.bin", np.uint8, "c").reshape(-1, *columns.image_shape)
    labelled = columns.label is not None
    return Parsed(
        images,
        np.fromfile(entry / "labels.bin", np.int64) if labelled else None,
        np.fromfile(entry / "hashes.bin", np.uint64),
        np.fromfile(entry / "constant.bin", np.bool_),
        content["label_values"],
        content["unit_pixels"],
    )


def checksum(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entries(folder: Path) -> list[tuple[str, int]]:
    """The source and the size in bytes of each entry, and of what a killed process left."""
    found = []
    for entry in entry_folders(folder):
        size = sum(file.stat().st_size for file in entry.rglob("*") if file.is_file())
        try:
            source = json.loads((entry / "table.json").read_text(encoding="utf-8"))["source"]
        except (OSError, ValueError, KeyError, TypeError):
            source = "(unfinished)"
        found.append((source, size))
    return found


def clear(folder: Path) -> int:
    """Take away all entries; how many bytes they had."""
    size = sum(size for _, size in entries(folder))
    for entry in entry_folders(folder):
        shutil.rmtree(entry)
    return size


def entry_folders(folder: Path) -> list[Path]:
    """The entries in a folder, and what killed processes left, but nothing of anyone else's."""
    found = folder.iterdir() if folder.is_dir() else iter(())
    return sorted(path for path in found if path.is_dir() and ENTRY_NAME.fullmatch(path.name))

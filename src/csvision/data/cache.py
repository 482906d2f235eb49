"""Parsed files kept between runs, found again by the content of their file.

An entry is a folder named by the file's hash and size and a hash of how it was read. It holds the
arrays as raw bytes and table.json with their checksums. It is made under another name and renamed
when it is whole, so that a half-written one is never found.
"""

import hashlib
import io
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
from csvision.data.parsed import Parsed, file_sha256, parse_images, parse_into_memory
from csvision.data.source import ImageFile

VERSION = 3
"""Changes when entries are written differently, so that older ones are not read."""

ENTRY_NAME = re.compile(r"[0-9a-f]{64}-[0-9]+-[0-9a-f]{16}|unfinished-.*")

log = logging.getLogger("csvision")


def default_folder() -> Path:
    """Where this user's caches are kept on this system."""
    return platformdirs.user_cache_path("csvision")


def load_parsed(file: ImageFile, columns: Columns, folder: Path) -> Parsed:
    """A file's arrays, the images mapped from the cache; parsed now if they are not there.

    A cache that cannot be written costs one line of warning, and memory. Raises DataError for a
    faulty file.
    """
    manner = manner_of(file.path, columns)
    # Without an entry of this size the file is hashed while it is parsed, not before.
    if any(folder.glob(f"*-{manner}")):
        parsed = open_entry(folder / f"{file_sha256(file.path)}-{manner}", columns)
        if parsed is not None:
            return parsed
    try:
        entry = write_entry(folder, manner, file, columns)
        return map_arrays(entry, columns)
    except OSError as error:
        log.warning("%s: no cache can be kept there (%s); reading into memory", folder, error)
        return parse_into_memory(file, columns)


def manner_of(path: Path, columns: Columns) -> str:
    """What tells files of different sizes, and different ways to read one, apart."""
    manner = json.dumps([VERSION, columns.label, columns.image_shape, columns.layout])
    return f"{path.stat().st_size}-{hashlib.sha256(manner.encode()).hexdigest()[:16]}"


def write_entry(folder: Path, manner: str, file: ImageFile, columns: Columns) -> Path:
    """Parse a file into a new entry; raises OSError when it cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as name:
        unfinished = Path(name) / "entry"
        unfinished.mkdir()
        parsed = write_arrays(unfinished, file, columns)
        entry = folder / f"{parsed.sha256}-{manner}"
        try:
            unfinished.rename(entry)
        except OSError:
            # Another process was quicker with the same file.
            if not entry.is_dir():
                raise
    return entry


def write_arrays(folder: Path, file: ImageFile, columns: Columns) -> Parsed:
    """Parse a file into the arrays of an entry and table.json."""
    with HashedFile(folder / "images.bin") as target:
        parsed = parse_images(file, columns, target)
        checksums = {"images.bin": target.digest.hexdigest()}
    parsed.hashes.tofile(folder / "hashes.bin")
    parsed.constant.tofile(folder / "constant.bin")
    if parsed.labels is not None:
        parsed.labels.tofile(folder / "labels.bin")
    others = (path for path in sorted(folder.iterdir()) if path.name not in checksums)
    content = {
        "source": str(file.path.resolve()),
        "sha256": parsed.sha256,
        "label_values": parsed.label_values,
        "unit_pixels": parsed.unit_pixels,
        "checksums": checksums | {path.name: file_sha256(path) for path in others},
    }
    (folder / "table.json").write_text(json.dumps(content), encoding="utf-8")
    return parsed


class HashedFile(io.FileIO):
    """A new file whose sha256 is taken while it is written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "xb")
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        """Write all of it."""
        self.digest.update(content)
        view = memoryview(content).cast("B")
        written = 0
        while written < len(view):
            written += super().write(view[written:])
        return written


def open_entry(entry: Path, columns: Columns) -> Parsed | None:
    """The arrays of an entry; None when there is none, or a damaged one, which is taken away."""
    if not entry.is_dir():
        return None
    try:
        content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
        for name, expected in content["checksums"].items():
            if file_sha256(entry / name) != expected:
                raise ValueError(f"{name} has changed")
        return map_arrays(entry, columns)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s: a damaged cache entry is made anew (%s)", entry, error)
        shutil.rmtree(entry, ignore_errors=True)
        return None


def map_arrays(entry: Path, columns: Columns) -> Parsed:
    """The arrays of a sound entry, the images left on the disk until they are used."""
    content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
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
        content["sha256"],
    )


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

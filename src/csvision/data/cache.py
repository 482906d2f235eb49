"""Keep parsed files between runs and find them by the content of the file.

An entry is a folder named after the hash and size of the file and a hash of how it was parsed. It
contains the arrays as raw bytes and table.json with their checksums. It is written under a
temporary name and renamed when it is complete, so an incomplete entry is never used. Nothing that
another user can have written is used.
"""

import hashlib
import io
import json
import logging
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from csvision.data.columns import Columns
from csvision.data.parse_file import parse_images, parse_into_memory
from csvision.data.parsed_file import ParsedFile, ParseSettings
from csvision.data.private_files import is_private, make_private_dir, remove_dir
from csvision.data.source import Source, file_sha256

VERSION = 5
"""Increased whenever the format of the entries changes, so older ones are not used."""

ENTRY_NAME = re.compile(r"[0-9a-f]{64}-[0-9]+-[0-9a-f]{16}|unfinished-.*")

JSON_FIELDS = ("sha256", "label_values", "pixel_range", "ids", "split", "notices")
"""The fields of a parsed file that are in table.json."""

log = logging.getLogger("csvision")


def default_folder() -> Path:
    """Return the cache folder of this user on this system; raises OSError if there is none."""
    try:
        return platformdirs.user_cache_path("csvision")
    except RuntimeError as error:
        raise FileNotFoundError("there is no home folder; set HOME or XDG_CACHE_HOME") from error


def load_or_parse(
    source: Source, columns: Columns, settings: ParseSettings, folder: Path | None
) -> ParsedFile:
    """Return a parsed file with images mapped from the cache; parse it if it is not there.

    `folder` is the cache (default: that of this user). If it cannot be used, logs one warning and
    keeps the images in memory. Raises DataError for an invalid file.
    """
    try:
        folder = folder or default_folder()
        make_private_dir(folder)
        suffix = entry_suffix(source, columns, settings)
        # Hash the file first only if there is an entry for a file of this size; parsing hashes it.
        if any(folder.glob(f"*-{suffix}")):
            parsed = load_entry(folder / f"{source.sha256()}-{suffix}", columns)
            if parsed is not None:
                return parsed
        return write_entry(folder, suffix, source, columns, settings)
    except OSError as error:
        place = folder or "cache"
        log.warning("%s: cannot use the cache (%s); keeping images in memory", place, error)
        return parse_into_memory(source, columns, settings)


def entry_suffix(source: Source, columns: Columns, settings: ParseSettings) -> str:
    """Return the end of the name of an entry: the size of a file and a hash of how it is parsed."""
    options = json.dumps([VERSION, vars(columns), settings.key()])
    return f"{source.size()}-{hashlib.sha256(options.encode()).hexdigest()[:16]}"


def write_entry(
    folder: Path, suffix: str, source: Source, columns: Columns, settings: ParseSettings
) -> ParsedFile:
    """Parse a file into a new entry; raises OSError if it cannot be written."""
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=folder) as name:
        unfinished = Path(name) / "entry"
        unfinished.mkdir(mode=0o700)
        parsed = write_arrays(unfinished, source, columns, settings)
        entry = folder / f"{parsed.sha256}-{suffix}"
        try:
            unfinished.rename(entry)
        except OSError:
            # Another process may have written the same entry first.
            other = load_entry(entry, columns)
            if other is None:
                raise
            return other
    return mmap_arrays(entry, columns)


def write_arrays(
    folder: Path, source: Source, columns: Columns, settings: ParseSettings
) -> ParsedFile:
    """Parse a file into the arrays and table.json of an entry."""
    with HashedFile(folder / "images.bin") as target:
        parsed = parse_images(source, columns, settings, target)
        checksums = {"images.bin": target.digest.hexdigest()}
    parsed.hashes.tofile(folder / "hashes.bin")
    parsed.constant.tofile(folder / "constant.bin")
    if parsed.labels is not None:
        parsed.labels.tofile(folder / "labels.bin")
    others = (path for path in sorted(folder.iterdir()) if path.name not in checksums)
    content = {
        "source": str(source.path.resolve()),
        **{name: getattr(parsed, name) for name in JSON_FIELDS},
        "checksums": checksums | {path.name: file_sha256(path) for path in others},
    }
    (folder / "table.json").write_text(json.dumps(content), encoding="utf-8")
    return parsed


class HashedFile(io.FileIO):
    """A new file whose SHA-256 hash is computed while it is written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "xb")
        self.digest = hashlib.sha256()

    def write(self, content: Any) -> int:
        """Write all bytes of the content."""
        self.digest.update(content)
        view = memoryview(content).cast("B")
        written = 0
        while written < len(view):
            written += super().write(view[written:])
        return written

    def truncate(self, size: int | None = None, /) -> int:
        """Delete the whole content."""
        assert size is None
        assert self.tell() == 0
        self.digest = hashlib.sha256()
        return super().truncate(0)


def load_entry(entry: Path, columns: Columns) -> ParsedFile | None:
    """Return the parsed file in an entry; None if it does not exist, is damaged or not private.

    Such an entry is deleted.
    """
    if not entry.is_dir():
        return None
    try:
        if not is_private(entry):
            raise ValueError("another user can have written it")
        content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
        if not entry.name.startswith(content["sha256"]):
            raise ValueError("it is of another file")
        for name, expected in content["checksums"].items():
            if file_sha256(entry / name) != expected:
                raise ValueError(f"{name} has changed")
        return mmap_arrays(entry, columns)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s: the cache entry is damaged (%s); parsing the file again", entry, error)
        with suppress(OSError):
            remove_dir(entry)
        return None


def mmap_arrays(entry: Path, columns: Columns) -> ParsedFile:
    """Return the arrays of an intact entry; images are read from the disk when they are used."""
    content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
    # Copy-on-write: torch needs writable memory, but writing never changes the file.
    images = np.memmap(entry / "images.bin", np.uint8, "c").reshape(-1, *columns.image_shape)
    low, high = content["pixel_range"]
    return ParsedFile(
        images=images,
        labels=np.fromfile(entry / "labels.bin", np.int64) if columns.has_labels else None,
        hashes=np.fromfile(entry / "hashes.bin", np.uint64),
        constant=np.fromfile(entry / "constant.bin", np.bool_),
        **{name: content[name] for name in JSON_FIELDS} | {"pixel_range": (low, high)},
    )


def list_entries(folder: Path) -> list[tuple[str, int]]:
    """Return source and size in bytes of each entry, including those of killed processes."""
    found = []
    for entry in entry_dirs(folder):
        size = sum(path.lstat().st_size for path in entry.rglob("*") if path.is_file())
        try:
            source = json.loads((entry / "table.json").read_text(encoding="utf-8"))["source"]
        except (OSError, ValueError, KeyError, TypeError):
            source = "(unfinished)"
        found.append((source, size))
    return found


def clear(folder: Path) -> int:
    """Delete all entries; return their size in bytes."""
    size = sum(size for _, size in list_entries(folder))
    for entry in entry_dirs(folder):
        remove_dir(entry)
    return size


def entry_dirs(folder: Path) -> list[Path]:
    """Return the folders of all entries, complete or not; other files in the folder are ignored."""
    found = folder.iterdir() if folder.is_dir() else iter(())
    return sorted(path for path in found if path.is_dir() and ENTRY_NAME.fullmatch(path.name))

"""A data file as named columns and chunks of rows, whatever its format."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from csvision.config.schema import Layout
from csvision.data.chunks import Chunk
from csvision.layer_shapes import Shape

CHUNK_BYTES = 16 << 20
"""The size of a chunk; a cell of a file without text counts as eight bytes."""


@dataclass(frozen=True)
class Source:
    """The columns of a data file, and how to read its rows.

    `names` are the numbers from 0 if the file has no header. `read` yields the rows in chunks of
    about the given number of bytes, from the beginning each time it is called.
    `image_shape` (C, H, W) and `layout` are known if the file stores images rather than cells.
    `notices` are decisions to report. `num_rows` is the number of rows, if it is known; for a text
    file it is an estimate. `folder_files` are the files of a folder of images.
    """

    path: Path
    names: tuple[str, ...]
    read: Callable[[int], Iterator[Chunk]]
    has_header: bool = True
    image_shape: Shape | None = None
    layout: Layout | None = None
    notices: tuple[str, ...] = ()
    folder_files: tuple[Path, ...] = ()
    num_rows: int | None = None

    def __str__(self) -> str:
        return str(self.path)

    def chunks(self, chunk_bytes: int | None = None) -> Iterator[Chunk]:
        """Yield the rows in chunks; raises the exceptions in READ_ERRORS, and DataError."""
        return self.read(chunk_bytes or CHUNK_BYTES)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read."""
        return self.folder_files or (self.path,)

    def size(self) -> int:
        """Return the size of the files in bytes."""
        return sum(file.stat().st_size for file in self.files)

    def state(self) -> list[tuple[int, int]]:
        """Return what changes when a file is written: its size and the time of the last change."""
        return [((stat := file.stat()).st_size, stat.st_mtime_ns) for file in self.files]

    def sha256(self) -> str:
        """Return the hash of the file; of the names and hashes of the files of a folder."""
        if not self.folder_files:
            return file_sha256(self.path)
        digest = hashlib.sha256()
        for file in self.folder_files:
            name = file.relative_to(self.path).as_posix()
            digest.update(f"{file_sha256(file)} {name}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 hash of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

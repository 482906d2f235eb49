"""Recognize how a data file is packed, by its first bytes, and open its decompressed content."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any

import polars
import zstandard

from csvision.data.zstandard_file import ZstandardFile
from csvision.errors import DataError

GIB = 1 << 30

READ_ERRORS = (
    OSError,
    EOFError,
    UnicodeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zstandard.ZstdError,
    polars.exceptions.PolarsError,
)
"""The exceptions that are raised while a damaged file is read."""

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"


class Packing(StrEnum):
    """How a file is packed."""

    plain = "plain"
    gzip = "gzip"
    bzip2 = "bzip2"
    xz = "xz"
    zstandard = "zstandard"
    zip = "zip"
    npz = "npz"
    parquet = "parquet"


SIGNATURES = {
    b"\x1f\x8b": Packing.gzip,
    b"BZh": Packing.bzip2,
    b"\xfd7zXZ\x00": Packing.xz,
    b"\x28\xb5\x2f\xfd": Packing.zstandard,
    b"PAR1": Packing.parquet,
    b"PK\x03\x04": Packing.zip,
    b"PK\x05\x06": Packing.zip,
}

SUFFIXES = {
    ".gz": Packing.gzip,
    ".bz2": Packing.bzip2,
    ".xz": Packing.xz,
    ".zst": Packing.zstandard,
    ".parquet": Packing.parquet,
    ".zip": Packing.zip,
    ".npz": Packing.npz,
}


def find_packing(path: Path) -> Packing:
    """Return how a file is packed: by its first bytes, else by its suffix.

    The suffix decides for a damaged file, whose error then names the expected format.
    """
    with path.open("rb") as file:
        start = file.read(8)
    for signature, packing in SIGNATURES.items():
        if start.startswith(signature):
            named_npz = packing is Packing.zip and path.suffix.lower() == ".npz"
            return Packing.npz if named_npz else packing
    by_suffix = SUFFIXES.get(path.suffix.lower(), Packing.plain)
    return Packing.plain if is_text(start) else by_suffix


def is_text(start: bytes) -> bool:
    """Return whether the first bytes of a file can be text."""
    if start.startswith((*UTF16_MARKS, UTF8_MARK)):
        return True
    return bool(start) and all(byte >= 32 or byte in b"\t\n\r" for byte in start)


def open_text(path: Path, max_bytes: float = inf) -> io.BufferedReader:
    """Open a file for reading its decompressed text as UTF-8 without a byte order mark.

    Raises DataError if the file is not a packed text, and while a compressed file is read, if it
    has more than `max_bytes`.
    """
    packing = find_packing(path)
    opened = open_decompressed(path, packing)
    if packing is not Packing.plain and max_bytes < inf:
        opened = io.BufferedReader(LimitedFile(opened, path, max_bytes))
    start = opened.peek(3)[:3]
    if start.startswith(UTF16_MARKS):
        return io.BufferedReader(UTF8File(opened))
    if start == UTF8_MARK:
        opened.read(3)
    return opened


def open_decompressed(path: Path, packing: Packing | None = None) -> io.BufferedReader:
    """Open a file for reading its decompressed bytes; raises DataError for a zip of other files."""
    match packing or find_packing(path):
        case Packing.gzip:
            return buffer(gzip.open(path, "rb"))
        case Packing.bzip2:
            return buffer(bz2.open(path, "rb"))
        case Packing.xz:
            return buffer(lzma.open(path, "rb"))
        case Packing.zstandard:
            return io.BufferedReader(ZstandardFile(path))
        case Packing.zip:
            return buffer(open_zip_member(path))
        case _:
            return path.open("rb")


def buffer(file: Any) -> io.BufferedReader:
    """Return a decompressed file with a method peek."""
    return io.BufferedReader(file)


def open_zip_member(path: Path) -> Any:
    """Open the only file in a zip archive; raises DataError if there are none or several."""
    archive = zipfile.ZipFile(path)
    if "xl/workbook.xml" in archive.namelist():
        raise DataError(f"{path}: is an Excel file; save the table as CSV")
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")
        and not Path(member.filename).name.startswith(".")
    ]
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:3])
        found = f"{len(members)} files ({names}, ...)" if members else "no files"
        raise DataError(f"{path}: the archive contains {found}; extract the one to read")
    if members[0].flag_bits & 1:
        raise DataError(f"{path}: the archive is encrypted; extract the file first")
    try:
        return archive.open(members[0])
    except NotImplementedError as error:
        raise DataError(f"{path}: {error}; extract the file first") from error


class LimitedFile(io.RawIOBase):
    """A decompressed file that raises DataError when more than the allowed bytes are read."""

    def __init__(self, file: io.BufferedReader, path: Path, max_bytes: float) -> None:
        self.file, self.path, self.max_bytes = file, path, max_bytes
        self.size = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        count = self.file.readinto(buffer)
        self.size += count
        check_decompressed_size(self.path, self.size, self.max_bytes)
        return count

    def close(self) -> None:
        """Close the compressed file too."""
        self.file.close()
        super().close()


def check_decompressed_size(path: Path, size: int, max_bytes: float) -> None:
    """Raise DataError if a compressed file has more than the allowed size."""
    if size > max_bytes:
        raise DataError(
            f"{path}: decompresses to more than {max_bytes / GIB:g} GiB; "
            "set data.max_decompressed_gib to a larger value if that is expected"
        )


class UTF8File(io.RawIOBase):
    """A UTF-16 text with a byte order mark, encoded as UTF-8."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.text = io.TextIOWrapper(file, encoding="utf-16", newline="")
        self.encoded = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        self.encoded = self.encoded or self.text.read(io.DEFAULT_BUFFER_SIZE).encode()
        count = min(len(buffer), len(self.encoded))
        buffer[:count], self.encoded = self.encoded[:count], self.encoded[count:]
        return count

    def close(self) -> None:
        """Close the file too."""
        self.text.close()
        super().close()

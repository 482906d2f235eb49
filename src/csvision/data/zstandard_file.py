"""Read files compressed with Zstandard as streams of bytes."""

import io
from pathlib import Path
from typing import Any

import zstandard


class ZstandardFile(io.RawIOBase):
    """The decompressed content of a .zst file of one or more frames.

    The reader of the library zstandard does not raise an error for a truncated file; this one does.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self.compressed = self.decompressed = b""
        self.frame = zstandard.ZstdDecompressor().decompressobj()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; raises EOFError if the file ends within a frame."""
        while not self.decompressed:
            self.compressed = self.compressed or self.file.read(io.DEFAULT_BUFFER_SIZE)
            if self.compressed and self.frame.eof:
                self.frame = zstandard.ZstdDecompressor().decompressobj()
            elif not self.compressed and not self.frame.eof:
                raise EOFError("the file ends within a compressed frame")
            elif not self.compressed:
                return 0
            self.decompressed = self.frame.decompress(self.compressed)
            self.compressed = self.frame.unused_data
        count = min(len(buffer), len(self.decompressed))
        buffer[:count], self.decompressed = self.decompressed[:count], self.decompressed[count:]
        return count

    def close(self) -> None:
        """Close the compressed file too."""
        self.file.close()
        super().close()

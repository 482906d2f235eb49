"""Files packed by Zstandard, as streams of bytes."""

import io
from pathlib import Path
from typing import Any

import zstandard


class ZstandardFile(io.RawIOBase):
    """What is packed in a .zst file; unlike zstandard's own reader it refuses one cut short."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self.packed = self.unpacked = b""
        self.frame = zstandard.ZstdDecompressor().decompressobj()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; raises EOFError where the file ends within a frame."""
        while not self.unpacked:
            self.packed = self.packed or self.file.read(io.DEFAULT_BUFFER_SIZE)
            if self.packed and self.frame.eof:
                self.frame = zstandard.ZstdDecompressor().decompressobj()
            elif not self.packed and not self.frame.eof:
                raise EOFError("it ends in the middle of a frame")
            elif not self.packed:
                return 0
            self.unpacked = self.frame.decompress(self.packed)
            self.packed = self.frame.unused_data
        count = min(len(buffer), len(self.unpacked))
        buffer[:count], self.unpacked = self.unpacked[:count], self.unpacked[count:]
        return count

    def close(self) -> None:
        """Close the packed file too."""
        self.file.close()
        super().close()

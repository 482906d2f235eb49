"""Fashion-MNIST as CSV: the official archives, checked, in the layout csvision reads."""

import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from io import BufferedIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

from tqdm import tqdm

from csvision.errors import DataError

OFFICIAL_ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
DEFAULT_FOLDER = Path("outputs/data/fashion_mnist")

IDX_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
PIXELS = 28 * 28
LARGEST_IDX = 16 + 60_000 * PIXELS
UNREADABLE = (OSError, EOFError, zlib.error)
NUMBERS = [b"%d" % value for value in range(256)]


class Table(NamedTuple):
    """A CSV file to make: which images it holds, how many, and what its bytes must hash to."""

    part: str
    rows: int
    sha256: str

    @property
    def sources(self) -> tuple[str, str]:
        """The official files of its images and of their labels."""
        return f"{self.part}-images-idx3-ubyte", f"{self.part}-labels-idx1-ubyte"


TRAIN = Table("train", 60_000, "9b4c3051424ce1d78ff509d54017e2673b27260ea874c5ae9b364c0c1dc8a1b1")
TEST = Table("t10k", 10_000, "a269a18ad7ac639afde1ab2e65f83dd38a4fc321d057cf7039df1e5cff241e91")
EMBEDDED = Table("train", 6_000, "a64ed8e12bd860f2d48a922e1e035297e29d1bd7e8ed473aaf9ec87033ffbe17")


def make_tables(
    target: Path = DEFAULT_FOLDER,
    source: Path | None = None,
    embedded: Path | None = None,
    base_address: str = OFFICIAL_ADDRESS,
) -> None:
    """Make the CSV files that are not there yet and say where they are and what to do with them.

    Raises DataError if a source is missing, damaged or unreachable or a target cannot be written.
    """
    tables = {target / "train.csv": TRAIN, target / "test.csv": TEST}
    if embedded is not None:
        tables[embedded] = EMBEDDED
    missing = {path: table for path, table in tables.items() if not is_made(path, table)}
    names = dict.fromkeys(name for table in missing.values() for name in table.sources)
    # All sources are checked before the first target is touched.
    with source_folder(source, names, base_address) as folder:
        contents = {name: read_idx(folder, name) for name in names}
    for path, table in missing.items():
        write_table(path, table, *(contents[name] for name in table.sources))
    for path, table in tables.items():
        print(f"{path}: {table.rows:,} images, {'made' if path in missing else 'already there'}")
    print(f"Train on them (data=fmnist looks in {DEFAULT_FOLDER} below the current folder):")
    print("  python scripts/train.py data=fmnist")


def is_made(path: Path, table: Table) -> bool:
    """Tell a finished table from an absent one, so that a second call costs nothing.

    Raises DataError if the path holds anything else, which is not ours to overwrite.
    """
    try:
        with open_unpacked(path) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == table.sha256:
                return True
        fault = "exists and is not the table that belongs there"
    except (FileNotFoundError, NotADirectoryError):
        return False
    except UNREADABLE as error:
        fault = f"cannot be read ({reason(error)})"
    raise DataError(f"{path}: {fault}; move it away or choose another place")


@contextmanager
def source_folder(source: Path | None, names: Iterable[str], address: str) -> Iterator[Path]:
    """Provide the official files: from the folder given, else from Debian's, else downloaded."""
    if source or DEBIAN_FOLDER.is_dir():
        yield source or DEBIAN_FOLDER
        return
    with TemporaryDirectory() as downloads:
        for name in names:
            download(f"{address}/{name}.gz", Path(downloads) / f"{name}.gz")
        yield Path(downloads)


def download(address: str, path: Path) -> None:
    """Fetch one file and show how far it is, or raise DataError that says why not."""
    print(f"Downloading {address}", flush=True)
    try:
        # Without a time limit a silent server would hold the caller for ever.
        with urlopen(address, timeout=30) as answer, path.open("wb") as file:
            with tqdm.wrapattr(file, "write", total=answer.length, disable=None) as counted:
                shutil.copyfileobj(answer, counted)
            if answer.length:
                raise OSError(f"it ended {answer.length:,} bytes early")
    except (OSError, HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()
        fault = f"cannot be downloaded ({reason(error)})"
        remedy = "check the connection, or name a folder of the official files by --from"
        raise DataError(f"{address}: {fault}; {remedy}") from error


def read_idx(folder: Path, name: str) -> memoryview:
    """Read the values of one official file, packed or not, or raise DataError if it is not it."""
    for path in (folder / f"{name}.gz", folder / name):
        try:
            with open_unpacked(path) as file:
                # A limit, so that an archive of endless zeros does not fill the memory.
                content = file.read(LARGEST_IDX + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except UNREADABLE as error:
            fault = f"is damaged or cannot be read ({reason(error)})"
        else:
            if hashlib.sha256(content).hexdigest() == IDX_SHA256[name]:
                # Byte 3 is the number of dimensions; their sizes fill four bytes each.
                return memoryview(content)[4 + 4 * content[3] :]
            fault = "is not the published file (its sha256 differs)"
        raise DataError(f"{path}: {fault}; get the official file again, or name another by --from")
    remedy = "name a folder of the four official files by --from"
    raise DataError(f"{folder}: holds neither {name}.gz nor {name}; {remedy}")


def write_table(path: Path, table: Table, images: memoryview, labels: memoryview) -> None:
    """Write a table complete and as published, or raise DataError and leave nothing there."""
    digest = hashlib.sha256()
    try:
        with replacing(path) as file:
            for line in lines(images, labels, table.rows):
                file.write(line)
                digest.update(line)
            if digest.hexdigest() != table.sha256:
                raise DataError(f"{path}: came out wrong (sha256 differs); report this as a fault")
    except OSError as error:
        fault = f"cannot be written ({reason(error)})"
        raise DataError(f"{path}: {fault}; make room there or choose another place") from error


def lines(images: memoryview, labels: memoryview, rows: int) -> Iterator[bytes]:
    """Spell the images as the lines that pandas' to_csv(index=False) writes."""
    yield b",".join([b"label", *(b"pixel%d" % pixel for pixel in range(1, PIXELS + 1))]) + b"\n"
    for row in range(rows):
        values = [labels[row], *images[row * PIXELS : (row + 1) * PIXELS]]
        yield b",".join([NUMBERS[value] for value in values]) + b"\n"


@contextmanager
def replacing(path: Path) -> Iterator[BufferedIOBase]:
    """Collect a file beside its place and move it there only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            if path.suffix == ".gz":
                # No name and no time: the same table always packs to the same bytes.
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    yield packed
            else:
                yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def open_unpacked(path: Path) -> BufferedIOBase:
    """Open a file for reading so that a packed one reads like a plain one."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def reason(error: Exception) -> str:
    """Say why the system refused, in words and without the path that the caller names itself."""
    return str(getattr(error, "strerror", None) or error).strip("<>")

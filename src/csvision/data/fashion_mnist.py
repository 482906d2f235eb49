"""Write Fashion-MNIST as CSV files, from its official IDX files."""

import gzip
import hashlib
import os
import shutil
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

from csvision.command_hints import command_line
from csvision.data.packing import READ_ERRORS, open_decompressed
from csvision.errors import DataError

BASE_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
DEBIAN_DIR = Path("/usr/share/datasets/fashion-mnist")
DEFAULT_OUTPUT_DIR = Path("outputs/data/fashion_mnist")

IDX_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
NUM_PIXELS = 28 * 28
MAX_IDX_BYTES = 16 + 60_000 * NUM_PIXELS
BYTE_TEXTS = [b"%d" % value for value in range(256)]


class CSVSpec(NamedTuple):
    """A CSV file to write: the first `rows` images of a split; `sha256` is its expected hash."""

    split: str
    rows: int
    sha256: str

    @property
    def idx_names(self) -> tuple[str, str]:
        """The names of the IDX files with the images and the labels."""
        return f"{self.split}-images-idx3-ubyte", f"{self.split}-labels-idx1-ubyte"


TRAIN = CSVSpec("train", 60_000, "9b4c3051424ce1d78ff509d54017e2673b27260ea874c5ae9b364c0c1dc8a1b1")
TEST = CSVSpec("t10k", 10_000, "a269a18ad7ac639afde1ab2e65f83dd38a4fc321d057cf7039df1e5cff241e91")
BUNDLED = CSVSpec(
    "train", 6_000, "a64ed8e12bd860f2d48a922e1e035297e29d1bd7e8ed473aaf9ec87033ffbe17"
)


def prepare_fashion_mnist(
    output_dir: Path = DEFAULT_OUTPUT_DIR,
    source_dir: Path | None = None,
    bundled_csv: Path | None = None,
    base_url: str = BASE_URL,
) -> None:
    """Write train.csv and test.csv, and the first 6,000 images to `bundled_csv` if it is given.

    Correct files are kept. The IDX files come from `source_dir`, else from Debian's package
    dataset-fashion-mnist, else from `base_url`. Prints the path of each file. Raises DataError if
    an IDX file is missing, damaged or cannot be downloaded, or a CSV file cannot be written.
    """
    specs = {output_dir / "train.csv": TRAIN, output_dir / "test.csv": TEST}
    if bundled_csv is not None:
        specs[bundled_csv] = BUNDLED
    missing = {path: spec for path, spec in specs.items() if not is_up_to_date(path, spec)}
    names = dict.fromkeys(name for spec in missing.values() for name in spec.idx_names)
    # Read all IDX files before writing the first CSV file.
    with find_idx_dir(source_dir, names, base_url) as folder:
        contents = {name: read_idx(folder, name) for name in names}
    for path, spec in missing.items():
        write_csv(path, spec, *(contents[name] for name in spec.idx_names))
    for path, spec in specs.items():
        print(f"{path}: {spec.rows:,} images, {'written' if path in missing else 'up to date'}")
    print(f"To train on these files (data=fmnist reads {DEFAULT_OUTPUT_DIR}):")
    print(f"  {command_line('train', 'data=fmnist')}")


def is_up_to_date(path: Path, spec: CSVSpec) -> bool:
    """Return whether a CSV file is complete; raises DataError if the path has another content."""
    try:
        with open_decompressed(path) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == spec.sha256:
                return True
        problem = "already exists with another content"
    except (FileNotFoundError, NotADirectoryError):
        return False
    except READ_ERRORS as error:
        problem = f"cannot be read ({error_reason(error)})"
    raise DataError(f"{path}: {problem}; delete it or choose another path")


@contextmanager
def find_idx_dir(source_dir: Path | None, names: Iterable[str], base_url: str) -> Iterator[Path]:
    """Provide a folder with the IDX files: the given one, that of Debian, or downloads."""
    if source_dir or DEBIAN_DIR.is_dir():
        yield source_dir or DEBIAN_DIR
        return
    with TemporaryDirectory() as downloads:
        for name in names:
            download(f"{base_url}/{name}.gz", Path(downloads) / f"{name}.gz")
        yield Path(downloads)


def download(url: str, path: Path) -> None:
    """Download one file with a progress bar; raises DataError if it fails or is incomplete."""
    print(f"Downloading {url}", flush=True)
    try:
        # Without a timeout, a server that does not answer would block forever.
        with urlopen(url, timeout=30) as response, path.open("wb") as file:
            with tqdm.wrapattr(file, "write", total=response.length, disable=None) as counted:
                shutil.copyfileobj(response, counted)
            if response.length:
                raise OSError(f"the last {response.length:,} bytes are missing")
    except (OSError, HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()
        raise DataError(
            f"{url}: cannot be downloaded ({error_reason(error)}); check the connection, or "
            f"run {source_dir_hint()}"
        ) from error


def read_idx(folder: Path, name: str) -> memoryview:
    """Return the values in an official IDX file, compressed or not.

    Raises DataError if the file is missing, damaged or not the official one.
    """
    for path in (folder / f"{name}.gz", folder / name):
        try:
            with open_decompressed(path) as file:
                # Limit the memory for a file that decompresses to more than the official one.
                content = file.read(MAX_IDX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except READ_ERRORS as error:
            problem = f"cannot be read ({error_reason(error)})"
        else:
            if hashlib.sha256(content).hexdigest() == IDX_SHA256[name]:
                # Byte 3 is the number of dimensions; the size of each has four bytes.
                return memoryview(content)[4 + 4 * content[3] :]
            problem = "is not the official file (its SHA-256 hash differs)"
        raise DataError(f"{path}: {problem}; download it again, or run {source_dir_hint()}")
    raise DataError(f"{folder}: contains neither {name}.gz nor {name}; run {source_dir_hint()}")


def source_dir_hint() -> str:
    """Return the command that reads the IDX files from another folder."""
    command = command_line("prepare-fashion-mnist")
    return f"{command} source_dir=DIR with the folder of the four official IDX files"


def write_csv(path: Path, spec: CSVSpec, images: memoryview, labels: memoryview) -> None:
    """Write a CSV file; raises DataError, and leaves no file, if it cannot be written."""
    digest = hashlib.sha256()
    try:
        with atomic_write(path) as file:
            for line in csv_lines(images, labels, spec.rows):
                file.write(line)
                digest.update(line)
            if digest.hexdigest() != spec.sha256:
                raise DataError(f"{path}: its SHA-256 hash differs; please report this bug")
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error_reason(error)}); free some space or choose "
            "another path"
        ) from error


def csv_lines(images: memoryview, labels: memoryview, rows: int) -> Iterator[bytes]:
    """Yield the lines that pandas' to_csv(index=False) would write."""
    yield b",".join([b"label", *(b"pixel%d" % pixel for pixel in range(1, NUM_PIXELS + 1))]) + b"\n"
    for row in range(rows):
        values = [labels[row], *images[row * NUM_PIXELS : (row + 1) * NUM_PIXELS]]
        yield b",".join([BYTE_TEXTS[value] for value in values]) + b"\n"


@contextmanager
def atomic_write(path: Path) -> Iterator[BufferedIOBase]:
    """Open a temporary file that is renamed to `path` when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            if path.suffix.lower() == ".gz":
                # Without name and time, equal content is compressed to equal bytes.
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed:
                    yield compressed
            else:
                yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def error_reason(error: BaseException) -> str:
    """Return the message of an exception without the path."""
    return str(getattr(error, "strerror", None) or error).strip("<>")

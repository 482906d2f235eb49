"""The files of Fashion-MNIST: what is written, from which sources, and the error messages."""

import gzip
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from csvision.data import fashion_mnist
from csvision.errors import DataError

PROJECT = Path(__file__).parents[2]
HEADER = ",".join(["label", *(f"pixel{pixel}" for pixel in range(1, 785))])
TRAIN_SHA256 = "9b4c3051424ce1d78ff509d54017e2673b27260ea874c5ae9b364c0c1dc8a1b1"
TEST_SHA256 = "a269a18ad7ac639afde1ab2e65f83dd38a4fc321d057cf7039df1e5cff241e91"
BUNDLED_SHA256 = "a64ed8e12bd860f2d48a922e1e035297e29d1bd7e8ed473aaf9ec87033ffbe17"
NAMES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]
LABELS = "t10k-labels-idx1-ubyte"


def run_command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    script = PROJECT / "scripts" / "prepare_fashion_mnist.py"
    return subprocess.run(
        [sys.executable, script, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def error_of(call: Callable[[], object]) -> str:
    """Return the only error message of a call."""
    with pytest.raises(DataError) as caught:
        call()
    (message,) = caught.value.messages
    assert "\n" not in message
    return message


@pytest.fixture(scope="session")
def fashion_mnist_folder() -> Path:
    folder = Path("/usr/share/datasets/fashion-mnist")
    if not folder.is_dir():
        missing = f"{folder} is missing: install Debian's package dataset-fashion-mnist"
        pytest.fail(missing) if "CI" in os.environ else pytest.skip(missing)
    return folder


@pytest.fixture(scope="session")
def conversion(
    fashion_mnist_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    """Run the command once, and delete the 155 MB afterwards."""
    home = tmp_path_factory.mktemp("conversion")
    yield home, run_command(f"source_dir={fashion_mnist_folder}", cwd=home)
    shutil.rmtree(home)


@pytest.fixture(autouse=True)
def no_large_leftovers(tmp_path: Path) -> Iterator[None]:
    """Delete the tables; pytest keeps the temporary folders of its last three runs."""
    yield
    for table in tmp_path.rglob("*.csv"):
        table.unlink()


@pytest.fixture
def only_test_csv_missing(
    conversion: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> Path:
    """Provide an output folder in which only the smaller file is missing."""
    target = tmp_path / "target"
    target.mkdir()
    made = conversion[0] / "outputs/data/fashion_mnist/train.csv"
    (target / "train.csv").hardlink_to(made)
    return target


@pytest.fixture
def source(fashion_mnist_folder: Path, tmp_path: Path) -> Path:
    """Provide a folder of the official archives in which a test may replace one."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.gz").symlink_to(fashion_mnist_folder / f"{name}.gz")
    return folder


def replace(source: Path, name: str, content: bytes) -> Path:
    path = source / name
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Serve a folder over HTTP, on a machine without Debian's package and without a proxy."""
    monkeypatch.setattr(fashion_mnist, "DEBIAN_DIR", Path("no such folder"))
    monkeypatch.setenv("no_proxy", "*")
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(folder: Path, handler: type[SimpleHTTPRequestHandler]) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


class CutShort(Quiet):
    """Promises one byte more than it sends."""

    def send_header(self, keyword: str, value: str) -> None:
        if keyword == "Content-Length":
            value = str(int(value) + 1)
        super().send_header(keyword, value)


class TestBundledFile:
    path = PROJECT / "src/csvision/data/bundled/fmnist_small.csv.gz"

    def test_contains_the_first_6000_published_training_images(self) -> None:
        content = gzip.decompress(self.path.read_bytes())
        header, *rows = content.decode("ascii").splitlines()
        assert hashlib.sha256(content).hexdigest() == BUNDLED_SHA256
        assert header == HEADER
        assert len(rows) == 6_000

    def test_is_compressed_without_time_and_name(self) -> None:
        flags_and_time = self.path.read_bytes()[3:8]
        assert flags_and_time == bytes(5)

    def test_license_is_included(self) -> None:
        notice = self.path.with_name("LICENSE-fashion-mnist").read_text(encoding="utf-8")
        assert "Copyright 2017 Zalando SE" in notice
        assert "Permission is hereby granted, free of charge" in notice

    @pytest.mark.slow
    def test_can_be_written_again(
        self, only_test_csv_missing: Path, fashion_mnist_folder: Path, tmp_path: Path
    ) -> None:
        again = tmp_path / "again.csv.gz"
        fashion_mnist.prepare_fashion_mnist(
            only_test_csv_missing, fashion_mnist_folder, bundled_csv=again
        )
        assert hashlib.sha256(gzip.decompress(again.read_bytes())).hexdigest() == BUNDLED_SHA256
        assert again.read_bytes()[3:8] == bytes(5)


class TestCommand:
    @pytest.mark.slow
    def test_writes_the_published_tables_into_outputs(
        self, conversion: tuple[Path, subprocess.CompletedProcess[str]]
    ) -> None:
        home, result = conversion
        assert (result.returncode, result.stderr) == (0, "")
        assert files_below(home) == [
            "outputs/data/fashion_mnist/test.csv",
            "outputs/data/fashion_mnist/train.csv",
        ]
        assert sha256(home / "outputs/data/fashion_mnist/train.csv") == TRAIN_SHA256
        assert sha256(home / "outputs/data/fashion_mnist/test.csv") == TEST_SHA256

    def test_prints_the_files_and_the_next_command(
        self, conversion: tuple[Path, subprocess.CompletedProcess[str]]
    ) -> None:
        _, result = conversion
        assert "outputs/data/fashion_mnist/train.csv: 60,000 images, written" in result.stdout
        assert "outputs/data/fashion_mnist/test.csv: 10,000 images, written" in result.stdout
        assert "train.py data=fmnist" in result.stdout

    @pytest.mark.slow
    def test_second_call_changes_nothing(
        self, conversion: tuple[Path, subprocess.CompletedProcess[str]]
    ) -> None:
        home, _ = conversion
        tables = [home / "outputs/data/fashion_mnist" / name for name in ("train.csv", "test.csv")]
        before = [table.stat().st_mtime_ns for table in tables]
        again = run_command("source_dir=no such folder", cwd=home)
        assert again.returncode == 0
        assert again.stdout.count("up to date") == 2
        assert [table.stat().st_mtime_ns for table in tables] == before

    @pytest.mark.slow
    def test_missing_source_is_one_line_and_exit_code_2(self, tmp_path: Path) -> None:
        result = run_command("source_dir=nowhere", "output_dir=target", cwd=tmp_path)
        assert result.returncode == 2
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: nowhere: contains neither train-images-idx3-ubyte.gz nor ")
        assert "source_dir=" in line
        assert files_below(tmp_path) == []


class TestSource:
    @pytest.mark.slow
    def test_may_be_compressed_differently_or_not_at_all(
        self, only_test_csv_missing: Path, source: Path
    ) -> None:
        images = gzip.decompress((source / "t10k-images-idx3-ubyte.gz").read_bytes())
        labels = gzip.decompress((source / f"{LABELS}.gz").read_bytes())
        replace(source, "t10k-images-idx3-ubyte.gz", gzip.compress(images, compresslevel=1))
        (source / f"{LABELS}.gz").unlink()
        replace(source, LABELS, labels)
        fashion_mnist.prepare_fashion_mnist(only_test_csv_missing, source)
        assert sha256(only_test_csv_missing / "test.csv") == TEST_SHA256

    @pytest.mark.slow
    @pytest.mark.parametrize("name", NAMES)
    def test_one_damaged_byte_is_reported_by_file(
        self, name: str, source: Path, tmp_path: Path
    ) -> None:
        content = bytearray(gzip.decompress((source / f"{name}.gz").read_bytes()))
        content[-1] ^= 1
        damaged = replace(source, f"{name}.gz", gzip.compress(content, compresslevel=1))
        target = tmp_path / "target"
        message = error_of(lambda: fashion_mnist.prepare_fashion_mnist(target, source))
        assert message.startswith(f"{damaged}: is not the official file")
        assert not target.exists()

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda packed: packed[:-100], id="cut short"),
            pytest.param(lambda packed: packed[:2000] + bytes(50) + packed[2050:], id="zeros"),
            pytest.param(lambda packed: b"<html>Not found</html>", id="a web page"),
            pytest.param(lambda packed: b"", id="empty"),
        ],
    )
    def test_damaged_archive_is_reported_by_file(
        self, damage: Callable[[bytes], bytes], source: Path, only_test_csv_missing: Path
    ) -> None:
        path = source / f"{LABELS}.gz"
        replace(source, path.name, damage(path.read_bytes()))
        message = error_of(
            lambda: fashion_mnist.prepare_fashion_mnist(only_test_csv_missing, source)
        )
        assert message.startswith(f"{path}: ")
        assert "source_dir=" in message
        assert files_below(only_test_csv_missing) == ["train.csv"]

    def test_missing_file_is_reported(self, source: Path, only_test_csv_missing: Path) -> None:
        (source / f"{LABELS}.gz").unlink()
        message = error_of(
            lambda: fashion_mnist.prepare_fashion_mnist(only_test_csv_missing, source)
        )
        assert message.startswith(f"{source}: contains neither {LABELS}.gz nor {LABELS}; ")
        assert files_below(only_test_csv_missing) == ["train.csv"]


class TestDownload:
    @pytest.mark.slow
    def test_is_used_without_a_folder(
        self,
        fashion_mnist_folder: Path,
        serve: Callable[..., str],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        address = serve(fashion_mnist_folder, Quiet)
        fashion_mnist.prepare_fashion_mnist(tmp_path, base_url=address)
        assert sha256(tmp_path / "train.csv") == TRAIN_SHA256
        assert sha256(tmp_path / "test.csv") == TEST_SHA256
        output = capsys.readouterr()
        assert output.err == ""
        assert output.out.splitlines()[:4] == [f"Downloading {address}/{name}.gz" for name in NAMES]

    def test_missing_file_on_the_server_is_reported(
        self, serve: Callable[..., str], tmp_path: Path
    ) -> None:
        address = serve(tmp_path, Quiet)
        message = error_of(lambda: fashion_mnist.prepare_fashion_mnist(tmp_path, base_url=address))
        assert message.startswith(f"{address}/{NAMES[0]}.gz: cannot be downloaded (HTTP Error 404")
        assert files_below(tmp_path) == []

    def test_truncated_download_is_reported(
        self, source: Path, serve: Callable[..., str], only_test_csv_missing: Path
    ) -> None:
        address = serve(source, CutShort)
        message = error_of(
            lambda: fashion_mnist.prepare_fashion_mnist(only_test_csv_missing, base_url=address)
        )
        assert message.startswith(f"{address}/t10k-images-idx3-ubyte.gz: cannot be downloaded (")
        assert files_below(only_test_csv_missing) == ["train.csv"]

    @pytest.mark.usefixtures("serve")
    def test_unreachable_server_is_reported(self, tmp_path: Path) -> None:
        with socket.socket() as unused:
            # Bound without listening: the port is free and refuses connections.
            unused.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{unused.getsockname()[1]}"
            message = error_of(
                lambda: fashion_mnist.prepare_fashion_mnist(tmp_path, base_url=address)
            )
        assert message.startswith(f"{address}/{NAMES[0]}.gz: cannot be downloaded (")
        assert "source_dir=" in message
        assert files_below(tmp_path) == []


class TestTarget:
    def test_full_disk_leaves_no_partial_file(
        self, only_test_csv_missing: Path, fashion_mnist_folder: Path
    ) -> None:
        resource = pytest.importorskip("resource")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
        try:
            message = error_of(
                lambda: fashion_mnist.prepare_fashion_mnist(
                    only_test_csv_missing, fashion_mnist_folder
                )
            )
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        path = only_test_csv_missing / "test.csv"
        assert message.startswith(f"{path}: cannot be written (File too large); ")
        assert files_below(only_test_csv_missing) == ["train.csv"]

    @pytest.mark.slow
    def test_output_dir_below_a_file_is_rejected(
        self, fashion_mnist_folder: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        target = tmp_path / "file" / "target"
        message = error_of(
            lambda: fashion_mnist.prepare_fashion_mnist(target, fashion_mnist_folder)
        )
        assert message.startswith(f"{target}/train.csv: cannot be written (")

    def test_other_file_is_not_overwritten(
        self, only_test_csv_missing: Path, fashion_mnist_folder: Path
    ) -> None:
        other = only_test_csv_missing / "test.csv"
        other.write_text("label,pixel1\n0,0\n", encoding="utf-8")
        message = error_of(
            lambda: fashion_mnist.prepare_fashion_mnist(only_test_csv_missing, fashion_mnist_folder)
        )
        assert message.startswith(f"{other}: already exists with another content; ")
        assert other.read_text(encoding="utf-8") == "label,pixel1\n0,0\n"

"""The cache of parsed files: found by content; incomplete or damaged entries are not used."""

import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from csvision.data.cache import clear, default_folder, list_entries
from csvision.data.data_spec import DataSpec
from csvision.data.parse_file import parsed_chunks
from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

READ = """
import hashlib, os, sys, time
from csvision.data.read_options import ReadOptions
from csvision.data.table import read_table
print("ready", flush=True)
sys.stdin.readline()
table = read_table("digits.csv", ReadOptions(cache="cache"))
print(hashlib.sha256(table.images.tobytes() + table.labels.tobytes()).hexdigest())
"""
"""Reads the table when its parent sends a line, and prints the hash of the table."""

BLOCKED_READ = """
import time
from csvision.data import source
from csvision.data.read_options import ReadOptions
from csvision.data.table import read_table

chunks = source.Source.chunks

def read_and_block(self, chunk_bytes=None):
    for number, chunk in enumerate(chunks(self, chunk_bytes)):
        yield chunk
        if number == 8:
            time.sleep(60)

source.CHUNK_BYTES = 4096
source.Source.chunks = read_and_block
read_table("digits.csv", ReadOptions(cache="cache"))
"""
"""Reads a table and blocks when some of the images are written."""

FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
"""

CACHE = Path("cache")

pytestmark = pytest.mark.usefixtures("digits_csv")


def read(source: str = "digits.csv", cache: str = "cache", **options: Any) -> ImageTable:
    return read_table(source, ReadOptions(cache=cache, **options))


def assert_equal(table: ImageTable, other: ImageTable) -> None:
    for field in fields(ImageTable):
        np.testing.assert_array_equal(getattr(table, field.name), getattr(other, field.name))


def digest(table: ImageTable) -> str:
    assert table.labels is not None
    return hashlib.sha256(table.images.tobytes() + table.labels.tobytes()).hexdigest()


def only_entry() -> Path:
    (entry,) = CACHE.iterdir()
    return entry


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return the inode, modification time and content of each file below a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): (
            path.stat().st_ino,
            path.stat().st_mtime_ns,
            path.read_bytes(),
        )
        for path in paths
    }


def start(program: str) -> subprocess.Popen[str]:
    """Start a Python process that runs a program."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def forbid_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        pytest.fail("the file was parsed again")

    monkeypatch.setattr("csvision.data.parse_file.parsed_chunks", fail)


def test_second_read_neither_parses_nor_writes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, in_memory = read(), read(cache="none")
    before = state(CACHE)
    forbid_parsing(monkeypatch)
    second = read()
    assert_equal(first, in_memory)
    assert_equal(second, in_memory)
    assert state(CACHE) == before
    assert not caplog.records


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("a,b,c,digit\n1,2,3,cat\n4,5,60,dog\n", id="text labels"),
        pytest.param("a,b,c,digit\n0.1,1,0,4\n0.5,0,0.75,5\n", id="pixels in 0..1"),
    ],
)
def test_cached_table_equals_parsed_table(content: str) -> None:
    Path("own.csv").write_text(content, encoding="utf-8")
    options: dict[str, Any] = {"label_column": "digit", "image_shape": [1, 1, 3]}
    read("own.csv", **options)
    assert_equal(read("own.csv", **options), read("own.csv", cache="none", **options))
    assert len(list_entries(CACHE)) == 1


def test_file_without_labels_is_cached() -> None:
    Path("own.csv").write_text("a,b\n1,2\n3,40\n", encoding="utf-8")
    options = ReadOptions(cache="cache", allow_missing_labels=True)
    spec = DataSpec((1, 1, 2), [0, 1], ["0", "1"])
    for _ in range(2):
        table = read_table("own.csv", options, reference=spec)
        assert table.labels is None
        assert table.images.ravel().tolist() == [1, 2, 3, 40]
    assert len(list_entries(CACHE)) == 1


def test_changed_content_with_same_name_size_and_time_is_parsed_again() -> None:
    path = Path("own.csv")
    path.write_text("label,a\n0,10\n1,20\n", encoding="utf-8")
    times = path.stat()
    assert read("own.csv", image_shape=[1, 1, 1]).images.ravel().tolist() == [10, 20]
    path.write_text("label,a\n0,10\n1,21\n", encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    assert path.stat().st_mtime_ns == times.st_mtime_ns
    assert read("own.csv", image_shape=[1, 1, 1]).images.ravel().tolist() == [10, 21]


def test_copy_under_another_name_uses_the_same_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    read()
    shutil.copy("digits.csv", "copy.csv")
    forbid_parsing(monkeypatch)
    read("copy.csv")
    assert len(list_entries(CACHE)) == 1


def test_each_combination_of_read_options_has_its_own_entry() -> None:
    Path("own.csv").write_text(
        "label,b,c,d,e\n0,1,0,1,1\n1,2,1,4,5\n0,3,0,70,80\n", encoding="utf-8"
    )
    combinations: list[dict[str, Any]] = [
        {},
        {"label_column": "c"},
        {"image_shape": [1, 1, 4]},
        {"image_shape": [4, 1, 1]},
        {"image_shape": [2, 1, 2]},
        {"image_shape": [2, 1, 2], "layout": "channels_last"},
        {"pixel_range": 80},
        {"transpose": True},
        {"ignore": ["e"], "image_shape": [1, 1, 3]},
    ]
    for _ in range(2):
        for options in combinations:
            assert_equal(read("own.csv", **options), read("own.csv", cache="none", **options))
    assert len(list_entries(CACHE)) == len(combinations)


def test_class_names_do_not_change_the_entry() -> None:
    Path("own.csv").write_text("label,a,b,c,d\n0,1,1,1,1\n1,2,2,2,20\n", encoding="utf-8")
    assert read("own.csv").classes == ["0", "1"]
    named = read_table("own.csv", ReadOptions(cache="cache"), classes=["cat", "dog"])
    assert named.classes == ["cat", "dog"]
    assert len(list_entries(CACHE)) == 1


def test_cached_images_are_memory_mapped_copy_on_write() -> None:
    table = read()
    assert isinstance(table.images, np.memmap)
    before = state(CACHE)
    table.images[:] = 0
    del table
    assert state(CACHE) == before
    assert read().images.any()


def test_default_cache_is_the_user_cache_folder_of_the_system(cache_folder: Path) -> None:
    assert default_folder().is_relative_to(cache_folder)
    read_table("digits.csv")
    assert [Path(source).name for source, _ in list_entries(default_folder())] == ["digits.csv"]


def flip_a_bit(entry: Path) -> None:
    content = bytearray((entry / "images.bin").read_bytes())
    content[5000] ^= 1
    (entry / "images.bin").write_bytes(content)


def write_over(name: str, content: str) -> Callable[[Path], object]:
    return lambda entry: (entry / name).write_text(content, encoding="utf-8")


def delete(name: str) -> Callable[[Path], object]:
    return lambda entry: (entry / name).unlink()


def delete_key(entry: Path) -> None:
    content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
    del content["label_values"]
    (entry / "table.json").write_text(json.dumps(content), encoding="utf-8")


DAMAGE = {
    "one bit": flip_a_bit,
    "images truncated": lambda entry: os.truncate(entry / "images.bin", 6400),
    "no images": delete("images.bin"),
    "no labels": delete("labels.bin"),
    "labels changed": write_over("labels.bin", "x"),
    "no table.json": delete("table.json"),
    "table.json empty": write_over("table.json", ""),
    "table.json truncated": write_over("table.json", '{"source": "/ho'),
    "table.json a list": write_over("table.json", "[]"),
    "checksums a list": write_over("table.json", '{"checksums": []}'),
    "a key deleted": delete_key,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_entry_is_reported_and_replaced(
    damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    expected = read(cache="none")
    read()
    DAMAGE[damage](only_entry())
    assert_equal(read(), expected)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "damaged" in record.getMessage()
    assert "\n" not in record.getMessage()
    before = state(CACHE)
    assert_equal(read(), expected)
    assert len(caplog.records) == 1
    assert state(CACHE) == before


def poison(entry: Path) -> None:
    """Change all images, and the checksums with them."""
    content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
    images = bytes(255 - value for value in (entry / "images.bin").read_bytes())
    (entry / "images.bin").write_bytes(images)
    content["checksums"]["images.bin"] = hashlib.sha256(images).hexdigest()
    (entry / "table.json").write_text(json.dumps(content), encoding="utf-8")


def replace_by_link(path: Path) -> None:
    shutil.move(path, "elsewhere")
    path.symlink_to(Path("elsewhere").absolute())


def rename_as_entry_of_another_file(entry: Path) -> None:
    Path("digits.csv").write_bytes(Path("digits.csv").read_bytes().replace(b",0\n", b",1\n"))
    sha256 = hashlib.sha256(Path("digits.csv").read_bytes()).hexdigest()
    entry.rename(entry.with_name(sha256 + entry.name[64:]))


NOT_TRUSTED: dict[str, Callable[[Path], object]] = {
    "a link to a folder": replace_by_link,
    "a link to a file": lambda entry: replace_by_link(entry / "images.bin"),
    "all users can write": lambda entry: entry.chmod(0o777),
    "a group can write": lambda entry: entry.chmod(0o770),
    "of another file": rename_as_entry_of_another_file,
}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.mark.parametrize(
    "change",
    [
        *(pytest.param(change, id=name) for name, change in NOT_TRUSTED.items()),
        pytest.param(
            lambda entry: os.chown(entry, 65534, 65534), id="of another user", marks=needs_root
        ),
        pytest.param(
            lambda entry: os.chown(entry / "table.json", 65534, 65534),
            id="a file of another user",
            marks=needs_root,
        ),
    ],
)
def test_entry_that_another_user_can_have_written_is_replaced(
    change: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    read()
    poison(only_entry())
    change(only_entry())
    expected = read(cache="none")
    assert_equal(read(), expected)
    (record,) = caplog.records
    assert "damaged" in record.getMessage()
    assert not only_entry().is_symlink()
    assert_equal(read(), expected)
    assert len(caplog.records) == 1


def test_entry_that_cannot_be_replaced_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = read(cache="none")
    read()
    poison(only_entry())
    only_entry().chmod(0o777)

    def fail(folder: Path) -> None:
        raise PermissionError(f"{folder} is of another user")

    monkeypatch.setattr("csvision.data.cache.remove_dir", fail)
    assert_equal(read(), expected)
    assert "cannot use the cache" in caplog.records[-1].getMessage()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_folder_to_which_others_can_write_is_not_used(
    mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    CACHE.mkdir()
    CACHE.chmod(mode)
    assert_equal(read(), read(cache="none"))
    (record,) = caplog.records
    assert "chmod go-w" in record.getMessage()
    assert list(CACHE.iterdir()) == []


def test_files_are_private_whatever_the_umask() -> None:
    before = os.umask(0)
    try:
        read()
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (CACHE, only_entry())] == [0o700, 0o700]
    read()
    assert len(list_entries(CACHE)) == 1


def test_links_are_listed_and_cleared_without_what_they_point_to() -> None:
    read()
    replace_by_link(only_entry())
    ((_, size),) = list_entries(CACHE)
    assert size > 0
    clear(CACHE)
    assert list(CACHE.iterdir()) == []
    assert len(list(Path("elsewhere").iterdir())) == 5


def test_damaged_entry_is_listed_and_cleared() -> None:
    read()
    write_over("table.json", "[]")(only_entry())
    ((source, size),) = list_entries(CACHE)
    assert source == "(unfinished)"
    assert clear(CACHE) == size


@pytest.mark.slow
def test_entry_of_a_process_killed_while_writing_is_never_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = start(BLOCKED_READ)
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size for path in CACHE.glob("*/*/images.bin")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    ((source, size),) = list_entries(CACHE)
    assert source == "(unfinished)"
    assert 0 < size < 300 * 64
    assert_equal(read(), read(cache="none"))
    assert [Path(source).name for source, _ in list_entries(CACHE)] == [
        "digits.csv",
        "(unfinished)",
    ]
    assert not caplog.records
    clear(CACHE)
    assert list(CACHE.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "damaged"), [(2, False), (4, False), (4, True)])
def test_concurrent_processes_read_the_same_table(processes: int, damaged: bool) -> None:
    expected = digest(read(cache="none"))
    if damaged:
        read()
        flip_a_bit(only_entry())
    readers = [start(READ) for _ in range(processes)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    for reader in readers:
        assert reader.stdin is not None
        reader.stdin.write("\n")
        reader.stdin.flush()
    for reader in readers:
        out, stderr = reader.communicate(timeout=60)
        assert reader.returncode == 0, stderr
        assert out.strip() == expected
        assert damaged or not stderr
    assert [Path(source).name for source, _ in list_entries(CACHE)] == ["digits.csv"]


@pytest.mark.parametrize("folder", ["digits.csv/cache", "digits.csv", "/proc/csvision"])
def test_table_is_kept_in_memory_if_cache_is_not_writable(
    folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert_equal(read(cache=folder), read(cache="none"))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"{folder}: cannot use the cache (")
    assert "\n" not in record.getMessage()


@pytest.mark.slow
def test_table_is_kept_in_memory_if_disk_is_full() -> None:
    process = start(FULL_DISK + READ)
    out, stderr = process.communicate("\n", timeout=60)
    assert process.returncode == 0, stderr
    assert out.split() == ["ready", digest(read(cache="none"))]
    (warning,) = stderr.splitlines()
    assert warning.startswith("cache: cannot use the cache (")
    assert list_entries(CACHE) == []
    assert list(CACHE.iterdir()) == []


def test_invalid_file_leaves_no_entry() -> None:
    Path("own.csv").write_text("label,a\n0,1\n1,300\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(DataError, match=r"line 3, column a: '300' is outside 0\.\.255"):
            read("own.csv", image_shape=[1, 1, 1])
        assert list(CACHE.iterdir()) == []


def test_file_that_changes_while_it_is_read_is_rejected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path("own.csv")
    path.write_text("label,a\n0,100\n1,200\n", encoding="utf-8")

    def read_and_append(*arguments: Any) -> Any:
        yield from parsed_chunks(*arguments)
        with path.open("a", encoding="utf-8") as file:
            file.write("1,30\n")

    with monkeypatch.context() as patch:
        patch.setattr("csvision.data.parse_file.parsed_chunks", read_and_append)
        for cache in ("cache", "none"):
            with pytest.raises(DataError, match=r"own\.csv: changed while it was read"):
                read("own.csv", cache=cache, image_shape=[1, 1, 1])
    assert list(CACHE.iterdir()) == []
    images = read("own.csv", image_shape=[1, 1, 1]).images
    assert images.ravel().tolist() == [100, 200, 30, 30]


def test_sha256_is_the_hash_of_the_file(digits_csv: Path) -> None:
    expected = hashlib.sha256(digits_csv.read_bytes()).hexdigest()
    assert [read().sha256, read().sha256, read(cache="none").sha256] == [expected] * 3


def test_list_entries_returns_source_and_size_and_clear_deletes_entries() -> None:
    assert list_entries(CACHE) == []
    assert clear(CACHE) == 0
    Path("own.csv").write_text("label,a,b\n0,1,1\n1,2,20\n", encoding="utf-8")
    read()
    read("own.csv", image_shape=[1, 1, 2])
    found = dict(list_entries(CACHE))
    assert found.keys() == {str(Path(name).resolve()) for name in ("digits.csv", "own.csv")}
    assert found[str(Path("digits.csv").resolve())] > 300 * (64 + 8 + 8)
    assert clear(CACHE) == sum(found.values())
    assert list_entries(CACHE) == []
    assert_equal(read(), read(cache="none"))


def test_clear_keeps_files_that_are_not_cache_entries() -> None:
    read()
    (CACHE / "thesis").mkdir()
    (CACHE / "thesis" / "chapter.txt").write_text("keep me", encoding="utf-8")
    (CACHE / "notes.txt").write_text("keep me too", encoding="utf-8")
    assert [Path(source).name for source, _ in list_entries(CACHE)] == ["digits.csv"]
    clear(CACHE)
    assert sorted(path.name for path in CACHE.rglob("*")) == ["chapter.txt", "notes.txt", "thesis"]


def test_cache_none_writes_no_files(cache_folder: Path) -> None:
    read(cache="none")
    assert list(cache_folder.iterdir()) == []
    assert not Path("none").exists()

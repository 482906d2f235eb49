"""Parsed files kept between runs: found again by content alone, never half-written or damaged."""

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

from csvision.data.cache import clear, default_folder, entries
from csvision.data.parse import read_blocks
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError

READ = """
import hashlib, os, sys, time
from csvision.data.table import read_table
print("ready", flush=True)
sys.stdin.readline()
table = read_table("digits.csv", cache="kept")
print(hashlib.sha256(table.images.tobytes() + table.labels.tobytes()).hexdigest())
"""
"""Reads the table once its parent says so, and prints what it is."""

STUCK_READ = """
import time
from csvision.data import parse, source
from csvision.data.table import read_table

def stuck(file):
    for number, piece in enumerate(source.read_pieces(file)):
        yield piece
        if number == 8:
            time.sleep(60)

source.PIECE_BYTES = 4096
parse.read_pieces = stuck
read_table("digits.csv", cache="kept")
"""
"""Reads a table whose source stops giving when some of the images are written."""

FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
"""

KEPT = Path("kept")

pytestmark = pytest.mark.usefixtures("digits_csv")


def read(source: str = "digits.csv", cache: str = "kept", **options: Any) -> ImageTable:
    return read_table(source, cache=cache, **options)


def assert_equal(table: ImageTable, other: ImageTable) -> None:
    for field in fields(ImageTable):
        np.testing.assert_array_equal(getattr(table, field.name), getattr(other, field.name))


def digest(table: ImageTable) -> str:
    assert table.labels is not None
    return hashlib.sha256(table.images.tobytes() + table.labels.tobytes()).hexdigest()


def only_entry() -> Path:
    (entry,) = KEPT.iterdir()
    return entry


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file below a folder: its identity, the time it was written, its content."""
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
    """A process of its own that runs a program."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def parsing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the file was parsed again")

    monkeypatch.setattr("csvision.data.parsed.read_blocks", refuse)


def test_the_second_read_parses_nothing_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, in_memory = read(), read(cache="none")
    before = state(KEPT)
    parsing_fails(monkeypatch)
    second = read()
    assert_equal(first, in_memory)
    assert_equal(second, in_memory)
    assert state(KEPT) == before
    assert not caplog.records


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("a,b,c,digit\n1,2,3,cat\n4,5,6,dog\n", id="words"),
        pytest.param("a,b,c,digit\n0.1,1,0,4\n0.5,0,0.75,5\n", id="shares"),
    ],
)
def test_whatever_a_file_holds_is_kept(content: str) -> None:
    Path("own.csv").write_text(content, encoding="utf-8")
    options: dict[str, Any] = {"label": "digit", "image_shape": [1, 1, 3]}
    read("own.csv", **options)
    assert_equal(read("own.csv", **options), read("own.csv", cache="none", **options))
    assert len(entries(KEPT)) == 1


def test_pixels_alone_are_kept() -> None:
    Path("own.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    known: dict[str, Any] = {"image_shape": [1, 1, 2], "label_values": [0, 1], "unlabelled": True}
    for _ in range(2):
        table = read("own.csv", **known)
        assert table.labels is None
        assert table.images.ravel().tolist() == [1, 2, 3, 4]
    assert len(entries(KEPT)) == 1


def test_an_edit_that_keeps_name_size_and_time_is_seen() -> None:
    path = Path("own.csv")
    path.write_text("label,a\n0,10\n1,20\n", encoding="utf-8")
    times = path.stat()
    assert read("own.csv").images.ravel().tolist() == [10, 20]
    path.write_text("label,a\n0,10\n1,21\n", encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    assert path.stat().st_mtime_ns == times.st_mtime_ns
    assert read("own.csv").images.ravel().tolist() == [10, 21]


def test_a_file_under_another_name_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read()
    shutil.copy("digits.csv", "copy.csv")
    parsing_fails(monkeypatch)
    read("copy.csv")
    assert len(entries(KEPT)) == 1


def test_another_way_to_read_a_file_is_another_entry() -> None:
    Path("own.csv").write_text("label,b,c,d,e\n0,1,0,1,1\n1,2,1,4,5\n0,3,0,7,8\n", encoding="utf-8")
    ways: list[dict[str, Any]] = [
        {},
        {"label": "c"},
        {"image_shape": [1, 1, 4]},
        {"image_shape": [4, 1, 1]},
        {"image_shape": [2, 1, 2]},
        {"image_shape": [2, 1, 2], "layout": "channels_last"},
    ]
    for _ in range(2):
        for way in ways:
            assert_equal(read("own.csv", **way), read("own.csv", cache="none", **way))
    assert len(entries(KEPT)) == len(ways)


def test_names_of_classes_are_no_part_of_an_entry() -> None:
    Path("own.csv").write_text("label,a\n0,1\n1,2\n", encoding="utf-8")
    assert read("own.csv").classes == ["0", "1"]
    assert read("own.csv", classes=["cat", "dog"]).classes == ["cat", "dog"]
    assert len(entries(KEPT)) == 1


def test_images_are_left_on_the_disk_and_may_be_written_to() -> None:
    table = read()
    assert isinstance(table.images, np.memmap)
    before = state(KEPT)
    table.images[:] = 0
    del table
    assert state(KEPT) == before
    assert read().images.any()


def test_the_users_own_cache_is_where_the_system_keeps_caches(cache_folder: Path) -> None:
    assert default_folder().is_relative_to(cache_folder)
    read_table("digits.csv")
    assert [Path(source).name for source, _ in entries(default_folder())] == ["digits.csv"]


def flip_a_bit(entry: Path) -> None:
    content = bytearray((entry / "images.bin").read_bytes())
    content[5000] ^= 1
    (entry / "images.bin").write_bytes(content)


def write_over(name: str, content: str) -> Callable[[Path], object]:
    return lambda entry: (entry / name).write_text(content, encoding="utf-8")


def take_away(name: str) -> Callable[[Path], object]:
    return lambda entry: (entry / name).unlink()


def lose_key(entry: Path) -> None:
    content = json.loads((entry / "table.json").read_text(encoding="utf-8"))
    del content["label_values"]
    (entry / "table.json").write_text(json.dumps(content), encoding="utf-8")


DAMAGE = {
    "one bit": flip_a_bit,
    "images cut short": lambda entry: os.truncate(entry / "images.bin", 6400),
    "no images": take_away("images.bin"),
    "no labels": take_away("labels.bin"),
    "labels changed": write_over("labels.bin", "x"),
    "no table.json": take_away("table.json"),
    "table.json empty": write_over("table.json", ""),
    "table.json cut short": write_over("table.json", '{"source": "/ho'),
    "table.json a list": write_over("table.json", "[]"),
    "table.json of lists": write_over("table.json", '{"checksums": []}'),
    "a key lost": lose_key,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_told_and_made_anew(
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
    before = state(KEPT)
    assert_equal(read(), expected)
    assert len(caplog.records) == 1
    assert state(KEPT) == before


def test_a_damaged_entry_can_be_seen_and_cleared() -> None:
    read()
    write_over("table.json", "[]")(only_entry())
    ((source, size),) = entries(KEPT)
    assert source == "(unfinished)"
    assert clear(KEPT) == size


def test_a_process_killed_while_it_writes_leaves_nothing_that_is_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = start(STUCK_READ)
    patience = time.monotonic() + 30
    while not any(path.stat().st_size for path in KEPT.glob("*/*/images.bin")):
        assert process.poll() is None
        assert time.monotonic() < patience
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    ((source, size),) = entries(KEPT)
    assert source == "(unfinished)"
    assert 0 < size < 300 * 64
    assert_equal(read(), read(cache="none"))
    assert [Path(source).name for source, _ in entries(KEPT)] == ["digits.csv", "(unfinished)"]
    assert not caplog.records


@pytest.mark.parametrize(("processes", "damaged"), [(2, False), (4, False), (4, True)])
def test_processes_that_start_together_agree(processes: int, damaged: bool) -> None:
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
        out, complaints = reader.communicate(timeout=60)
        assert reader.returncode == 0, complaints
        assert out.strip() == expected
        assert damaged or not complaints
    assert [Path(source).name for source, _ in entries(KEPT)] == ["digits.csv"]


@pytest.mark.parametrize("folder", ["digits.csv/cache", "digits.csv", "/proc/csvision"])
def test_without_a_place_to_write_the_table_is_kept_in_memory(
    folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert_equal(read(cache=folder), read(cache="none"))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"{folder}: no cache can be kept there")
    assert "\n" not in record.getMessage()


def test_on_a_full_disk_the_table_is_kept_in_memory() -> None:
    process = start(FULL_DISK + READ)
    out, complaints = process.communicate("\n", timeout=60)
    assert process.returncode == 0, complaints
    assert out.split() == ["ready", digest(read(cache="none"))]
    (complaint,) = complaints.splitlines()
    assert complaint.startswith("kept: no cache can be kept there")
    assert entries(KEPT) == []
    assert list(KEPT.iterdir()) == []


def test_a_faulty_file_leaves_nothing_behind() -> None:
    Path("own.csv").write_text("label,a\n0,1\n1,300\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(DataError, match="line 3, column a: '300' is outside 0 to 255"):
            read("own.csv")
        assert list(KEPT.iterdir()) == []


def test_a_file_that_is_written_while_it_is_read_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = Path("own.csv")
    path.write_text("label,a\n0,1\n1,2\n", encoding="utf-8")

    def written_meanwhile(*arguments: Any) -> Any:
        yield from read_blocks(*arguments)
        with path.open("a", encoding="utf-8") as file:
            file.write("1,3\n")

    with monkeypatch.context() as patch:
        patch.setattr("csvision.data.parsed.read_blocks", written_meanwhile)
        for cache in ("kept", "none"):
            with pytest.raises(DataError, match=r"own\.csv changed while it was read"):
                read("own.csv", cache=cache)
    assert list(KEPT.iterdir()) == []
    assert read("own.csv").images.ravel().tolist() == [1, 2, 3, 3]


def test_a_table_knows_the_hash_of_its_file(digits_csv: Path) -> None:
    expected = hashlib.sha256(digits_csv.read_bytes()).hexdigest()
    assert [read().sha256, read().sha256, read(cache="none").sha256] == [expected] * 3


def test_entries_tell_sources_and_sizes_and_clear_takes_them_away() -> None:
    assert entries(KEPT) == []
    assert clear(KEPT) == 0
    Path("own.csv").write_text("label,a\n0,1\n1,2\n", encoding="utf-8")
    read()
    read("own.csv")
    found = dict(entries(KEPT))
    assert found.keys() == {str(Path(name).resolve()) for name in ("digits.csv", "own.csv")}
    assert found[str(Path("digits.csv").resolve())] > 300 * (64 + 8 + 8)
    assert clear(KEPT) == sum(found.values())
    assert entries(KEPT) == []
    assert_equal(read(), read(cache="none"))


def test_clear_takes_nothing_away_that_is_not_of_the_cache() -> None:
    read()
    (KEPT / "thesis").mkdir()
    (KEPT / "thesis" / "chapter.txt").write_text("years of work", encoding="utf-8")
    (KEPT / "notes.txt").write_text("more of it", encoding="utf-8")
    assert [Path(source).name for source, _ in entries(KEPT)] == ["digits.csv"]
    clear(KEPT)
    assert sorted(path.name for path in KEPT.rglob("*")) == ["chapter.txt", "notes.txt", "thesis"]


def test_without_a_cache_nothing_is_written(cache_folder: Path) -> None:
    read(cache="none")
    assert list(cache_folder.iterdir()) == []
    assert not Path("none").exists()

"""The command that shows the cache of parsed tables and clears it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from csvision.data.cache import default_folder
from csvision.data.table import read_table

SCRIPT = Path(__file__).parents[2] / "scripts" / "cache.py"


def run_script(*arguments: str) -> list[str]:
    """The lines that the command prints."""
    finished = subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not finished.stderr
    return finished.stdout.splitlines()


def test_entries_are_shown_and_cleared(digits_csv: Path) -> None:
    read_table(str(digits_csv))
    entry, total = run_script()
    assert entry.split() == ["0.0", "MB", str(digits_csv.resolve())]
    assert total.strip() == f"0.0 MB in 1 entries of {default_folder()}"
    assert run_script("--clear") == [f"0.0 MB freed in {default_folder()}"]
    assert list(default_folder().iterdir()) == []


@pytest.mark.usefixtures("digits_csv")
def test_another_folder_can_be_shown_and_only_the_cache_in_it_is_cleared() -> None:
    Path("other").mkdir()
    Path("other/notes.txt").write_text("keep me", encoding="utf-8")
    Path("other/figures").mkdir()
    read_table("digits.csv", cache="other")
    (Path("other") / "unfinished-abc").mkdir()
    (Path("other") / "unfinished-abc" / "images.bin").write_bytes(bytes(2_000_000))
    shown = run_script("--folder", "other")
    assert [line.split()[-1] for line in shown[:2]] == [
        str(Path("digits.csv").resolve()),
        "(unfinished)",
    ]
    assert shown[2].strip() == "2.0 MB in 2 entries of other"
    assert run_script("--clear", "--folder", "other") == ["2.0 MB freed in other"]
    assert sorted(path.name for path in Path("other").iterdir()) == ["figures", "notes.txt"]

"""sweep.json: what is written is read again, and anything else is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from csvision.config.compose import load_config
from csvision.errors import RunError
from csvision.run.sweep_record import (
    RecordedJob,
    SweepCommand,
    has_record,
    read_command,
    read_record,
    write_record,
)

COMMAND = SweepCommand(["model=mlp", "seed=0,1"], "/somewhere")


@pytest.fixture
def jobs() -> list[RecordedJob]:
    """Return the jobs of a sweep over two seeds."""
    overrides = [["model=mlp", f"seed={seed}"] for seed in (0, 1)]
    return [
        RecordedJob(f"{number}_mlp", words, load_config("train", words))
        for number, words in enumerate(overrides)
    ]


def test_record_is_read_as_it_was_written(jobs: list[RecordedJob], tmp_path: Path) -> None:
    assert not has_record(tmp_path)
    write_record(tmp_path, jobs, COMMAND)
    assert has_record(tmp_path)
    assert read_record(tmp_path) == jobs


def test_paths_of_data_files_are_absolute(tmp_path: Path) -> None:
    words = ["data=csv", "data.csv=digits.csv"]
    write_record(tmp_path, [RecordedJob("0", words, load_config("train", words))], COMMAND)
    (job,) = read_record(tmp_path)
    assert job.config.data.csv == str(tmp_path / "digits.csv")


CHANGES: dict[str, tuple[str, Any]] = {
    "absolute directory": ("directory", "/tmp/x"),
    "directory above": ("directory", "a/../../x"),
    "the sweep itself": ("directory", "."),
    "directory is a number": ("directory", 5),
    "overrides are a string": ("overrides", "seed=1"),
    "overrides have a number": ("overrides", [1]),
    "config is null": ("config", None),
    "config is empty": ("config", {}),
    "config names code": ("config", {"_target_": "os.system"}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("key", "value"), CHANGES.values(), ids=CHANGES.keys())
def test_changed_entry_is_refused(
    key: str, value: Any, jobs: list[RecordedJob], tmp_path: Path
) -> None:
    write_record(tmp_path, jobs, COMMAND)
    content = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    content["jobs"][1][key] = value
    (tmp_path / "sweep.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=r"sweep\.json is damaged: ") as caught:
        read_record(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"jobs": 5}', '{"jobs": [5]}', "[" * 10**5])
def test_damaged_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=r"sweep\.json is damaged: .*one by one"):
        read_record(tmp_path)


@pytest.mark.slow
def test_command_is_read_as_it_was_written(jobs: list[RecordedJob], tmp_path: Path) -> None:
    write_record(tmp_path, jobs, COMMAND)
    assert read_command(tmp_path) == COMMAND


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (None, "earlier version"),
        ([], "damaged"),
        ({"arguments": ["a=1"]}, "damaged"),
        ({"arguments": [1], "cwd": "/"}, "damaged"),
        ({"arguments": ["a=1"], "cwd": 3}, "damaged"),
    ],
)
def test_damaged_command_is_refused(command: Any, reason: str, tmp_path: Path) -> None:
    content = json.dumps({"command": command, "jobs": []})
    (tmp_path / "sweep.json").write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match=f"{reason}, so no job can be added; start a new sweep"):
        read_command(tmp_path)

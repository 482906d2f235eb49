"""run.json: whatever is in it, it is read, or one line says which entry is wrong."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import csvision
from csvision.errors import RunError
from csvision.files import write_json
from csvision.run.directory import RunDirectory
from csvision.run.manifest import CHECKS, read_manifest
from csvision.run.manifest import OPTIONAL as OPTIONAL_DATA

Content = dict[str, Any]

INVALID_ENTRIES: dict[str, list[Any]] = {
    "state": [None, "done", 3, []],
    "started": [None, 5],
    "resumed": ["now", [3]],
    "overrides": [None, "seed=1", [1], {}],
    "config": [None, [], "cnn", 3],
    "data": [None, [], "digits", 3],
    "data.image_shape": [None, [], [1, 8], [1, -8, 8], [1, 8.0, 8], ["1", 8, 8], [1, 8, 10**9]],
    "data.label_values": [None, [], [0, 0], [0, "1"], [0.5], [True, False], {"0": 1}],
    "data.classes": [None, 10, "ten", [0, 1], ["0"], ["0"] * 10**5],
    "data.pixel_range": [None, [], 255, [0], [1, 0], [0, "255"], [0, 10**40]],
    "data.label_column": [0, ["label"]],
    "data.pixel_columns": ["pixel0", [0]],
    "data.notices": [None, "read", [1]],
    "data.rows": [None, {}, {"train": 1}, {"train": -1, "val": 0, "test": 0}],
    "data.sha256": [None, "", "0" * 63, "G" * 64, 0],
    "data.split_sha256": [None, "0"],
    "code": [None, [], {"file": "0"}],
    "git": ["HEAD", 3],
    "versions": [None, {"torch": 2}],
    "machine": [None, "here"],
    "accelerator": [None, [], "gpu", ["cpu"]],
    "threads": [None, 0, -1, True, 2.0, "2", 10**5, 2**31],
    "weights_sha256": [None, "", "x" * 64],
    "predictions_sha256": [None, 3],
}

CASES = [(name, value) for name, values in INVALID_ENTRIES.items() for value in values]


def set_entry(content: Content, name: str, value: Any) -> None:
    """Replace an entry, given as `NAME` or `data.NAME`."""
    entry = content["data"] if name.startswith("data.") else content
    entry[name.removeprefix("data.")] = value


@pytest.mark.parametrize(("name", "value"), CASES)
def test_invalid_entry_is_named(name: str, value: Any, small_run: RunDirectory) -> None:
    content = small_run.read_manifest()
    set_entry(content, name, value)
    write_json(small_run.manifest, content)
    for command in (csvision.evaluate, csvision.load, csvision.resume, csvision.reproduce):
        with pytest.raises(RunError) as raised:
            command(small_run.path)
        (message,) = raised.value.messages
        assert str(small_run.manifest) in message
        assert name in message
        assert len(message) < 500


@pytest.mark.slow
def test_run_without_the_entries_of_later_versions_is_evaluated(small_run: RunDirectory) -> None:
    expected = csvision.evaluate(small_run.path, "quiet=true").metrics
    content = small_run.read_manifest()
    for name in OPTIONAL_DATA:
        entry = content["data"] if name.startswith("data.") else content
        entry.pop(name.removeprefix("data."))
    write_json(small_run.manifest, content)
    assert csvision.evaluate(small_run.path, "quiet=true").metrics == expected


@pytest.mark.parametrize("name", [name for name in CHECKS if name not in ("started", "ended")])
def test_entry_that_is_missing_in_a_finished_run_is_named(
    name: str, small_run: RunDirectory
) -> None:
    content = small_run.read_manifest()
    entry = content["data"] if name.startswith("data.") else content
    if entry.pop(name.removeprefix("data."), None) is None or name in OPTIONAL:
        return
    write_json(small_run.manifest, content)
    with pytest.raises(RunError, match=f"the entry {name} is missing"):
        csvision.evaluate(small_run.path)


OPTIONAL = ("resumed", "overrides", "git", "machine", *OPTIONAL_DATA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "3",
        "\0" * 100,
        "[" * 100_000,
        '{"state":' * 50_000,
        "9" * 10_000,
        '{"state": NaN}',
        "\udcff",
    ],
    ids=lambda text: ascii(text)[:12],
)
def test_text_that_is_no_manifest_is_reported(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RunError, match=r"run\.json is damaged"):
        read_manifest(path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every entry in nested dicts and lists."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, child in children:
        found.append((*path, key))
        if isinstance(child, dict | list):
            found += paths_of(child, (*path, key))
    return found


def change_entry(content: Content, path: tuple[Any, ...], value: Any) -> Content:
    """Return a copy in which one entry is replaced."""
    changed = copy.deepcopy(content)
    entry: Any = changed
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = value
    return changed


def read_or_error(run: RunDirectory) -> RunError | None:
    """Read the configuration of a run; return the error if it is refused."""
    try:
        run.read_config()
    except RunError as error:
        return error
    return None


@pytest.mark.slow
@given(data=st.data())
@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_changed_entry_is_read_or_refused_in_one_line(
    data: st.DataObject, small_run_result: csvision.TrainResult, tmp_path: Path
) -> None:
    content = RunDirectory(small_run_result.directory).read_manifest()
    path = data.draw(st.sampled_from(paths_of(content)))
    run = RunDirectory(tmp_path)
    changed = change_entry(content, path, data.draw(VALUES))
    run.manifest.write_text(json.dumps(changed), encoding="utf-8")
    error = read_or_error(run)
    assert error is None or not any("\n" in message for message in error.messages)

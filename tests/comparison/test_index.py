"""The index of runs: derived data only, read again when something has changed."""

import json
from pathlib import Path

import pytest

from csvision.comparison import index
from csvision.comparison.index import INDEX, RunIndex
from csvision.comparison.record import RunRecord, read_run
from csvision.comparison.sources import read_source
from tests.comparison.made_up_runs import accuracies, write_run, write_sweep


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "sweep", accuracies(mlp=(0.7, 0.71), cnn=(0.8, 0.81)))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs whose files are read."""
    names: list[str] = []

    def read(folder: Path, base: dict[str, object]) -> RunRecord:
        names.append(folder.name)
        return read_run(folder, base)

    monkeypatch.setattr(index, "read_run", read)
    return names


def test_unchanged_runs_are_not_read_again(sweep: Path, reads: list[str]) -> None:
    first = read_source(sweep).records
    assert len(reads) == 4
    assert read_source(sweep).records == first
    assert len(reads) == 4


def test_changed_and_new_runs_are_read(sweep: Path, reads: list[str]) -> None:
    read_source(sweep)
    reads.clear()
    changed = sweep / "1_model=mlp_seed=1"
    (changed / "metrics.json").write_text('{"val/acc": 0.5}', encoding="utf-8")
    content = json.loads((changed / "run.json").read_text(encoding="utf-8"))
    (changed / "run.json").write_text(json.dumps(content | {"reason": "x"}), encoding="utf-8")
    records = read_source(sweep).records
    assert reads == [changed.name]
    assert records[1].metrics == {"val/acc": 0.5}
    assert read_source(sweep).records == records


def test_removed_run_is_not_listed(sweep: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for seed in (0, 1):
        write_run(runs / f"run{seed}", [f"seed={seed}"], val__acc=0.5)
    assert len(read_source(runs).records) == 2
    (runs / "run0" / "run.json").unlink()
    assert [Path(each.directory).name for each in read_source(runs).records] == ["run1"]


@pytest.mark.parametrize("damage", ["", "{", "[]\n[]\n", '{"version": 99, "base": {}}\n', "\0\xff"])
def test_damaged_index_is_made_again(damage: str, sweep: Path) -> None:
    expected = read_source(sweep).records
    (sweep / INDEX).write_text(damage, encoding="latin-1")
    assert read_source(sweep).records == expected
    assert len(RunIndex(sweep).entries) == 4


def test_damaged_line_affects_its_run_only(sweep: Path, reads: list[str]) -> None:
    expected = read_source(sweep).records
    lines = (sweep / INDEX).read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2][:50]
    (sweep / INDEX).write_text("\n".join(lines), encoding="utf-8")
    reads.clear()
    assert read_source(sweep).records == expected
    assert len(reads) == 1


def test_index_that_cannot_be_written_is_not_needed(sweep: Path) -> None:
    expected = read_source(sweep).records
    (sweep / INDEX).unlink()
    (sweep / INDEX).mkdir()
    assert read_source(sweep).records == expected


def test_index_does_not_follow_links_out_of_the_folder(sweep: Path, tmp_path: Path) -> None:
    read_source(sweep)
    other = tmp_path / "other.jsonl"
    (sweep / INDEX).rename(other)
    (sweep / INDEX).symlink_to(other)
    before = other.read_bytes()
    (sweep / "0_model=mlp_seed=0" / "run.json").write_text("{}", encoding="utf-8")
    assert read_source(sweep).records[0].state == "damaged"
    assert other.read_bytes() == before


def test_jobs_outside_of_the_sweep_are_ignored(sweep: Path) -> None:
    record = {"jobs": [{"directory": "../x", "overrides": []}]}
    (sweep / "sweep.json").write_text(json.dumps(record), encoding="utf-8")
    assert len(read_source(sweep).records) == 4


def test_configurations_share_what_is_equal(sweep: Path) -> None:
    records = read_source(sweep).records
    assert len({id(record.base) for record in records}) == 1
    assert records[1].changes.keys() == {"seed"}
    assert records[2].get("model.name") == "cnn"
    assert records[2].get("nothing") is None

"""Which jobs of a sweep are damaged, and where they are moved."""

from collections.abc import Callable
from pathlib import Path

import pytest

from csvision.errors import RunError
from csvision.run.damaged_jobs import find_damage, set_aside
from csvision.run.directory import RunDirectory

Damage = Callable[[RunDirectory], None]

TORN = b"PK\x03\x04"


def tear(*names: str) -> Damage:
    """Return a function that overwrites files of a run by the start of an archive."""

    def damage(run_dir: RunDirectory) -> None:
        for name in names:
            (run_dir.path / name).write_bytes(TORN)

    return damage


def remove(*names: str) -> Damage:
    """Return a function that removes files of a run."""

    def damage(run_dir: RunDirectory) -> None:
        for name in names:
            (run_dir.path / name).unlink()

    return damage


LAST, PREVIOUS, BEST = (f"checkpoints/{name}.ckpt" for name in ("last", "previous", "best"))


def test_sound_runs_and_missing_ones_have_no_damage(
    small_run: RunDirectory, interrupted_run: RunDirectory, tmp_path: Path
) -> None:
    (tmp_path / "composed/.hydra").mkdir(parents=True)
    for name in ("composed", "nothing"):
        assert find_damage(RunDirectory(tmp_path / name)) == ""
    assert find_damage(small_run) == ""
    assert find_damage(interrupted_run) == ""


@pytest.mark.parametrize(
    ("damage", "file"),
    [
        (tear("run.json"), "run.json"),
        (remove("run.json"), "run.json"),
        (tear(LAST, PREVIOUS), "last.ckpt"),
        (tear(BEST), "best.ckpt"),
        (tear("splits.npz"), "splits.npz"),
    ],
)
def test_damage_of_an_interrupted_run_is_found(
    damage: Damage, file: str, interrupted_run: RunDirectory
) -> None:
    damage(interrupted_run)
    found = find_damage(interrupted_run)
    assert str(interrupted_run.path) in found
    assert file in found


@pytest.mark.parametrize("damage", [tear(LAST), tear(PREVIOUS), remove(LAST, PREVIOUS)])
def test_interrupted_run_that_can_be_resumed_is_not_damaged(
    damage: Damage, interrupted_run: RunDirectory
) -> None:
    damage(interrupted_run)
    assert find_damage(interrupted_run) == ""


@pytest.mark.parametrize(
    ("damage", "file"),
    [
        (tear("run.json"), "run.json"),
        (remove("metrics.json"), "metrics.json"),
        (tear("metrics.json"), "metrics.json"),
        (tear(LAST), "last.ckpt"),
    ],
)
def test_damage_of_a_finished_run_is_found(
    damage: Damage, file: str, small_run: RunDirectory
) -> None:
    damage(small_run)
    assert file in find_damage(small_run)


@pytest.mark.parametrize("damage", [remove(LAST), tear(PREVIOUS), tear(BEST)])
def test_finished_run_needs_only_its_tested_checkpoint(
    damage: Damage, small_run: RunDirectory
) -> None:
    damage(small_run)
    assert find_damage(small_run) == ""


def test_each_damaged_job_gets_a_new_place(tmp_path: Path) -> None:
    places = []
    for content in ("first", "second", "third"):
        job = tmp_path / "0_mlp"
        job.mkdir()
        (job / "file").write_text(content, encoding="utf-8")
        places.append(set_aside(tmp_path, RunDirectory(job)))
        assert not job.exists()
    assert places == [tmp_path / "damaged" / name for name in ("0_mlp", "0_mlp.2", "0_mlp.3")]
    assert [(place / "file").read_text(encoding="utf-8") for place in places] == [
        "first",
        "second",
        "third",
    ]


def test_job_that_is_running_is_not_moved(small_run: RunDirectory) -> None:
    with small_run.lock(), pytest.raises(RunError, match="running in another process"):
        set_aside(small_run.path.parent, small_run)
    assert small_run.manifest.exists()

"""Jobs are kept under all that their results depend on, and on nothing else."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from csvision.claims import jobs
from csvision.claims.arms import Arm, jobs_of
from csvision.claims.jobs import Done, Job, Store, code_hash, imported, perform, text_hash
from csvision.claims.measuring import looks, offsets
from csvision.claims.notes import b12_invariance, b15_location

SOURCE = '''"""A claim."""

MARGIN = 3


def job(x):
    """Compute."""
    # A comment.
    return x + MARGIN


def measure(bench):
    return bench.run([job])


CLAIM = "A wording"
'''


def double(value: int) -> dict[str, int]:
    return {"twice": 2 * value}


class TestCodeHash:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("A wording", "Another wording"),
            ("A claim", "Another claim"),
            ('"""Compute."""', '"""Compute it."""'),
            ("    # A comment.\n", ""),
            ("x + MARGIN", "(x  +  MARGIN)"),
            ("bench.run([job])", "bench.run([job], alone=True)"),
        ],
    )
    def test_wording_and_layout_do_not_matter(self, before: str, after: str) -> None:
        assert before in SOURCE
        assert text_hash(SOURCE.replace(before, after)) == text_hash(SOURCE)

    @pytest.mark.parametrize(
        ("before", "after"),
        [("MARGIN = 3", "MARGIN = 4"), ("x + MARGIN", "x - MARGIN"), ("def job(x)", "def job(y)")],
    )
    def test_what_a_job_computes_matters(self, before: str, after: str) -> None:
        assert before in SOURCE
        assert text_hash(SOURCE.replace(before, after)) != text_hash(SOURCE)

    def test_what_a_file_measures_with_matters_for_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = Path(b15_location.__file__ or "").read_text(encoding="utf-8")
        assert imported(text) == {offsets.__name__}
        assert imported(Path(offsets.__file__ or "").read_text()) == {looks.__name__}
        before = code_hash(b15_location)
        original = jobs.text_hash
        monkeypatch.setattr(
            jobs, "text_hash", lambda text: "new" if "def predicted" in text else original(text)
        )
        code_hash.cache_clear()
        after = code_hash(b15_location)
        code_hash.cache_clear()
        assert after != before


class TestKey:
    def test_arguments_decide(self) -> None:
        assert Job(double, {"value": 1}).key == Job(double, {"value": 1}).key
        assert Job(double, {"value": 1}).key != Job(double, {"value": 2}).key
        assert Job(double, {"value": 1}).key != Job(perform, {"value": 1}).key

    def test_the_recorded_losses_decide(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = Job(double, {"value": 1}).key
        for text in ("[1]", "[2]"):
            (tmp_path / "losses.json").write_text(text)
            monkeypatch.setattr(jobs, "GOLDEN", tmp_path / "losses.json")
            jobs.training_code.cache_clear()
            after = Job(double, {"value": 1}).key
            assert after != before
            before = after
        monkeypatch.setattr(jobs, "GOLDEN", tmp_path / "none.json")
        jobs.training_code.cache_clear()
        # An installed csvision has its version alone.
        assert jobs.training_code() == version("csvision")
        jobs.training_code.cache_clear()

    def test_an_arm_is_known_by_configuration_seed_and_look(self, digits_csv: Path) -> None:
        arm = Arm("mlp", ("model=mlp", "data=csv", f"data.csv={digits_csv}"))
        (job,) = jobs_of(arm, [0], None)
        same = jobs_of(Arm("another name", ("seed=9", *arm.overrides)), [0], None)[0]
        assert job.key == same.key
        others = [
            jobs_of(arm, [1], None)[0],
            jobs_of(arm.but("optimizer.lr=0.1"), [0], None)[0],
            jobs_of(arm, [0], b12_invariance.agreement)[0],
        ]
        assert len({job.key, *(other.key for other in others)}) == 4

    def test_an_arm_is_known_by_the_content_of_its_data(self, digits_csv: Path) -> None:
        arm = Arm("mlp", ("model=mlp", "data=csv", f"data.csv={digits_csv}"))
        before = jobs_of(arm, [0], None)[0].key
        text = digits_csv.read_text()
        digits_csv.write_text(text.replace("0", "1", 1))
        assert jobs_of(arm, [0], None)[0].key != before


class TestStore:
    def test_gives_back_what_was_put(self, tmp_path: Path) -> None:
        store, job = Store(tmp_path / "jobs"), Job(double, {"value": 3})
        assert store.get(job) is None
        done = perform(job)
        assert done.result == {"twice": 6}
        store.put(job, done)
        assert store.get(job) == done
        assert store.get(Job(double, {"value": 4})) is None

    @pytest.mark.parametrize("text", ["", "{", '{"result": 1}', "[]", '{"other": 1}'])
    def test_takes_a_damaged_file_for_none(self, text: str, tmp_path: Path) -> None:
        store, job = Store(tmp_path), Job(double, {"value": 3})
        store.path(job).write_text(text)
        assert store.get(job) is None
        store.put(job, Done(1, 0.5, "today"))
        assert json.loads(store.path(job).read_text())["result"] == 1


def test_a_job_computes_on_one_thread_and_leaves_the_callers_number() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert perform(Job(torch.get_num_threads, {})).result == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def pair() -> tuple[int, int]:
    return 1, 2


def test_a_result_is_at_once_what_it_will_be_when_it_is_read_again(tmp_path: Path) -> None:
    store, job = Store(tmp_path), Job(pair, {})
    done = perform(job)
    store.put(job, done)
    assert store.get(job) == done
    assert done.result == [1, 2]

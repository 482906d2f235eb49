"""Job results are cached by everything that they depend on, and by nothing else."""

import json
from pathlib import Path

import pytest
import torch

from csvision import RunError
from csvision_claims.course_notes import b12_invariance
from csvision_claims.engine.arms import Arm, training_jobs
from csvision_claims.engine.jobs import Job, JobCache, JobResult, run_job


def double(value: int) -> dict[str, int]:
    return {"twice": 2 * value}


def key(job: Job, claim: str = "C1", version: int = 1) -> str:
    return job.key(claim, version)


class TestKey:
    def test_depends_on_function_and_arguments(self) -> None:
        assert key(Job(double, {"value": 1})) == key(Job(double, {"value": 1}))
        assert key(Job(double, {"value": 1})) != key(Job(double, {"value": 2}))
        assert key(Job(double, {"value": 1})) != key(Job(run_job, {"value": 1}))

    def test_depends_on_claim_and_version(self) -> None:
        job = Job(double, {"value": 1})
        keys = {key(job, claim, version) for claim in ("C1", "C11", "C2") for version in (1, 2)}
        assert len(keys) == 6

    @pytest.mark.slow
    def test_arm_is_identified_by_configuration_seed_and_probe(self, digits_csv: Path) -> None:
        arm = Arm("mlp", ("model=mlp", "data=csv", f"data.csv={digits_csv}"))
        (job,) = training_jobs(arm, [0], None)
        same = training_jobs(Arm("another name", ("seed=9", *arm.overrides)), [0], None)[0]
        assert key(job) == key(same)
        others = [
            training_jobs(arm, [1], None)[0],
            training_jobs(arm.override("optimizer.lr=0.1"), [0], None)[0],
            training_jobs(arm, [0], b12_invariance.shift_agreement)[0],
        ]
        assert len({key(job), *map(key, others)}) == 4

    def test_arm_is_identified_by_content_of_its_data(self, digits_csv: Path) -> None:
        arm = Arm("mlp", ("model=mlp", "data=csv", f"data.csv={digits_csv}"))
        before = key(training_jobs(arm, [0], None)[0])
        text = digits_csv.read_text()
        digits_csv.write_text(text.replace("0", "1", 1))
        assert key(training_jobs(arm, [0], None)[0]) != before


class TestJobCache:
    def test_returns_what_was_put(self, tmp_path: Path) -> None:
        cache, job = JobCache(tmp_path / "jobs"), Job(double, {"value": 3})
        assert cache.get(key(job)) is None
        result = run_job(job)
        assert result.result == {"twice": 6}
        cache.put(key(job), result)
        assert cache.get(key(job)) == result
        assert cache.get(key(Job(double, {"value": 4}))) is None

    @pytest.mark.parametrize("text", ["", "{", '{"result": 1}', "[]", '{"other": 1}'])
    def test_damaged_file_counts_as_missing(self, text: str, tmp_path: Path) -> None:
        cache, name = JobCache(tmp_path), key(Job(double, {"value": 3}))
        cache.path(name).write_text(text)
        assert cache.get(name) is None
        cache.put(name, JobResult(1, 0.5, "today"))
        assert json.loads(cache.path(name).read_text())["result"] == 1

    def test_unwritable_folder_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(RunError, match="output_dir"):
            JobCache(tmp_path / "file" / "jobs").put("key", JobResult(1, 0.5, "today"))


def test_job_runs_on_one_thread_and_restores_the_number() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert run_job(Job(torch.get_num_threads, {})).result == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def pair() -> tuple[int, int]:
    return 1, 2


def test_new_result_equals_the_cached_one(tmp_path: Path) -> None:
    cache, name = JobCache(tmp_path), key(Job(pair, {}))
    result = run_job(Job(pair, {}))
    cache.put(name, result)
    assert cache.get(name) == result
    assert result.result == [1, 2]

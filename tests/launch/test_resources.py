"""How many jobs run at the same time, and with how many threads."""

import pytest

import csvision
from csvision.config import schema
from csvision.config.launcher_schema import LocalLauncherConfig
from csvision.launch import resources
from csvision.launch.resources import LocalPlan, plan_workers, with_job_threads


@pytest.fixture(autouse=True)
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "cpu_count", lambda: 8)
    monkeypatch.setattr(resources, "visible_gpus", lambda: [])
    monkeypatch.setattr(resources, "uses_mps", lambda configs: False)


def configs(count: int, *overrides: str) -> list[schema.TrainConfig]:
    return [csvision.load_config("train", overrides)] * count


def plan(count: int, *overrides: str) -> LocalPlan:
    jobs = configs(count, *overrides)
    launcher = jobs[0].launcher
    assert isinstance(launcher, LocalLauncherConfig)
    return plan_workers(launcher, jobs)


@pytest.mark.parametrize(
    ("count", "overrides", "workers", "threads"),
    [
        (100, (), 8, 1),
        (3, (), 3, 1),
        (100, ("launcher.n_jobs=5",), 5, 1),
        (100, ("launcher.n_jobs=12",), 12, 1),
        (100, ("accelerator.num_threads=2",), 4, 1),
        (100, ("accelerator.num_threads=16",), 1, 1),
    ],
)
def test_jobs_on_the_cpu_share_the_processors(
    count: int, overrides: tuple[str, ...], workers: int, threads: int
) -> None:
    assert plan(count, *overrides) == LocalPlan(workers, threads)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ((), LocalPlan(2, 4, ("0", "1"))),
        (("launcher.jobs_per_gpu=2",), LocalPlan(4, 2, ("0", "1"))),
        (("launcher.devices=[1]",), LocalPlan(1, 8, ("1",))),
        (("accelerator=cpu",), LocalPlan(8, 1)),
        (("accelerator=cpu", "launcher.devices=[a,b]"), LocalPlan(2, 4, ("a", "b"))),
    ],
)
def test_jobs_on_gpus_have_one_each(
    overrides: tuple[str, ...], expected: LocalPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "visible_gpus", lambda: ["0", "1"])
    assert plan(100, *overrides) == expected


@pytest.mark.parametrize(
    ("overrides", "threads"),
    [
        (("launcher=local",), 1),
        (("launcher=local", "accelerator.num_threads=3"), 3),
        (("launcher=serial",), None),
        (("launcher=slurm", "launcher.cpus_per_job=4"), 4),
        (("launcher=ray",), 1),
    ],
)
def test_new_jobs_get_the_threads_of_their_launcher(
    overrides: tuple[str, ...], threads: int | None
) -> None:
    jobs = configs(2, *overrides)
    found = with_job_threads(jobs, jobs[0].launcher)
    assert [config.accelerator.num_threads for config in found] == [threads] * 2

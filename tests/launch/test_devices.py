"""GPUs are lent to a limited number of processes; the devices are names, so no GPU is needed."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from csvision.launch import devices
from csvision.launch.devices import LEASES, acquire_lock, lease_gpu, visible_gpus
from csvision.launch.pool import WorkerPool


@pytest.fixture(autouse=True)
def no_lease(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give this process no GPU, and release the one that a test takes."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "all")
    yield
    while LEASES:
        LEASES.pop().release()


def hold_gpu(names: list[str], jobs_per_gpu: int, folder: Path, seconds: float) -> str:
    """Take a GPU and keep it for some time; return its name."""
    name = lease_gpu(names, jobs_per_gpu, folder)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == name
    time.sleep(seconds)
    return name


@pytest.mark.slow
@pytest.mark.parametrize(("jobs_per_gpu", "each"), [(1, 1), (2, 2)])
def test_each_gpu_is_lent_to_as_many_processes_as_allowed(
    jobs_per_gpu: int, each: int, tmp_path: Path
) -> None:
    names = ["0", "MIG-a/b"]
    with WorkerPool(2 * each) as pool:
        for _ in range(2 * each):
            pool.submit(hold_gpu, names, jobs_per_gpu, tmp_path, 1.0)
        found = [result.value for result in pool.results()]
    assert sorted(found) == sorted(names * each)


def test_gpu_of_a_process_that_was_killed_is_free_again(tmp_path: Path) -> None:
    with WorkerPool(1) as pool:
        pool.submit(hold_gpu, ["0"], 1, tmp_path, 0.0)
        assert [result.value for result in pool.results()] == ["0"]
        pool.submit(os.abort)
        assert len([*pool.results()]) == 1
        pool.submit(hold_gpu, ["0"], 1, tmp_path, 0.0)
        assert [result.value for result in pool.results()] == ["0"]


def test_process_waits_until_a_gpu_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = acquire_lock(["0"], 1, tmp_path)
    waits: list[float] = []

    def release(seconds: float) -> None:
        waits.append(seconds)
        held.release()

    monkeypatch.setattr("csvision.launch.devices.time.sleep", release)
    assert lease_gpu(["0"], 1, tmp_path) == "0"
    assert len(waits) == 1


def test_process_keeps_its_gpu(tmp_path: Path) -> None:
    assert lease_gpu(["a", "b"], 1, tmp_path) == "a"
    assert lease_gpu(["a", "b"], 1, tmp_path) == "a"
    assert len(LEASES) == 1


def test_machine_without_driver_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "DRIVER_FILES", ())
    assert visible_gpus() == []


def test_visible_gpus_are_those_of_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "may_have_gpu", lambda: True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert visible_gpus() == ["2", "5"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert visible_gpus() == ["0", "1", "2"]

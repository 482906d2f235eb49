"""How many processors other processes leave idle."""

import os
from types import SimpleNamespace

import psutil
import pytest

from csvision.run import processor_load
from csvision.run.processor_load import FirstTimes, idle_processors, start_load_measurement


class Machine:
    """Processors whose time passes in `sleep`, each busy with other processes or this one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *load: float, own: float = 0.0) -> None:
        self.load = load
        self.own = own
        self.seconds = 0.0
        self.busy = [0.0] * len(load)
        self.measurements = 0
        self.slept = 0.0
        monkeypatch.setattr(psutil, "cpu_times", self.cpu_times)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(len(load))}, raising=False)
        monkeypatch.setattr(os, "times", lambda: (self.own * self.seconds, 0.0, 0.0, 0.0, 0.0))
        monkeypatch.setattr(processor_load, "monotonic", lambda: self.seconds)
        monkeypatch.setattr(processor_load, "sleep", self.sleep)

    def cpu_times(self, percpu: bool) -> list[SimpleNamespace]:
        assert percpu
        self.measurements += 1
        return [SimpleNamespace(user=busy / 2, system=busy / 2) for busy in self.busy]

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.busy = [busy + seconds * load for busy, load in zip(self.busy, self.load, strict=True)]
        self.busy[0] += seconds * self.own


@pytest.fixture(autouse=True)
def _not_measured_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FirstTimes, "times", None)
    monkeypatch.setattr(processor_load, "idle_processors", idle_processors.__wrapped__)


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        ([0, 0, 0, 0], None),
        # Less than a tenth is background.
        ([0.2, 0.05, 0.05, 0.05], None),
        ([1, 0, 0, 0], 3),
        ([0.5, 0.5, 0.5, 0.5], 2),
        ([1, 1, 1, 1], 0),
        ([1, 1, 1, 1, 0, 0, 0, 0], 4),
    ],
)
def test_busy_processors_are_not_idle(
    load: list[float], expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Machine(monkeypatch, *load)
    assert processor_load.idle_processors() == expected


def test_this_process_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, 0, 1, own=1.0)
    assert processor_load.idle_processors() == 1


def test_measurement_from_the_start_of_the_process_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, 1, 0, own=0.8)
    start_load_measurement()
    machine.pass_time(3)
    assert processor_load.idle_processors() == 1
    assert machine.slept == 0


def test_too_short_a_measurement_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 1, 0)
    start_load_measurement()
    machine.pass_time(0.01)
    assert processor_load.idle_processors() == 1
    assert machine.slept > 0


def test_load_is_measured_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 1, 0)
    idle_processors.cache_clear()
    assert idle_processors() == 1
    measurements = machine.measurements
    # The load of other jobs of the sweep.
    machine.load = (1, 1)
    assert idle_processors() == 1
    assert machine.measurements == measurements
    idle_processors.cache_clear()


def test_only_the_processors_of_this_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, 1, 0, 1, 0, 0, 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert processor_load.idle_processors() == 1


def test_load_may_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(percpu: bool) -> None:
        raise PermissionError("/proc/stat")

    monkeypatch.setattr(psutil, "cpu_times", fail)
    start_load_measurement()
    assert processor_load.idle_processors() is None


def test_real_load() -> None:
    idle = processor_load.idle_processors()
    assert idle is None or 0 <= idle <= (os.cpu_count() or 1)

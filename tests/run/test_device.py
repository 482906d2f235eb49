"""The accelerators of this machine, and the number of CPU threads."""

import logging
import os
from collections.abc import Iterator

import psutil
import pytest
import torch

from csvision.config.schema import AcceleratorConfig, AcceleratorName
from csvision.errors import ConfigError
from csvision.run.device import (
    available_accelerators,
    choose_num_threads,
    idle_processors,
    limit_threads,
    torch_device,
    validate_accelerator,
)

MISSING = [name for name in ("gpu", "mps") if AcceleratorName(name) not in available_accelerators()]


def test_cpu_is_always_available() -> None:
    assert available_accelerators()[0] == "cpu"
    assert ("gpu" in available_accelerators()) is torch.cuda.is_available()
    validate_accelerator(AcceleratorName.cpu)
    assert torch_device(AcceleratorName.cpu) == torch.device("cpu")


def test_auto_is_the_best_available_accelerator() -> None:
    validate_accelerator(AcceleratorName.auto)
    assert torch_device(AcceleratorName.auto) == torch_device(available_accelerators()[-1])


def test_names_of_torch_devices() -> None:
    assert torch_device(AcceleratorName.gpu) == torch.device("cuda")
    assert torch_device(AcceleratorName.mps) == torch.device("mps")


@pytest.mark.parametrize("name", MISSING)
def test_missing_accelerator_lists_the_available_ones(name: str) -> None:
    available = ", ".join(available_accelerators())
    message = f"accelerator={name} is not available; this machine has {available}$"
    with pytest.raises(ConfigError, match=message):
        validate_accelerator(AcceleratorName(name))


class TestLimitThreads:
    def test_number_is_set_and_restored(self) -> None:
        before = torch.get_num_threads()
        with limit_threads(before + 1):
            assert torch.get_num_threads() == before + 1
        assert torch.get_num_threads() == before

    def test_none_keeps_the_number(self) -> None:
        before = torch.get_num_threads()
        with limit_threads(None):
            assert torch.get_num_threads() == before


def accelerator_of(num_threads: int | None, devices: int = 1) -> AcceleratorConfig:
    return AcceleratorConfig(AcceleratorName.cpu, devices, "32-true", num_threads)


class Machine:
    """Processors with a load in percent each; counts how often it is measured."""

    def __init__(self, *load: float) -> None:
        self.load = list(load)
        self.measurements = 0

    def cpu_percent(self, interval: float, percpu: bool) -> list[float]:
        assert interval > 0
        assert percpu
        self.measurements += 1
        return self.load


class TestChooseNumThreads:
    @pytest.fixture(autouse=True)
    def default_of_four_threads(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        idle_processors.cache_clear()
        with limit_threads(4):
            yield
        idle_processors.cache_clear()

    @pytest.fixture
    def start(self, monkeypatch: pytest.MonkeyPatch) -> "type[Machine]":
        """Return a class whose new object becomes the machine."""

        class StartedMachine(Machine):
            def __init__(self, *load: float) -> None:
                super().__init__(*load)
                monkeypatch.setattr(psutil, "cpu_percent", self.cpu_percent)
                monkeypatch.setattr(
                    os, "sched_getaffinity", lambda _: {*range(len(load))}, raising=False
                )

        return StartedMachine

    @pytest.mark.parametrize(
        ("load", "expected"),
        [
            ([0, 0, 0, 0], 4),
            # Less than a tenth is background.
            ([20, 5, 5, 5], 4),
            ([100, 0, 0, 0], 3),
            ([50, 50, 50, 50], 2),
            ([100, 100, 100, 100], 1),
            # Eight processors, but torch uses four threads.
            ([100, 100, 100, 100, 0, 0, 0, 0], 4),
            ([100, 100, 100, 100, 100, 0, 0, 0], 3),
        ],
    )
    def test_not_more_than_the_idle_processors(
        self, load: list[float], expected: int, start: type[Machine]
    ) -> None:
        start(*load)
        assert choose_num_threads(accelerator_of(None)) == expected

    def test_fewer_than_the_default_are_logged(
        self, start: type[Machine], caplog: pytest.LogCaptureFixture
    ) -> None:
        start(100, 100, 0, 0)
        with caplog.at_level(logging.INFO, "csvision"):
            choose_num_threads(accelerator_of(None))
        (message,) = caplog.messages
        assert message.startswith("accelerator.num_threads=2 instead of 4: ")

    def test_default_is_not_logged(
        self, start: type[Machine], caplog: pytest.LogCaptureFixture
    ) -> None:
        start(0, 0, 0, 0)
        with caplog.at_level(logging.INFO, "csvision"):
            choose_num_threads(accelerator_of(None))
        assert caplog.messages == []

    def test_load_is_measured_once_in_a_process(self, start: type[Machine]) -> None:
        machine = start(100, 0, 0, 0)
        assert choose_num_threads(accelerator_of(None)) == 3
        # The load of this process itself.
        machine.load = [100, 100, 100, 100]
        assert choose_num_threads(accelerator_of(None)) == 3
        assert machine.measurements == 1

    def test_number_of_the_user_is_kept(
        self, start: type[Machine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        machine = start(100, 100, 100, 100)
        assert choose_num_threads(accelerator_of(7)) == 7
        assert choose_num_threads(accelerator_of(None, devices=2)) == 4
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        assert choose_num_threads(accelerator_of(None)) == 4
        assert machine.measurements == 0

    def test_only_the_processors_of_this_process_count(
        self, start: type[Machine], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        start(100, 0, 100, 0, 0, 0)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
        assert choose_num_threads(accelerator_of(None)) == 1

    def test_default_is_kept_where_the_load_is_unknown(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(interval: float, percpu: bool) -> list[float]:
            raise PermissionError("/proc/stat")

        monkeypatch.setattr(psutil, "cpu_percent", fail)
        assert choose_num_threads(accelerator_of(None)) == 4

    def test_real_load_gives_at_least_one_thread(self) -> None:
        assert 1 <= choose_num_threads(accelerator_of(None)) <= 4

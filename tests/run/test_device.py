"""Which accelerators there are, and what is said of one that is not."""

import pytest
import torch

from csvision.errors import ConfigError
from csvision.run import device
from csvision.schema import AcceleratorName

MISSING = [name for name in ("gpu", "mps") if AcceleratorName(name) not in device.available()]


def test_the_cpu_is_always_there() -> None:
    assert device.available()[0] == "cpu"
    assert ("gpu" in device.available()) is torch.cuda.is_available()
    device.require(AcceleratorName.cpu)
    assert device.torch_device(AcceleratorName.cpu) == torch.device("cpu")


def test_auto_is_the_best_that_is_there() -> None:
    device.require(AcceleratorName.auto)
    best = device.available()[-1]
    assert device.torch_device(AcceleratorName.auto) == device.torch_device(best)


def test_gpu_is_what_torch_calls_cuda() -> None:
    assert device.torch_device(AcceleratorName.gpu) == torch.device("cuda")
    assert device.torch_device(AcceleratorName.mps) == torch.device("mps")


@pytest.mark.parametrize("name", MISSING)
def test_one_that_is_missing_is_refused_with_those_that_are_there(name: str) -> None:
    there = ", ".join(device.available())
    message = f"^accelerator={name} is not there; this machine has {there}$"
    with pytest.raises(ConfigError, match=message):
        device.require(AcceleratorName(name))


class TestThreads:
    def test_are_as_many_as_asked_for_and_then_as_before(self) -> None:
        before = torch.get_num_threads()
        with device.threads(before + 1):
            assert torch.get_num_threads() == before + 1
        assert torch.get_num_threads() == before

    def test_stay_as_they_are_when_none_are_asked_for(self) -> None:
        before = torch.get_num_threads()
        with device.threads(None):
            assert torch.get_num_threads() == before

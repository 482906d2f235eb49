"""The accelerators of this machine."""

import pytest
import torch

from csvision.config.schema import AcceleratorName
from csvision.errors import ConfigError
from csvision.run.device import (
    available_accelerators,
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

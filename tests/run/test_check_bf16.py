"""The check of bfloat16 on the first batch of a run."""

import logging
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import csvision
from csvision.errors import ConfigError
from csvision.run import check_bf16
from csvision.run.check_bf16 import compare_layers, layer_difference, report_slow_bf16
from tests.conftest import SMALL_RUN, SMALL_TRAINING

IMAGES = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))


class WrongInBF16(nn.Linear):
    """A layer whose output is too large in bfloat16, as with a wrong kernel."""

    def forward(self, input: Tensor) -> Tensor:
        scale = 1.1 if torch.is_autocast_enabled("cpu") else 1.0
        return super().forward(input) * scale


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (nn.Conv2d(1, 8, 3, padding=1), IMAGES),
        (nn.Linear(64, 10), IMAGES.flatten(1)),
        (nn.BatchNorm2d(1).eval(), IMAGES),
    ],
)
def test_layers_of_torch_differ_by_rounding_only(layer: nn.Module, inputs: Tensor) -> None:
    difference = layer_difference(layer, inputs)
    assert difference < 0.02
    # Batch normalization is computed in float32.
    assert (difference == 0) == isinstance(layer, nn.BatchNorm2d)


def test_wrong_layer_is_named_with_the_shape_of_its_inputs() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), WrongInBF16(32, 10))
    with pytest.raises(ConfigError) as raised:
        compare_layers(network, IMAGES)
    message = str(raised.value)
    assert message.startswith("accelerator.precision=bf16-mixed: ")
    assert "layer 2 " in message
    assert "(16, 32)" in message
    assert "32-true" in message


def test_comparison_leaves_no_hooks_and_no_gradients() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    compare_layers(network, IMAGES)
    assert not network[1]._forward_pre_hooks
    assert all(each.grad is None for each in network.parameters())


@pytest.mark.parametrize(("seconds", "messages"), [([2.0, 1.0], 0), ([1.0, 1.5], 1)])
def test_slower_bf16_is_a_warning_with_the_ratio(
    seconds: list[float],
    messages: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    measured = iter(seconds)
    monkeypatch.setattr(check_bf16, "measure", lambda function: next(measured))
    with caplog.at_level(logging.WARNING, "csvision"):
        report_slow_bf16(nn.Linear(4, 2), torch.rand(3, 4), torch.tensor([0, 1, 0]))
    assert len(caplog.messages) == messages
    assert all("1.5 times" in message for message in caplog.messages)


@pytest.mark.slow
def test_check_changes_no_bit_of_a_run(digits_csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = (*SMALL_RUN, "accelerator.precision=bf16-mixed", "epochs=1")
    checked = csvision.train(*overrides)
    monkeypatch.setattr("csvision.run.train.uses_bf16_on_cpu", lambda trainer: False)
    unchecked = csvision.train(*overrides)
    assert checked.metrics == unchecked.metrics


def test_run_with_a_wrong_layer_is_refused(digits_csv: Path) -> None:
    Path("net.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "class Wrong(nn.Linear):\n"
        "    def forward(self, input):\n"
        "        return super().forward(input) * (2 if torch.is_autocast_enabled('cpu') else 1)\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, image_shape, num_classes):\n"
        "        super().__init__()\n"
        "        self.flatten, self.dense = nn.Flatten(), Wrong(64, num_classes)\n"
        "    def forward(self, images):\n"
        "        return self.dense(self.flatten(images))\n",
        encoding="utf-8",
    )
    custom = ("model=custom", "model.path=net.py:Net", "accelerator.precision=bf16-mixed")
    with pytest.raises(ConfigError, match=r"layer dense .*differs from 32-true"):
        csvision.train(*SMALL_TRAINING, *custom)

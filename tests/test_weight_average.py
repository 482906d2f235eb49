"""The exponential moving average of the weights, by hand and in a training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import csvision
from csvision.run.directory import RunDirectory
from csvision.weight_average import WeightAverage
from tests.conftest import SMALL_MLP, SMALL_TRAINING


def linear(weight: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, weight)
    return layer


def test_average_by_hand() -> None:
    network = linear(1.0)
    average = WeightAverage(network, decay=0.25)
    average.start()
    expected = 1.0
    for step, weight in enumerate([3.0, -2.0, 5.0], start=1):
        nn.init.constant_(network.weight, weight)
        average.update(step)
        decay = min(0.25, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight
        assert average.values["weight"].item() == pytest.approx(expected)
    # 2/11, then 3/12 = 0.25 at most.
    first = 2 / 11 * 1 + 9 / 11 * 3
    assert expected == pytest.approx(0.25 * (0.25 * first + 0.75 * -2) + 0.75 * 5)


def test_swap_exchanges_weights_and_averages() -> None:
    network = linear(1.0)
    average = WeightAverage(network, decay=0.5)
    average.start()
    nn.init.constant_(network.weight, 4.0)
    average.swap()
    assert (network.weight.item(), average.values["weight"].item()) == (1, 4)
    average.swap()
    assert (network.weight.item(), average.values["weight"].item()) == (4, 1)


def test_checkpoint_has_averages_as_weights_and_can_be_restored() -> None:
    network = nn.Sequential(linear(1.0), nn.BatchNorm1d(1))
    network[1].requires_grad_(False)
    average = WeightAverage(network, decay=0.5)
    average.start()
    nn.init.constant_(network[0].weight, 4.0)  # type: ignore[arg-type]

    def state() -> dict[str, Any]:
        values = network.state_dict()
        return {"state_dict": {f"network.{name}": value.clone() for name, value in values.items()}}

    checkpoint, expected = state(), state()
    average.save(checkpoint)
    assert checkpoint["state_dict"]["network.0.weight"].item() == 1
    restored = WeightAverage(network, decay=0.5)
    restored.load(checkpoint)
    assert {name: value.item() for name, value in restored.values.items()} == {"0.weight": 1}
    assert checkpoint["state_dict"] == expected["state_dict"]


@pytest.mark.slow
def test_averages_of_a_run_are_those_of_its_weights(digits_csv: Path) -> None:
    weights: list[torch.Tensor] = []
    update = WeightAverage.update

    def record(self: WeightAverage, steps: int) -> None:
        update(self, steps)
        weights.append(self.network.get_parameter("logits.bias").detach().clone())

    options = (*SMALL_TRAINING, *SMALL_MLP, "epochs=1")
    start = csvision.load_config("train", options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WeightAverage, "update", record)
        run = csvision.train(*options, "ema.decay=0.4").directory
    network = csvision.build_model(
        start.model, (1, 8, 8), 10, csvision.derive_seed(start.seed, "weights")
    )
    average = network.get_parameter("logits.bias").detach().clone()
    for step, value in enumerate(weights, start=1):
        decay = min(0.4, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * value
    assert len(weights) == 8
    state = torch.load(RunDirectory(run).last)
    torch.testing.assert_close(state["state_dict"]["network.logits.bias"], average)
    torch.testing.assert_close(state["raw_weights"]["logits.bias"], weights[-1])
    tested = csvision.load(run).network.get_parameter("logits.bias")
    torch.testing.assert_close(tested.detach(), average)

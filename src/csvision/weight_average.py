"""The exponential moving average of the trained weights of a network."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

PREFIX = "network."
"""How the names of the weights start in the `state_dict` of a checkpoint."""

RAW_WEIGHTS = "raw_weights"
"""The entry of a checkpoint with the weights of which its `state_dict` has the averages."""


class WeightAverage:
    """Averages the parameters of a network; buffers and frozen parameters are those of the network.

    After step n (from 1), average = d * average + (1 - d) * weights with
    d = min(decay, (1 + n) / (10 + n)), so that the random initial weights are forgotten early.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = network
        self.decay = decay
        self.values: dict[str, Tensor] = {}

    def parameters(self) -> dict[str, nn.Parameter]:
        """Return the parameters that are trained, by their names."""
        return {
            name: value for name, value in self.network.named_parameters() if value.requires_grad
        }

    def raw_weights(self) -> dict[str, Tensor]:
        """Return the current weights that are averaged."""
        return {name: value.detach() for name, value in self.parameters().items()}

    def start(self) -> None:
        """Start with the current weights, or move restored values to the device of the network."""
        parameters = self.parameters()
        if self.values:
            self.values = {name: self.values[name].to(parameters[name]) for name in parameters}
        else:
            self.values = {name: value.detach().clone() for name, value in parameters.items()}

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Add the weights after a number of steps of the optimizer."""
        decay = min(self.decay, (1 + steps) / (10 + steps))
        weights: list[Tensor | nn.Parameter] = [*self.parameters().values()]
        get_ema_multi_avg_fn(decay)([*self.values.values()], weights, steps)

    def swap(self) -> None:
        """Exchange the weights of the network and their averages."""
        for name, parameter in self.parameters().items():
            self.values[name], parameter.data = parameter.data, self.values[name]

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Make the averages the weights of a checkpoint of the network; keep the raw ones, too."""
        state = checkpoint["state_dict"]
        checkpoint[RAW_WEIGHTS] = {name: state[PREFIX + name] for name in self.values}
        state |= {PREFIX + name: value for name, value in self.values.items()}

    def load(self, checkpoint: dict[str, Any]) -> None:
        """Restore the averages, and put the raw weights back into the checkpoint."""
        state, raw = checkpoint["state_dict"], checkpoint[RAW_WEIGHTS]
        self.values = {name: state[PREFIX + name] for name in raw}
        state |= {PREFIX + name: value for name, value in raw.items()}

"""Record the inputs and outputs of the layers of any network with hooks.

A layer is a module without submodules. Shapes: N images, C channels, H height, W width.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

SKIPPED = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten)
"""Modules that change no value in evaluation mode."""


@dataclass(frozen=True)
class LayerCall:
    """A call of a layer: the module and its first input and output, each (N, ...).

    A module that is called again has a number after its name: relu, relu#2.
    """

    name: str
    module: nn.Module = field(repr=False)
    input: Tensor = field(repr=False)
    output: Tensor = field(repr=False)

    @property
    def is_spatial(self) -> bool:
        """Whether the output is a stack of feature maps (N, C, H, W) of more than one value."""
        return self.output.ndim == 4 and self.output.shape[2] * self.output.shape[3] > 1


def leaf_modules(network: nn.Module) -> dict[str, nn.Module]:
    """Return the layers by name, without the network itself.

    Modules of torch.jit.script accept no hooks and are left out.
    """
    return {
        name: module
        for name, module in network.named_modules()
        if name and not list(module.children()) and not isinstance(module, torch.jit.ScriptModule)
    }


def record_layers(network: nn.Module, values: Tensor) -> list[LayerCall]:
    """Return the calls of all layers for images (N, C, H, W) in order, without gradients.

    Calls whose first input or output is not a tensor are left out.
    """
    calls: list[LayerCall] = []
    counts: Counter[str] = Counter()
    names = {module: name for name, module in leaf_modules(network).items()}

    def record(module: nn.Module, inputs: Any, output: Any) -> None:
        if not (inputs and isinstance(inputs[0], Tensor) and isinstance(output, Tensor)):
            return
        counts[names[module]] += 1
        number = counts[names[module]]
        name = names[module] if number == 1 else f"{names[module]}#{number}"
        # Cloned, because a following layer may change the values in place.
        calls.append(LayerCall(name, module, inputs[0].detach(), output.detach().clone()))

    hooks = [module.register_forward_hook(record) for module in names]
    try:
        with torch.no_grad():
            network(values)
    finally:
        for hook in hooks:
            hook.remove()
    return calls

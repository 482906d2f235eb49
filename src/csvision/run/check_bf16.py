"""Check bfloat16 on this CPU before training: it may be slower than float32, or even wrong.

Some combinations of processor, library and layer shape have slow or wrong bfloat16 kernels.
"""

import time
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from csvision.classifier import Classifier
from csvision.data.splits import Subset
from csvision.errors import ConfigError
from csvision.models.summary import leaf_modules
from csvision.rng import isolate_rng
from csvision.run.log import log

KEY = "accelerator.precision=bf16-mixed"

TOLERANCE = 0.05
"""The largest relative difference of a layer from float32; rounding alone gives about 0.003."""

REPEATS = 3


def check_bf16(classifier: Classifier, train: Subset, batch_size: int) -> None:
    """Compare each layer with float32 on the first batch; warn if bfloat16 is slower.

    Raises ConfigError for a layer whose outputs or gradients are wrong.
    """
    rows = train.indices[:batch_size]
    images = torch.from_numpy(train.table.images[rows])
    labels = torch.from_numpy(train.labels[:batch_size])
    training = classifier.training
    classifier.eval()
    with isolate_rng():
        inputs = classifier.normalize(classifier.transform(images))
        compare_layers(classifier.network, inputs)
        report_slow_bf16(classifier.network, inputs, labels)
    classifier.train(training)


def compare_layers(network: nn.Module, inputs: Tensor) -> None:
    """Raise ConfigError for the first layer that differs from float32 by more than TOLERANCE."""
    names = leaf_modules(network)
    layers: dict[nn.Module, Tensor] = {}

    def keep_input(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        layers[module] = args[0].detach()

    hooks = [
        module.register_forward_pre_hook(keep_input)
        for module in names
        if next(module.parameters(), None) is not None
    ]
    try:
        with torch.no_grad():
            network(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    for module, layer_inputs in layers.items():
        difference = layer_difference(module, layer_inputs)
        if not difference <= TOLERANCE:
            raise ConfigError(
                f"{KEY}: on this CPU, layer {names[module]} with inputs of shape "
                f"{tuple(layer_inputs.shape)} differs from 32-true by {difference:.1%}; "
                "use accelerator.precision=32-true"
            )


def layer_difference(module: nn.Module, inputs: Tensor) -> float:
    """Return the largest relative difference of outputs and gradients from those of float32.

    The difference of two tensors is the norm of their difference divided by the norm of the one in
    float32.
    """
    exact, rounded = (differentiate(module, inputs, bf16) for bf16 in (False, True))
    return max(
        float((b - a).norm() / a.norm())
        for a, b in zip(exact, rounded, strict=True)
        if float(a.norm()) > 0
    )


def differentiate(module: nn.Module, inputs: Tensor, bf16: bool) -> list[Tensor]:
    """Return the outputs of a layer, and the gradients of their half sum of squares."""
    inputs = inputs.requires_grad_()
    variables = [inputs, *(each for each in module.parameters() if each.requires_grad)]
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        outputs = module(inputs)
    gradients = torch.autograd.grad(outputs.float().square().sum() / 2, variables)
    return [outputs.detach().float(), *(each.float() for each in gradients)]


def report_slow_bf16(network: nn.Module, inputs: Tensor, labels: Tensor) -> None:
    """Warn if forward and backward pass of a batch take longer than in float32."""

    def step(bf16: bool) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(network(inputs), labels)
        parameters = [each for each in network.parameters() if each.requires_grad]
        torch.autograd.grad(loss, parameters)

    exact, rounded = measure(partial(step, False)), measure(partial(step, True))
    if rounded > exact:
        log.warning(
            "%s: a batch of this network takes %.1f times as long on this CPU as with 32-true",
            KEY,
            rounded / exact,
        )


def measure(function: Callable[[], None]) -> float:
    """Return the shortest time of several calls in seconds, after one call that does not count."""
    function()
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)

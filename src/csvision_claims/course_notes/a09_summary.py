"""A9: parameters, multiply-adds and memory of the MLP 784-128-64-10, as its summary gives them."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from csvision import MLP
from csvision_claims.engine.charts import Bars
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.peak_memory import OPTIMIZERS, measure_peak

IMAGES = 4800
"""The batch of the notes' summary: all training images."""

BATCH = 32

MILLION = 10**6

CLAIMED_PARAMETERS = 109_386
CLAIMED_MULTIPLY_ADDS = 525.05
CLAIMED_MB = {"input": 15.05, "forward and backward": 7.76, "parameters": 0.44, "total": 23.25}


def summarize_batch(images: int) -> dict[str, int]:
    """Return parameters, operations, and bytes of input, outputs and parameters for a batch."""
    torch.manual_seed(0)
    network = MLP((1, 28, 28), 10)
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    outputs: list[int] = []
    for module in linear:
        module.register_forward_hook(lambda _, inputs, output: outputs.append(output.nbytes))
    batch = torch.zeros(images, 1, 28, 28)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(batch)
    weights = list(network.parameters())
    return {
        "parameters": sum(parameter.numel() for parameter in weights),
        # torch counts a multiply-add as two operations.
        "multiply_adds": counter.get_total_flops() // 2,
        "biases": images * sum(module.bias.numel() for module in linear),
        "input": batch.nbytes,
        "outputs": sum(outputs),
        # A ReLU has the same output size as the layer before it; the logits have none.
        "relu": sum(outputs[:-1]),
        "weights": sum(parameter.nbytes for parameter in weights),
    }


def summary_sizes(batch: dict[str, int]) -> dict[str, float]:
    """Return the sizes of the summary in MB; outputs count twice, for their gradients.

    The total is the sum of sizes that are not yet rounded.
    """
    sizes = {
        "input": batch["input"],
        "forward and backward": 2 * batch["outputs"],
        "parameters": batch["weights"],
    }
    sizes["total"] = sum(sizes.values())
    return {name: size / MILLION for name, size in sizes.items()}


def draw_bars(batch: dict[str, int], peaks: dict[tuple[int, str], int]) -> Bars:
    """Show the sizes of the summary and the peak memory of a training step."""
    values = {
        f"summary: {name}" if name == "total" else name: size
        for name, size in summary_sizes(batch).items()
    }
    for (images, name), size in peaks.items():
        values[f"a step on {images} images, {name}"] = size / MILLION
    return Bars(
        "memory of the MLP",
        "MB",
        values,
        alt="; ".join(f"{name} {value:.2f}" for name, value in values.items()),
    )


def table_rows(batch: dict[str, int], one: dict[str, int]) -> list[dict[str, str | float]]:
    """Return rows for what the summary counts and what it omits."""
    weights = batch["weights"] / MILLION
    quantities = {
        "multiply-adds of the batch, millions, with biases": (
            (batch["multiply_adds"] + batch["biases"]) / MILLION
        ),
        "multiply-adds of the batch, millions, weights only": batch["multiply_adds"] / MILLION,
        "multiply-adds of one image, millions, weights only": one["multiply_adds"] / MILLION,
        **{f"MB in the summary: {name}": size for name, size in summary_sizes(batch).items()},
        "MB omitted: outputs of the ReLU layers": batch["relu"] / MILLION,
        "MB omitted: gradients of the parameters": weights,
        "MB omitted: state of Adam": 2 * weights,
    }
    return [{"quantity": name, "value": value} for name, value in quantities.items()]


def measure(runner: Runner) -> Measurement:
    """Reproduce the sizes of the summary, and measure a training step."""
    batch, one = runner.run([Job(summarize_batch, {"images": images}) for images in (IMAGES, 1)])
    choices = [(images, name) for images in (IMAGES, BATCH) for name in OPTIMIZERS]
    sizes = runner.run([Job(measure_peak, {"images": i, "optimizer": name}) for i, name in choices])
    peaks = dict(zip(choices, sizes, strict=True))
    operations = {
        images: (found["multiply_adds"] + found["biases"]) / MILLION
        for images, found in ((IMAGES, batch), (1, one))
    }
    whole, small = (
        [peaks[images, name] / MILLION for name in OPTIMIZERS] for images in (IMAGES, BATCH)
    )
    return Measurement(
        evidence={
            "A9a": [Comparison("parameters", CLAIMED_PARAMETERS, batch["parameters"])],
            "A9b": [
                Comparison(
                    "millions, two decimals", CLAIMED_MULTIPLY_ADDS, round(operations[IMAGES], 2)
                )
            ],
            "A9c": [
                Comparison(f"MB, two decimals: {name}", CLAIMED_MB[name], round(size, 2))
                for name, size in summary_sizes(batch).items()
            ],
            "A9d": [
                Comparison(
                    f"MB of a step on {images} images, {name}, rounded",
                    round(CLAIMED_MB["total"]),
                    round(peaks[images, name] / MILLION),
                )
                for images in (BATCH, IMAGES)
                for name in OPTIMIZERS
            ],
            "A9e": [
                Comparison("millions, two decimals", CLAIMED_MULTIPLY_ADDS, round(operations[1], 2))
            ],
        },
        finding=(
            f"The summary describes a batch of {IMAGES:,} images, not one image or one training "
            f"step: {operations[IMAGES]:.2f} M multiply-adds, biases included, are for the batch; "
            f"one image takes {operations[1]:.3f} M. The {summary_sizes(batch)['total']:.2f} MB "
            "(millions of bytes) count the output of each linear layer twice and omit ReLU "
            "outputs, gradients of parameters and the optimizer's state. A training step on all "
            f"{IMAGES:,} images has a similar peak, {min(whole):.2f} to {max(whole):.2f} MB "
            "depending on the optimizer, because tensors are freed on the way; a step on a usual "
            f"batch of {BATCH} images takes {min(small):.2f} to {max(small):.2f} MB."
        ),
        table=table_rows(batch, one),
        charts=[draw_bars(batch, peaks)],
    )


CLAIM = Claim(
    id="A9",
    title="The MLP 784-128-64-10: 109,386 parameters, 525.05 M multiply-adds, 23.25 MB",
    statements=(
        Statement("A9a", "The MLP 784-128-64-10 has 109,386 parameters", Exact()),
        Statement(
            "A9b",
            "The MLP 784-128-64-10 takes 525.05 M multiply-adds, biases included, for a batch of "
            "4,800 images",
            Exact(),
        ),
        Statement(
            "A9c",
            "The summary of the MLP for 4,800 images adds up to 23.25 MB: input 15.05, forward and "
            "backward 7.76, parameters 0.44",
            Exact(),
        ),
        Statement("A9d", "A training step of the MLP takes the 23 MB of its summary", Exact()),
        Statement(
            "A9e", "The MLP 784-128-64-10 takes 525.05 M multiply-adds for one image", Exact()
        ),
    ),
    why=(
        "Such summaries are read as the cost of a network. They are the cost of one batch, and "
        "only of what one tool counts."
    ),
    method=(
        "The numbers of the summary are reproduced from torch's tensors and operation counter. "
        "For training, the bytes of all live tensors are tracked during two steps with three "
        "optimizers, and their peak is rounded to MB."
    ),
    measure=measure,
)

"""A9: parameters, multiply-adds and memory of the MLP 784-128-64-10, as its summary states them."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from csvision.claims.bench import Bench
from csvision.claims.charts import Bars
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.measuring.peak_memory import OPTIMIZERS, peak
from csvision.claims.rules import Comparison, Exact
from csvision.models.mlp import MLP

IMAGES = 4800
"""The batch of the notes' summary: all training images."""

BATCH = 32

MILLION = 10**6

CLAIMED_PARAMETERS = 109_386
CLAIMED_MULTIPLY_ADDS = 525.05
CLAIMED_MB = {"input": 15.05, "forward and backward": 7.76, "parameters": 0.44, "total": 23.25}


def summary(images: int) -> dict[str, int]:
    """What a batch costs: parameters, operations, bytes of input, of outputs, of parameters."""
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
        "relu": sum(outputs[:-1]),
        "weights": sum(parameter.nbytes for parameter in weights),
    }


def parts(batch: dict[str, int]) -> dict[str, float]:
    """The summary's figures in MB: the outputs of linear layers count twice, for their gradients.

    In its total it adds up what is not yet rounded.
    """
    sizes = {
        "input": batch["input"],
        "forward and backward": 2 * batch["outputs"],
        "parameters": batch["weights"],
    }
    sizes["total"] = sum(sizes.values())
    return {name: size / MILLION for name, size in sizes.items()}


def bars(batch: dict[str, int], peaks: dict[tuple[int, str], int]) -> Bars:
    """The summary's parts and its total, and what a step of training takes."""
    values = {
        f"summary: {name}" if name == "total" else name: v for name, v in parts(batch).items()
    }
    for (images, name), size in peaks.items():
        values[f"a step on {images} images, {name}"] = size / MILLION
    return Bars(
        "memory of the MLP",
        "MB",
        values,
        alt="; ".join(f"{name} {value:.2f}" for name, value in values.items()),
    )


def rows(batch: dict[str, int], one: dict[str, int]) -> list[dict[str, str | float]]:
    """What the summary counts and what it leaves out."""
    weights = batch["weights"] / MILLION
    counted = {
        "multiply-adds of the batch, millions, with biases": (
            (batch["multiply_adds"] + batch["biases"]) / MILLION
        ),
        "multiply-adds of the batch, millions, weights only": batch["multiply_adds"] / MILLION,
        "multiply-adds of one image, millions, weights only": one["multiply_adds"] / MILLION,
        **{f"MB in the summary: {name}": size for name, size in parts(batch).items()},
        "MB left out: outputs of the ReLU layers": batch["relu"] / MILLION,
        "MB left out: gradients of the parameters": weights,
        "MB left out: state of Adam": 2 * weights,
    }
    return [{"quantity": name, "value": value} for name, value in counted.items()]


def measure(bench: Bench) -> Measurement:
    """Take the summary's figures apart, and measure a step of training."""
    batch, one = bench.run([Job(summary, {"images": images}) for images in (IMAGES, 1)])
    choices = [(images, name) for images in (IMAGES, BATCH) for name in OPTIMIZERS]
    sizes = bench.run([Job(peak, {"images": i, "optimizer": name}) for i, name in choices])
    peaks = dict(zip(choices, sizes, strict=True))
    sums = {
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
                Comparison("millions, two decimals", CLAIMED_MULTIPLY_ADDS, round(sums[IMAGES], 2))
            ],
            "A9c": [
                Comparison(f"MB, two decimals: {name}", CLAIMED_MB[name], round(size, 2))
                for name, size in parts(batch).items()
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
            "A9e": [Comparison("millions, two decimals", CLAIMED_MULTIPLY_ADDS, round(sums[1], 2))],
        },
        finding=(
            f"{sums[IMAGES]:.2f} M is for a batch of {IMAGES:,} images with the biases counted; "
            f"an image takes {sums[1]:.3f} M. The {parts(batch)['total']:.2f} MB, millions of "
            "bytes, count each linear layer's output twice and leave out ReLU outputs, gradients "
            "of parameters and the optimizer's state. As tensors are freed on the way, a step on "
            f"all {IMAGES:,} images at once comes close all the same, with a peak of "
            f"{min(whole):.2f} to {max(whole):.2f} MB by optimizer; a step on {BATCH} images, as "
            f"one trains, takes {min(small):.2f} to {max(small):.2f} MB."
        ),
        table=rows(batch, one),
        charts=[bars(batch, peaks)],
    )


CLAIM = Claim(
    id="A9",
    title="The MLP 784-128-64-10: 109,386 parameters, 525.05 M multiply-adds, 23.25 MB",
    statements=(
        Statement("A9a", "The MLP 784-128-64-10 has 109,386 parameters", Exact()),
        Statement(
            "A9b", "A batch of 4,800 images takes 525.05 M multiply-adds, biases counted", Exact()
        ),
        Statement(
            "A9c",
            "Input 15.05 MB, forward and backward 7.76 MB, parameters 0.44 MB: 23.25 MB in all",
            Exact(),
        ),
        Statement("A9d", "These 23 MB are what a step of training takes", Exact()),
        Statement("A9e", "525.05 M multiply-adds are what an image takes", Exact()),
    ),
    why=(
        "Such summaries are read as the cost of a network. They are the cost of a batch, and of "
        "what one tool chooses to count."
    ),
    method=(
        "The summary's figures are rebuilt from torch's tensors and its count of operations. For "
        "training, the bytes of all tensors alive are followed through two steps with three "
        "optimizers, and their peak is rounded to whole MB."
    ),
    measure=measure,
)

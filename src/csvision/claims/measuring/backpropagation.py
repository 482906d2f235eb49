"""The gradients of a small network by hand, by autograd and by finite differences: claims' jobs.

Shapes: N images, C channels, H height, W width, K filters of f x f.
"""

from collections.abc import Callable

import numpy as np
import torch
from scipy import signal
from torch import Tensor
from torch.autograd import gradcheck
from torch.nn import functional as F

from csvision.claims.measuring.agreement import difference_of
from csvision.data.table import read_table

SHAPES = {
    "image": (2, 2, 8, 8),
    "filters": (3, 2, 3, 3),
    "filter biases": (3,),
    "weights": (5, 27),
    "biases": (5,),
}
"""Two images of two channels, three filters, 27 values after pooling, five classes."""


def random_inputs(seed: int) -> dict[str, Tensor]:
    """Leaves of the network, in float64; without ties, at which a maximum has no derivative."""
    generator = torch.Generator().manual_seed(seed)
    # Weights so small that no class is certain: every gradient then counts.
    return {
        name: (0.3 * torch.randn(shape, generator=generator).double()).requires_grad_()
        for name, shape in SHAPES.items()
    }


def by_autograd(leaves: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """The gradient of the cross-entropy for every leaf, from torch."""
    maps = F.conv2d(leaves["image"], leaves["filters"], leaves["filter biases"])
    vector = F.max_pool2d(maps.relu(), 2).flatten(1)
    logits = F.linear(vector, leaves["weights"], leaves["biases"])
    gradients = torch.autograd.grad(F.cross_entropy(logits, labels), list(leaves.values()))
    return dict(zip(leaves, gradients, strict=True))


def windows(maps: Tensor) -> Tensor:
    """(N, K, H, W) -> (N, K, H / 2, W / 2, 4): the four values of each pooling window."""
    count, filters, height, width = maps.shape
    cut = maps.reshape(count, filters, height // 2, 2, width // 2, 2)
    return cut.transpose(3, 4).flatten(4)


def joined(cut: Tensor) -> Tensor:
    """The inverse of `windows`."""
    count, filters, height, width, _ = cut.shape
    squares = cut.reshape(count, filters, height, width, 2, 2).transpose(3, 4)
    return squares.reshape(count, filters, 2 * height, 2 * width)


def by_hand(leaves: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """The same gradients, written out: matrix part, flatten, pooling, ReLU, convolution."""
    image, filters = leaves["image"], leaves["filters"]
    maps = F.conv2d(image, filters, leaves["filter biases"])
    cut = windows(maps.relu())
    vector = cut.amax(-1).flatten(1)
    logits = vector @ leaves["weights"].T + leaves["biases"]
    at_logits = (logits.softmax(1) - F.one_hot(labels, logits.shape[1])) / len(labels)
    at_vector = at_logits @ leaves["weights"]
    at_pooled = at_vector.reshape(cut.shape[:-1])
    at_active = joined(F.one_hot(cut.argmax(-1), 4) * at_pooled[..., None])
    at_maps = at_active * (maps > 0)
    return {
        "image": image_gradient(at_maps, filters),
        "filters": filter_gradient(image, at_maps),
        "filter biases": at_maps.sum((0, 2, 3)),
        "weights": at_logits.T @ vector,
        "biases": at_logits.sum(0),
    }


def filter_gradient(image: Tensor, at_maps: Tensor) -> Tensor:
    """The correlation of input (N, C, H, W) and output gradient (N, K, H', W'): (K, C, f, f)."""
    images, filters, channels = len(image), at_maps.shape[1], image.shape[1]
    gradient = [
        [
            sum(signal.correlate2d(image[n, c], at_maps[n, k], "valid") for n in range(images))
            for c in range(channels)
        ]
        for k in range(filters)
    ]
    return torch.from_numpy(np.array(gradient))


def image_gradient(at_maps: Tensor, filters: Tensor) -> Tensor:
    """Mathematics' full convolution of output gradient (N, K, H', W') and filters: (N, C, H, W)."""
    count, channels = filters.shape[:2]
    gradient = [
        [
            sum(signal.convolve2d(at_maps[n, k], filters[k, c], "full") for k in range(count))
            for c in range(channels)
        ]
        for n in range(len(at_maps))
    ]
    return torch.from_numpy(np.array(gradient))


def gradients(seed: int) -> dict[str, tuple[float, float]]:
    """The largest value of each gradient, and how far by hand and autograd are apart."""
    leaves = random_inputs(seed)
    labels = torch.tensor([1, 4])
    expected = by_autograd(leaves, labels)
    with torch.no_grad():
        found = by_hand(leaves, labels)
    return {name: difference_of(found[name], expected[name]) for name in leaves}


def numerical(seed: int) -> dict[str, int]:
    """Whether torch's gradients are those of finite differences, on random input and on black."""
    leaves = random_inputs(seed)
    linear = (leaves["image"].flatten(1)[:, :27], leaves["weights"], leaves["biases"])
    black = torch.zeros(1, 1, 4, 4).double().requires_grad_()
    convolution = (leaves["image"], leaves["filters"], leaves["filter biases"])
    checks: dict[str, tuple[Callable[..., Tensor], tuple[Tensor, ...]]] = {
        "convolution": (F.conv2d, convolution),
        "maximum pooling": (pooled, (leaves["image"],)),
        "flatten and matrix": (F.linear, linear),
        "maximum pooling of black": (pooled, (black,)),
    }
    return {
        name: int(gradcheck(function, inputs, raise_exception=False))
        for name, (function, inputs) in checks.items()
    }


def pooled(maps: Tensor) -> Tensor:
    """Maximum pooling 2x2."""
    return F.max_pool2d(maps, 2)


def ties() -> float:
    """The share of 2x2 windows of the embedded images whose largest value occurs twice or more."""
    cut = windows(torch.from_numpy(read_table("embedded").images))
    share = (cut == cut.amax(-1, keepdim=True)).sum(-1) > 1
    return float(share.double().mean())

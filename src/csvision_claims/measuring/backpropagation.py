"""The gradients of a small network: derived manually, by autograd, by finite differences.

Shapes: N images, C channels, H height, W width, K filters of f x f.
"""

from collections.abc import Callable

import numpy as np
import torch
from scipy import signal
from torch import Tensor
from torch.autograd import gradcheck
from torch.nn import functional as F

from csvision import read_table
from csvision_claims.measuring.agreement import compare_arrays

SHAPES = {
    "image": (2, 2, 8, 8),
    "filters": (3, 2, 3, 3),
    "filter biases": (3,),
    "weights": (5, 27),
    "biases": (5,),
}
"""Two images of two channels, three filters, 27 values after pooling, five classes."""


def random_inputs(seed: int) -> dict[str, Tensor]:
    """Return the leaf tensors in float64; random values have no ties, where max has no gradient."""
    generator = torch.Generator().manual_seed(seed)
    # Small weights keep all class probabilities, and so all gradients, away from 0 and 1.
    return {
        name: (0.3 * torch.randn(shape, generator=generator).double()).requires_grad_()
        for name, shape in SHAPES.items()
    }


def autograd_gradients(leaves: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """Return the gradient of the cross-entropy for every leaf, from torch."""
    maps = F.conv2d(leaves["image"], leaves["filters"], leaves["filter biases"])
    vector = F.max_pool2d(maps.relu(), 2).flatten(1)
    logits = F.linear(vector, leaves["weights"], leaves["biases"])
    gradients = torch.autograd.grad(F.cross_entropy(logits, labels), list(leaves.values()))
    return dict(zip(leaves, gradients, strict=True))


def split_windows(maps: Tensor) -> Tensor:
    """(N, K, H, W) -> (N, K, H / 2, W / 2, 4): the four values of each pooling window."""
    count, filters, height, width = maps.shape
    windows = maps.reshape(count, filters, height // 2, 2, width // 2, 2)
    return windows.transpose(3, 4).flatten(4)


def merge_windows(windows: Tensor) -> Tensor:
    """Invert `split_windows`."""
    count, filters, height, width, _ = windows.shape
    squares = windows.reshape(count, filters, height, width, 2, 2).transpose(3, 4)
    return squares.reshape(count, filters, 2 * height, 2 * width)


def manual_gradients(leaves: dict[str, Tensor], labels: Tensor) -> dict[str, Tensor]:
    """Return the same gradients, layer by layer: dense, flatten, pooling, ReLU, convolution."""
    image, filters = leaves["image"], leaves["filters"]
    maps = F.conv2d(image, filters, leaves["filter biases"])
    windows = split_windows(maps.relu())
    vector = windows.amax(-1).flatten(1)
    logits = vector @ leaves["weights"].T + leaves["biases"]
    grad_logits = (logits.softmax(1) - F.one_hot(labels, logits.shape[1])) / len(labels)
    grad_vector = grad_logits @ leaves["weights"]
    grad_pooled = grad_vector.reshape(windows.shape[:-1])
    grad_active = merge_windows(F.one_hot(windows.argmax(-1), 4) * grad_pooled[..., None])
    grad_maps = grad_active * (maps > 0)
    return {
        "image": image_gradient(grad_maps, filters),
        "filters": filter_gradient(image, grad_maps),
        "filter biases": grad_maps.sum((0, 2, 3)),
        "weights": grad_logits.T @ vector,
        "biases": grad_logits.sum(0),
    }


def filter_gradient(image: Tensor, grad_maps: Tensor) -> Tensor:
    """Correlate the input (N, C, H, W) with the output gradient (N, K, H', W'): (K, C, f, f)."""
    images, filters, channels = len(image), grad_maps.shape[1], image.shape[1]
    gradient = [
        [
            sum(signal.correlate2d(image[n, c], grad_maps[n, k], "valid") for n in range(images))
            for c in range(channels)
        ]
        for k in range(filters)
    ]
    return torch.from_numpy(np.array(gradient))


def image_gradient(grad_maps: Tensor, filters: Tensor) -> Tensor:
    """Convolve (full) the output gradient (N, K, H', W') with the filters: (N, C, H, W)."""
    count, channels = filters.shape[:2]
    gradient = [
        [
            sum(signal.convolve2d(grad_maps[n, k], filters[k, c], "full") for k in range(count))
            for c in range(channels)
        ]
        for n in range(len(grad_maps))
    ]
    return torch.from_numpy(np.array(gradient))


def compare_gradients(seed: int) -> dict[str, tuple[float, float]]:
    """Return the largest value of each gradient and the difference between manual and autograd."""
    leaves = random_inputs(seed)
    labels = torch.tensor([1, 4])
    expected = autograd_gradients(leaves, labels)
    with torch.no_grad():
        derived = manual_gradients(leaves, labels)
    return {name: compare_arrays(derived[name], expected[name]) for name in leaves}


def check_gradients(seed: int) -> dict[str, int]:
    """Return whether torch's gradients match finite differences, on random input and on black."""
    leaves = random_inputs(seed)
    linear = (leaves["image"].flatten(1)[:, :27], leaves["weights"], leaves["biases"])
    black = torch.zeros(1, 1, 4, 4).double().requires_grad_()
    convolution = (leaves["image"], leaves["filters"], leaves["filter biases"])
    checks: dict[str, tuple[Callable[..., Tensor], tuple[Tensor, ...]]] = {
        "convolution": (F.conv2d, convolution),
        "max pooling": (max_pool, (leaves["image"],)),
        "flatten and dense": (F.linear, linear),
        "max pooling of black": (max_pool, (black,)),
    }
    return {
        name: int(gradcheck(function, inputs, raise_exception=False))
        for name, (function, inputs) in checks.items()
    }


def max_pool(maps: Tensor) -> Tensor:
    """Apply 2x2 max pooling."""
    return F.max_pool2d(maps, 2)


def share_of_ties() -> float:
    """Return the share of 2x2 windows of the bundled images whose maximum is not unique."""
    windows = split_windows(torch.from_numpy(read_table("bundled").images))
    tied = (windows == windows.amax(-1, keepdim=True)).sum(-1) > 1
    return float(tied.double().mean())

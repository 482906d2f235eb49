"""The most memory that tensors take during a step of training: a job of a claim."""

import weakref
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from csvision.models.mlp import MLP

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "SGD": (torch.optim.SGD, {"lr": 0.1}),
    "SGD with momentum": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "Adam": (torch.optim.Adam, {"lr": 0.001}),
}


class Alive(TorchDispatchMode):
    """Keeps count of the bytes of all tensors alive that were made within it; `peak` is the most.

    Tensors that share their memory count once.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Do an operation and take note of the tensors that it makes."""
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor):
                self.hold(value.untyped_storage())
        return result

    def hold(self, storage: torch.UntypedStorage) -> None:
        """Count a piece of memory until it is given back."""
        key = id(storage)
        if key not in self.sizes:
            self.sizes[key] = storage.nbytes()
            weakref.finalize(storage, self.sizes.pop, key)
            self.peak = max(self.peak, sum(self.sizes.values()))


def peak(images: int, optimizer: str) -> int:
    """The most bytes that tensors take in two steps of training the notes' MLP on a batch.

    The batch itself counts, and so do the weights; the second step has all gradients and states.
    """
    kind, arguments = OPTIMIZERS[optimizer]
    torch.manual_seed(0)
    alive = Alive()
    with alive:
        batch = torch.rand(images, 1, 28, 28)
        labels = torch.randint(0, 10, (images,))
        network = MLP((1, 28, 28), 10)
        steps = kind(network.parameters(), **arguments)
        for _ in range(2):
            F.cross_entropy(network(batch), labels).backward()
            steps.step()
            steps.zero_grad()
    return alive.peak

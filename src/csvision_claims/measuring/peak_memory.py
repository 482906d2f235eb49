"""The peak memory of tensors during a training step."""

import weakref
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from csvision import MLP

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "SGD": (torch.optim.SGD, {"lr": 0.1}),
    "SGD with momentum": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "Adam": (torch.optim.Adam, {"lr": 0.001}),
}


class LiveTensorTracker(TorchDispatchMode):
    """Counts the bytes of all live tensors created inside the context; `peak` is the maximum.

    Tensors that share a storage count once.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation and track the tensors that it creates."""
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor):
                self.track(value.untyped_storage())
        return result

    def track(self, storage: torch.UntypedStorage) -> None:
        """Count a storage until it is freed."""
        key = id(storage)
        if key not in self.sizes:
            self.sizes[key] = storage.nbytes()
            weakref.finalize(storage, self.sizes.pop, key)
            self.peak = max(self.peak, sum(self.sizes.values()))


def measure_peak(images: int, optimizer: str) -> int:
    """Return the peak bytes of tensors in two training steps of the notes' MLP on one batch.

    The batch and the weights count; the second step also has all gradients and optimizer states.
    """
    optimizer_class, arguments = OPTIMIZERS[optimizer]
    torch.manual_seed(0)
    tracker = LiveTensorTracker()
    with tracker:
        batch = torch.rand(images, 1, 28, 28)
        labels = torch.randint(0, 10, (images,))
        network = MLP((1, 28, 28), 10)
        updates = optimizer_class(network.parameters(), **arguments)
        for _ in range(2):
            F.cross_entropy(network(batch), labels).backward()
            updates.step()
            updates.zero_grad()
    return tracker.peak

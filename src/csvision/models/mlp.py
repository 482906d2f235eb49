"""The fully connected network."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from csvision.config.model_schema import Activation
from csvision.models.layers import dense_layers


class MLP(nn.Module):
    """Flattens the image, then dense layers; `hidden=()` is multinomial logistic regression.

    The names of submodules are part of checkpoints and of weights_sha256.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        hidden: Sequence[int] = (128, 64),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.dense, units = dense_layers(prod(image_shape), hidden, Activation(activation), dropout)
        self.logits = nn.Linear(units, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) -> logits (N, K)."""
        logits: Tensor = self.logits(self.dense(self.flatten(images)))
        return logits

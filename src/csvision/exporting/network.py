"""The network of a run as a plain module: images in, probabilities out.

Shapes: N images, (C, H, W) an image, K classes.
"""

import torch
from torch import Tensor, nn

from csvision.classifier import Classifier

INPUT = "images"
OUTPUT = "probabilities"


class ExportedNetwork(nn.Module):
    """A classifier in eval mode and float32, with normalization and softmax inside.

    Takes uint8 images; 0 is black and 255 is white.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.transform = classifier.transform
        self.network = classifier.network
        self.register_buffer("mean", classifier.mean)
        self.register_buffer("std", classifier.std)
        self.float().eval()
        # torch.export.save warns about weights in another layout.
        self.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        # An exported graph has no gradients.
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W), uint8, -> probabilities (N, K), float32."""
        values = (self.transform(images).to(torch.float32) / 255 - self.mean) / self.std
        probabilities: Tensor = self.network(values).softmax(dim=1)
        return probabilities

"""What several claims read off a trained network."""

import torch
from torch import Tensor

from csvision.data.split import Part
from csvision.run.train import Trained


def images_of(part: Part) -> Tensor:
    """The images of a part (N, C, H, W), uint8, in its order."""
    return torch.from_numpy(part.table.images)[torch.from_numpy(part.rows)]


def labels_of(part: Part) -> Tensor:
    """The classes of a part (N,), in its order."""
    return torch.from_numpy(part.labels)


def predicted(trained: Trained, images: Tensor) -> Tensor:
    """The most probable class of each image (N,)."""
    batches = torch.split(images, 500)
    return torch.cat([trained.classifier.probabilities(batch).argmax(1) for batch in batches])

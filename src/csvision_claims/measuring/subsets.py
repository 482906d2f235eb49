"""The images and labels of a subset, and the predictions of a trained classifier."""

import torch
from torch import Tensor

from csvision import Subset, TrainResult


def subset_images(subset: Subset) -> Tensor:
    """Return the images of a subset (N, C, H, W), uint8, in its order."""
    return torch.from_numpy(subset.table.images)[torch.from_numpy(subset.indices)]


def subset_labels(subset: Subset) -> Tensor:
    """Return the class indices of a subset (N,), in its order."""
    return torch.from_numpy(subset.labels)


def predict_classes(trained: TrainResult, images: Tensor) -> Tensor:
    """Return the most probable class of each image (N,)."""
    batches = torch.split(images, 500)
    return torch.cat([trained.classifier.predict_proba(batch).argmax(1) for batch in batches])

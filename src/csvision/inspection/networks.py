"""The networks of a run that an inspection uses: trained, initial, and the control.

Shapes: B images per batch, C channels, H height, W width.
"""

from collections.abc import Callable

import numpy as np
import torch
from lightning import Trainer
from numpy.typing import NDArray
from torch import Tensor, nn

from csvision.classifier import Classifier
from csvision.data.splits import Subset
from csvision.evaluation import Floats
from csvision.inspection.attributions import ShownImages
from csvision.models.build import build_model
from csvision.rng import derive_seed
from csvision.run.loaded_run import LoadedRun
from csvision.run.provenance import package_versions, weights_sha256


def predictor(run: LoadedRun, trainer: Trainer) -> Callable[[Tensor], Floats]:
    """Return a function that predicts images (B, C, H, W) with the precision of the run."""

    def predict(images: Tensor) -> Floats:
        batches = torch.split(images, run.trained.batch_size)
        with trainer.precision_plugin.forward_context():
            logits = torch.cat([run.classifier.predict_logits(batch).cpu() for batch in batches])
        probabilities: Floats = logits.float().softmax(dim=1).numpy()
        return probabilities

    return predict


def network_inputs(
    classifier: Classifier, subset: Subset, positions: list[int]
) -> tuple[Tensor, Tensor]:
    """Return the images of rows after the transform, uint8, and the inputs of the network."""
    stored = torch.from_numpy(subset.table.images[subset.indices[positions]])
    with torch.no_grad():
        images = classifier.transform(stored.to(classifier.device))
        return images, classifier.normalize(images)


def rebuild_initial(run: LoadedRun, image_shape: tuple[int, ...]) -> tuple[nn.Module | None, str]:
    """Return the network before training, built from the seed as training does, and its status.

    It is None if its weights are not those that the run has recorded.
    """
    config, manifest = run.trained, run.directory.read_manifest()
    seed = derive_seed(config.seed, "weights")
    network = build_model(config.model, image_shape, len(run.classifier.classes), seed)
    recorded = manifest.get("initial_weights_sha256")
    versions = manifest.get("versions", {}).get("torch"), package_versions()["torch"]
    if recorded is None:
        return network, (
            "rebuilt from the seed; not verified, because run.json has no initial_weights_sha256 "
            f"(torch {versions[0]} in training, {versions[1]} now)"
        )
    if weights_sha256(network.state_dict()) == recorded:
        return network, "rebuilt from the seed; verified by initial_weights_sha256 in run.json"
    return None, (
        "not shown: the weights rebuilt from the seed differ from initial_weights_sha256 in "
        f"run.json (torch {versions[0]} in training, {versions[1]} now)"
    )


def show_images(run: LoadedRun, values: Tensor, predictions: NDArray[np.int64]) -> ShownImages:
    """Return what is attributed; the control has the initial weights of another seed."""
    config, network = run.trained, run.classifier.network
    seed = derive_seed(config.seed, "inspection")
    shape, num_classes = tuple(values.shape[1:]), len(run.classifier.classes)
    control = build_model(config.model, shape, num_classes, seed).eval()
    return ShownImages(
        network,
        control.to(values.device, values.dtype),
        values,
        torch.from_numpy(predictions).to(values.device),
        run.classifier.normalize(torch.zeros_like(values[0, :, :1, :1])),
        config.batch_size,
    )

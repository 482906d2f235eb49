"""What the demo answers for an image: probabilities, Grad-CAM and feature maps.

Shapes: C channels, H height, W width.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from csvision.classifier import Classifier
from csvision.config.model_schema import ModelConfig
from csvision.data.data_spec import DataSpec
from csvision.evaluation import EVALUATION_SEED
from csvision.inspection.applicable import Missing, attempt
from csvision.inspection.attributions import find_last_convolution, grad_cam
from csvision.inspection.draw import draw_values
from csvision.inspection.layers import SKIPPED, LayerCall, record_layers
from csvision.inspection.pictures import Picture, fit_scale, signed_pixels
from csvision.rng import seeded_generators

GRAD_CAM_WIDTH = 224
"""Pixels of the picture of Grad-CAM, about."""


@dataclass(frozen=True)
class DemoNetwork:
    """The network of a run, and the images that it takes."""

    classifier: Classifier
    model: ModelConfig
    spec: DataSpec

    @property
    def image_bytes(self) -> int:
        """The number of bytes of an image (C, H, W)."""
        return int(np.prod(self.spec.image_shape))

    def respond(self, data: bytes) -> dict[str, Any]:
        """Return what the page shows for an image (C, H, W), one byte for each value."""
        image = np.frombuffer(data, np.uint8).reshape(1, *self.spec.image_shape).copy()
        with seeded_generators(EVALUATION_SEED):
            return self.describe(torch.from_numpy(image))

    def describe(self, image: Tensor) -> dict[str, Any]:
        """Return probabilities and pictures of an image (1, C, H, W)."""
        classifier = self.classifier
        probabilities = classifier.predict_proba(image)[0].tolist()
        with torch.no_grad():
            values = classifier.normalize(classifier.transform(image))
        calls = record_layers(classifier.network, values)
        target = torch.tensor([int(np.argmax(probabilities))])
        cam = attempt("Grad-CAM", self.model, lambda: self.draw_grad_cam(calls, values, target))
        return {
            "probabilities": [
                {"name": name, "value": value}
                for name, value in zip(self.spec.classes, probabilities, strict=True)
            ],
            "grad_cam": {"missing": cam.reason} if isinstance(cam, Missing) else picture(cam),
            "layers": [
                {
                    "name": call.name,
                    "shape": "x".join(map(str, call.output.shape[1:])),
                    **picture(draw_values(call.name, call.name, call.output[0].float().numpy())[0]),
                }
                for call in calls
                if not isinstance(call.module, SKIPPED)
            ],
        }

    def draw_grad_cam(self, calls: list[LayerCall], values: Tensor, target: Tensor) -> Picture:
        """Draw Grad-CAM of the last convolution for the predicted class."""
        layer = find_last_convolution(calls).name.partition("#")[0]
        cells = grad_cam(self.classifier.network, layer, values, target)[0].numpy()
        pixels = signed_pixels(cells)
        scale = fit_scale(pixels.shape[1], GRAD_CAM_WIDTH)
        return Picture("Grad-CAM", f"Grad-CAM of {layer}", scale, pixels)


def picture(drawn: Picture) -> dict[str, Any]:
    """Return a picture as the page needs it."""
    return {"uri": drawn.uri, "width": drawn.width, "height": drawn.height, "alt": drawn.alt}

"""What the demo answers equals what the run has predicted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import csvision
from csvision.config.model_schema import CustomModelConfig, ModelName
from csvision.demo_server.responses import DemoNetwork


def test_probabilities_are_those_of_the_run(
    network: DemoNetwork, small_run_result: csvision.TrainResult
) -> None:
    evaluation = small_run_result.evaluation
    for position in range(3):
        row = evaluation.subset.indices[position]
        answer = network.respond(evaluation.subset.table.images[row].tobytes())
        values = [each["value"] for each in answer["probabilities"]]
        np.testing.assert_allclose(values, evaluation.probabilities[position], atol=1e-6)
        assert [each["name"] for each in answer["probabilities"]] == network.spec.classes


def test_pictures_have_grad_cam_and_every_layer(network: DemoNetwork) -> None:
    answer = network.respond(bytes(64))
    assert answer["grad_cam"]["uri"].startswith("data:image/png;base64,")
    names = [layer["name"] for layer in answer["layers"]]
    assert names[0] == "stages.0.convolution"
    assert names[-1] == "logits"
    assert answer["layers"][0]["shape"] == "8x8x8"


class NoGradients(nn.Module):
    """A network that refuses gradients of its input."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        if images.requires_grad:
            raise ValueError("no gradients, please")
        logits: Tensor = self.network(images)
        return logits


def test_custom_network_without_gradients_still_predicts(network: DemoNetwork) -> None:
    classifier = csvision.Classifier(NoGradients(network.classifier.network), network.spec.classes)
    model = CustomModelConfig(ModelName.custom, "net.py:Net", {})
    answer = replace(network, classifier=classifier, model=model).respond(bytes(64))
    assert "no gradients, please" in answer["grad_cam"]["missing"]
    assert sum(each["value"] for each in answer["probabilities"]) == pytest.approx(1)


def test_random_state_of_the_caller_is_kept(network: DemoNetwork) -> None:
    before = torch.get_rng_state()
    network.respond(bytes(64))
    assert torch.equal(torch.get_rng_state(), before)

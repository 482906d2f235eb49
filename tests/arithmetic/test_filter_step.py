"""One filter at one position: by hand, and against torch's convolution."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from csvision.arithmetic.filter_step import FilterExplanation, explain_filter
from csvision.arithmetic.filter_text import format_filter
from csvision.classifier import Classifier
from csvision.errors import ConfigError

IMAGE = (np.arange(5 * 6).reshape(1, 5, 6) * 8).astype(np.uint8)


def classifier_of(*modules: nn.Module) -> Classifier:
    torch.manual_seed(0)
    network = nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3))
    network.eval()(torch.zeros(1, 1, 5, 6))
    return Classifier(network, ["a", "b", "c"]).eval()


def explain(
    classifier: Classifier,
    layer: str | None = None,
    filter: int = 0,
    position: list[int] | None = None,
) -> FilterExplanation:
    return explain_filter(classifier, IMAGE, 7, "a", layer, filter, position)


def test_corner_by_hand() -> None:
    convolution = nn.Conv2d(1, 1, 3, padding=1)
    with torch.no_grad():
        convolution.weight.copy_(torch.arange(1.0, 10).reshape(1, 1, 3, 3))
        assert convolution.bias is not None
        convolution.bias.fill_(0.5)
    step = explain(classifier_of(convolution), position=[0, 0])
    (channel,) = step.channels
    assert channel.weights == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    # Black pixels outside of the image; inside, 0 and 8 above 48 and 56.
    patch = [[0, 0, 0], [0, 0, 8], [0, 48, 56]]
    np.testing.assert_allclose(np.array(channel.patch) * 255, patch, rtol=1e-6)
    total = (8 * 6 + 48 * 8 + 56 * 9) / 255
    assert channel.total == pytest.approx(total)
    assert step.output == pytest.approx(total + 0.5)
    assert (step.origin, step.span, step.stride) == ((-1, -1), (3, 3), (1, 1))
    assert step.next_position == (0, 1)
    assert (step.other_channels, step.other_total) == (0, 0)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(4, 6, 3),
        nn.Conv2d(4, 6, 2, stride=2, bias=False),
        nn.Conv2d(4, 6, 3, padding=2, dilation=2),
        nn.Conv2d(4, 6, (3, 2), padding=(1, 0), groups=2),
        nn.Conv2d(4, 4, 3, padding=1, groups=4, padding_mode="circular"),
        nn.Conv2d(4, 6, 3, padding="same", padding_mode="reflect"),
    ],
    ids=str,
)
@pytest.mark.parametrize("position", [[0, 0], [1, 1]])
def test_outputs_are_those_of_torch(convolution: nn.Conv2d, position: list[int]) -> None:
    classifier = classifier_of(nn.Conv2d(1, 4, 1), convolution)
    step = explain(classifier, "1", filter=3, position=position)
    with torch.no_grad():
        inputs = classifier.network[0](torch.from_numpy(IMAGE)[None] / 255)  # type: ignore[index]
        outputs = convolution(inputs)[0, 3]
    np.testing.assert_allclose(step.output_map, outputs, rtol=1e-5)
    products = sum(channel.total for channel in step.channels) + step.other_total
    assert products + step.bias == pytest.approx(float(outputs[tuple(position)]), rel=1e-4)
    channels = len(step.channels) + step.other_channels
    assert channels == 4 // convolution.groups
    assert step.output == pytest.approx(step.output_map[position[0]][position[1]])
    for channel in step.channels:
        expected = np.array(channel.patch) * np.array(channel.weights)
        np.testing.assert_array_equal(channel.products, expected)


def test_shown_channels_have_the_largest_sums() -> None:
    step = explain(classifier_of(nn.Conv2d(1, 8, 3), nn.Conv2d(8, 1, 2)), "1", position=[1, 1])
    sums = [abs(channel.total) for channel in step.channels]
    assert len(sums) == 3
    assert sums == sorted(sums, reverse=True)
    assert step.other_channels == 5


def test_default_position_has_the_largest_output() -> None:
    step = explain(classifier_of(nn.Conv2d(1, 2, 3)), filter=1)
    assert step.output == max(max(row) for row in step.output_map)
    assert step.layer == "0"


def test_next_position_starts_a_row_and_ends_after_the_last() -> None:
    classifier = classifier_of(nn.Conv2d(1, 1, 3))
    assert explain(classifier, position=[0, 3]).next_position == (1, 0)
    last = explain(classifier, position=[2, 3])
    assert (last.next_position, last.next_output) == (None, None)
    assert "next position" not in format_filter(last)


def test_network_runs_a_convolution_that_pads_nothing() -> None:
    convolution = nn.Conv2d(1, 1, 3)
    step = explain(classifier_of(convolution), position=[1, 2])
    with torch.no_grad():
        values = torch.from_numpy(IMAGE)[None] / 255
        expected = F.conv2d(values, convolution.weight, convolution.bias)[0, 0, 1, 2]
    assert step.output == pytest.approx(float(expected))
    assert step.origin == (1, 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"layer": "nothing"}, "layer=nothing is no convolution of the network; choose from 0"),
        ({"filter": 2}, "filter=2: 0 has 2 filters"),
        ({"position": [3, 0]}, r"position=\[3,0\]: the output of 0 is 3x4"),
    ],
)
def test_error_names_its_key(words: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        explain(classifier_of(nn.Conv2d(1, 2, 3)), **words)  # type: ignore[arg-type]


def test_network_without_convolution_is_refused() -> None:
    with pytest.raises(ConfigError, match="the network has no convolution"):
        explain(classifier_of(nn.Identity()))

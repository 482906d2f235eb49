"""Explanations of custom networks, against those that are computed for the same layers."""

from pathlib import Path

import pytest
import torch
from torch import nn

from csvision.arithmetic.layers import WHOLE_IMAGE, explain_configured
from csvision.arithmetic.measured import explain_custom, module_windows
from csvision.arithmetic.windows import Window
from csvision.config.model_schema import CustomModelConfig, ModelName, Normalization, Stage
from csvision.layer_shapes import LayerSummary, layer_table
from tests.test_layer_shapes import cnn_of

SHAPE = (1, 30, 30)

SAME_AS_CNN = """
from csvision import CNN, Stage


class Net(CNN):
    def __init__(self, image_shape, num_classes):
        stages = [Stage(4, normalization="batch"), Stage(6, stride=2)]
        super().__init__(image_shape, num_classes, stages, hidden=[5])
"""

TRANSPARENT = """
from torch import nn


class Net(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.wide = nn.Conv2d(1, 2, (3, 5), padding=(1, 0))
        self.logits = nn.LazyLinear(num_classes)

    def forward(self, images):
        maps = self.wide(images)
        {check}
        return self.logits(maps.flatten(1))
"""


def custom(folder: Path, code: str) -> CustomModelConfig:
    (folder / "net.py").write_text(code, encoding="utf-8")
    return CustomModelConfig(ModelName.custom, path=f"{folder / 'net.py'}:Net", kwargs={})


def test_measured_and_computed_numbers_are_equal(tmp_path: Path) -> None:
    model = cnn_of(Stage(4, normalization=Normalization.batch), Stage(6, stride=2))
    model.hidden = [5]
    table = layer_table(model, SHAPE, 3)
    assert table is not None
    computed = explain_configured(model, table, SHAPE, 3, batch_size=7)
    measured = explain_custom(custom(tmp_path, SAME_AS_CNN), SHAPE, 3, batch_size=7, seed=0)
    assert measured.model == "custom"
    assert (measured.parameters, measured.multiply_adds) == (
        computed.parameters,
        computed.multiply_adds,
    )
    assert measured.kept_bytes == computed.kept_bytes
    rows = {layer.name.replace(".linear", ""): layer for layer in measured.layers}
    for layer in computed.layers:
        if layer.name == "flatten":
            # The CNN calls its module so, whether it pools or only flattens.
            assert rows["global_pool"].receptive_field == layer.receptive_field
        if layer.name.endswith(("convolution", "pool")):
            other = rows[layer.name]
            assert (other.output_formula, other.corner_uses, other.center_uses) == (
                layer.output_formula,
                layer.corner_uses,
                layer.center_uses,
            )
            assert other.receptive_field == layer.receptive_field
            assert other.output_shape == layer.output_shape
            assert other.output_bytes == layer.output_bytes
    assert rows["logits"].receptive_field == WHOLE_IMAGE


def test_windows_that_are_not_square_have_a_formula_for_each_axis(tmp_path: Path) -> None:
    code = TRANSPARENT.replace("{check}", "")
    wide, logits = explain_custom(custom(tmp_path, code), SHAPE, 3, batch_size=2, seed=0).layers
    assert wide.output_formula == "(30 + 2*1 - 3)/1 + 1 = 30, (30 - 5)/1 + 1 = 26"
    assert wide.receptive_field == (3, 5)
    assert (wide.corner_uses, wide.center_uses) == (2 * 1, 3 * 5)
    assert logits.output_formula == ""


@pytest.mark.parametrize("check", ["assert not images.isnan().any()", "images = images.float()"])
def test_network_that_rejects_nan_is_explained_without_receptive_field(
    tmp_path: Path, check: str
) -> None:
    code = TRANSPARENT.replace("{check}", f"{check}; maps = self.wide(images)")
    network = explain_custom(custom(tmp_path, code), SHAPE, 3, batch_size=2, seed=0)
    assert {layer.receptive_field for layer in network.layers} == {None}
    assert network.layers[0].output_formula


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Conv2d(1, 1, 3, padding="same"), Window(3, padding=(1, 1))),
        (nn.Conv2d(1, 1, 3, 2, 1, 2), Window(3, 2, (1, 1), 2)),
        (nn.MaxPool2d(3, 2, 1), Window(3, 2, (1, 1))),
        (nn.AvgPool2d(2), Window(2, 2)),
    ],
)
def test_window_of_a_module(module: nn.Module, expected: Window) -> None:
    with torch.no_grad():
        output = module(torch.zeros(1, 1, 9, 9))
    row = LayerSummary("", 0, 0, (1, 9, 9), tuple(output.shape[1:]))
    windows = module_windows(module, row)
    assert windows == (expected, expected)
    assert windows[0].output_size(9) == row.output_shape[1]


def test_module_without_a_window_has_none() -> None:
    row = LayerSummary("", 0, 0, (1, 9, 9), (1, 5, 5))
    assert module_windows(nn.MaxPool2d(2, ceil_mode=True), row) is None
    assert module_windows(nn.ReLU(), row) is None

"""Explanations of configured networks: by hand, and the receptive field against NaN."""

import pytest

from csvision.arithmetic.layers import WHOLE_IMAGE, NetworkExplanation, explain_configured
from csvision.arithmetic.measured import receptive_fields as measured_fields
from csvision.config.model_schema import Normalization, PaddingMode, Pool, Stage
from csvision.layer_shapes import layer_table
from csvision.models.build import build_model
from csvision.models.summary import profile_layers
from csvision_claims.course_notes.a08_layer_table import CLAIMED_PARAMETERS, LAYER_TABLE
from csvision_claims.course_notes.a09_summary import CLAIMED_PARAMETERS as CLAIMED_MLP
from tests.test_layer_shapes import CLASSES, cnn_of, load_model


def explain_default(choice: str, channels: int) -> NetworkExplanation:
    model, shape = load_model(choice), (channels, 28, 28)
    table = layer_table(model, shape, 10)
    assert table is not None
    return explain_configured(model, table, shape, 10, batch_size=32)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", CLAIMED_PARAMETERS)
def test_layers_are_those_of_the_notes(channels: int) -> None:
    network = explain_default("cnn", channels)
    shapes = {layer.name: layer.output_shape for layer in network.layers}
    # The notes' table, under the names of torch's modules.
    renamed = {"flatten": "global_pool", "dense.0": "dense.0.linear"}
    assert {renamed.get(name, name): shape for name, shape in shapes.items()} == LAYER_TABLE
    assert network.parameters == CLAIMED_PARAMETERS[channels]


def test_parameters_of_the_mlp_are_those_of_the_notes() -> None:
    assert explain_default("mlp", 1).parameters == CLAIMED_MLP


def test_first_layers_of_the_default_cnn_by_hand() -> None:
    convolution, pool, *_ = explain_default("cnn", 1).layers
    assert convolution.output_formula == "(28 + 2*1 - 3)/1 + 1 = 28"
    assert convolution.parameter_formula == "32*(1*3*3 + 1) = 320"
    assert convolution.receptive_field == (3, 3)
    assert (convolution.corner_uses, convolution.center_uses) == (4, 9)
    assert convolution.output_bytes == convolution.kept_bytes == 4 * 32 * 32 * 28 * 28
    assert convolution.gradient_bytes == 4 * 320
    assert pool.output_formula == "(28 - 2)/2 + 1 = 14"
    assert (pool.receptive_field, pool.corner_uses, pool.center_uses) == ((4, 4), 1, 1)
    # Each maximum is kept with its index of 8 bytes.
    assert pool.kept_bytes == (4 + 8) * 32 * 32 * 14 * 14


def test_flattening_does_not_change_the_receptive_field() -> None:
    """3x3, then pooling by 2, twice: 10 pixels; a dense layer sees all of the image."""
    *_, flatten, dense, _ = explain_default("cnn", 1).layers
    assert (flatten.name, flatten.receptive_field) == ("flatten", (10, 10))
    assert dense.receptive_field == WHOLE_IMAGE
    assert explain_default("mlp", 1).layers[0].receptive_field == (1, 1)


def test_large_numbers_in_formulas_have_thousands_separators() -> None:
    *_, flatten, dense, _ = explain_default("cnn", 1).layers
    assert flatten.output_formula == "64*7*7 = 3,136"
    assert dense.parameter_formula == "64*(3,136 + 1) = 200,768"


def test_totals_are_the_sums_of_the_layers() -> None:
    network = explain_default("cnn", 1)
    assert network.multiply_adds == 4_039_808
    assert network.weight_bytes == network.gradient_bytes == 4 * 220_234
    assert network.image_bytes == 4 * 32 * 784
    kept = [layer.kept_bytes or 0 for layer in network.layers]
    assert network.kept_bytes == network.image_bytes + sum(kept)
    assert network.output_bytes == sum(layer.output_bytes for layer in network.layers)


@pytest.mark.parametrize("normalization", Normalization)
def test_normalization_of_an_image_sees_the_whole_image(normalization: Normalization) -> None:
    model = cnn_of(Stage(normalization=normalization), Stage())
    table = layer_table(model, (1, 28, 28), 10)
    assert table is not None
    network = explain_configured(model, table, (1, 28, 28), 10, batch_size=1)
    fields = [layer.receptive_field for layer in network.layers]
    of_image = normalization in (Normalization.instance, Normalization.layer)
    assert (fields[1] == WHOLE_IMAGE) == of_image


@pytest.mark.parametrize(
    "stages",
    [
        [Stage(2), Stage(2), Stage(2, pool=Pool.none)],
        [Stage(2, 5, stride=2, pool=Pool.avg, pool_size=3, pool_stride=1), Stage(2, 4, padding=2)],
        [Stage(2, dilation=2, padding=2, residual=1, pool=Pool.none), Stage(2, 2, padding="same")],
        [Stage(2, padding_mode=PaddingMode.circular, normalization=Normalization.batch), Stage(2)],
        [Stage(2), Stage(2, normalization=Normalization.layer), Stage(2)],
    ],
)
def test_receptive_field_is_where_the_output_depends_on_the_image(stages: list[Stage]) -> None:
    model, shape = cnn_of(*stages), (1, 40, 40)
    table = layer_table(model, shape, CLASSES)
    assert table is not None
    network = build_model(model, shape, CLASSES, seed=0)
    names = [row.name for row in profile_layers(network, shape)]
    measured = dict(zip(names, measured_fields(network, shape), strict=True))
    rows = explain_configured(model, table, shape, CLASSES, batch_size=1).layers
    found = {row.name: measured[row.name] for row in rows if row.name.startswith("stages")}
    assert found == {name: row.receptive_field for row in rows if (name := row.name) in found}
    assert len(found) >= len(stages)

"""The estimated memory of a run: by hand, as a lower bound of what torch keeps, and refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import csvision
from csvision.config import model_schema, schema
from csvision.config.compose import load_config
from csvision.errors import ConfigError
from csvision.layer_shapes import LayerSummary, Shape, layer_table
from csvision.models.build import build_model
from csvision.models.cnn import CNN
from csvision.optim import build_optimizer
from csvision.run import memory
from csvision.run.directory import RunDirectory
from csvision.run.memory import (
    batch_uses,
    check_training_memory,
    container_limits,
    machine_memory,
    optimizer_states,
    weight_uses,
)
from tests.conftest import SMALL_RUN
from tests.test_layer_shapes import cnns, image_shapes

CLASSES = 3

DEFAULT: schema.TrainConfig = load_config("train", [])


def config_of(*overrides: str) -> schema.TrainConfig:
    config: schema.TrainConfig = load_config("train", overrides)
    return config


def layers_of(config: schema.TrainConfig, image_shape: Shape) -> list[LayerSummary]:
    layers = layer_table(config.model, image_shape, CLASSES)
    assert layers is not None
    return layers


def error_of(config: schema.TrainConfig, image_shape: Shape = (1, 28, 28), rows: int = 1000) -> str:
    with pytest.raises(ConfigError) as raised:
        check_training_memory(config, image_shape, 10, rows)
    (message,) = raised.value.messages
    return message


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine have 2 GiB."""
    monkeypatch.setattr(memory, "machine_memory", lambda: 2 << 30)


@pytest.mark.parametrize(
    ("overrides", "states"),
    [
        (("optimizer=sgd",), 0),
        (("optimizer=sgd", "optimizer.momentum=0.9"), 1),
        (("optimizer=adam",), 2),
        (("optimizer=adamw",), 2),
    ],
)
def test_optimizer_states_are_those_of_torch(overrides: tuple[str, ...], states: int) -> None:
    config = config_of(*overrides)
    network = nn.Linear(3, 2)
    optimizer = build_optimizer(config.optimizer, network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    kept = sum(
        value.numel()
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, Tensor) and value.dim()
    )
    assert optimizer_states(config.optimizer) == states == kept / 8


class TestByHand:
    MLP = ("model=mlp", "model.hidden=[5]")

    def test_weights_of_each_layer(self) -> None:
        config = config_of(*self.MLP)
        uses = [*weight_uses(config, layers_of(config, (1, 2, 2)), copies=4)]
        # 4 x 5 + 5 and 5 x 3 + 3 parameters of 4 bytes; flatten has none.
        assert [use.size for use in uses] == [0, 25 * 4 * 4, 18 * 4 * 4]
        assert [use.name for use in uses][1:] == ["model.dense.0", "model.logits"]
        assert uses[1].keys == ("model.hidden.0",)

    @pytest.mark.parametrize(
        ("precision", "size"), [("64-true", 8), ("32-true", 4), ("bf16-mixed", 2), ("16-mixed", 2)]
    )
    def test_outputs_of_a_batch(self, precision: str, size: int) -> None:
        config = config_of(*self.MLP, f"accelerator.precision={precision}")
        uses = [*batch_uses(config, layers_of(config, (1, 2, 2)), (1, 2, 2), 7)]
        assert [use.size for use in uses] == [7 * 4 * size, 7 * 5 * size, 7 * 3 * size]
        assert all("batch_size" in use.keys for use in uses)

    def test_shifted_images_of_a_batch(self) -> None:
        config = config_of(*self.MLP, "augmentation.translate=3")
        _, shifted, *_ = batch_uses(config, [], (2, 4, 5), 7)
        assert (shifted.name, shifted.size) == ("augmentation.translate", 7 * 2 * 10 * 11)


def saved_bytes(network: nn.Module, images: Tensor) -> int:
    """Return the bytes of the images and of what torch keeps for the backward pass.

    Weights do not count. The input of the global pooling does: the mean does not keep it, but it
    exists at the same time as everything before.
    """
    saved: dict[int, int] = {}
    alive = [images]

    def pack(value: Tensor) -> Tensor:
        saved[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    if isinstance(network, CNN):
        network.global_pool.register_forward_pre_hook(lambda _, inputs: alive.extend(inputs))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        loss = nn.functional.cross_entropy(network(images), torch.tensor([0] * len(images)))
    for tensor in alive:
        pack(tensor)
    for weights in network.parameters():
        saved.pop(weights.untyped_storage().data_ptr(), None)
    assert loss.requires_grad
    return sum(saved.values())


mlps = st.builds(
    model_schema.MLPConfig,
    name=st.just(model_schema.ModelName.mlp),
    hidden=st.lists(st.integers(1, 5), max_size=2),
    activation=st.sampled_from(model_schema.Activation),
    dropout=st.just(0.0),
)


@pytest.mark.slow
@given(model=cnns | mlps, image_shape=image_shapes)
@settings(max_examples=150, deadline=None)
def test_outputs_are_a_lower_bound_of_what_torch_keeps(model: Any, image_shape: Shape) -> None:
    config = replace(DEFAULT, model=model)
    try:
        layers = layers_of(config, image_shape)
    except ConfigError:
        return
    network = build_model(model, image_shape, CLASSES, seed=0).train()
    estimate = sum(use.size for use in batch_uses(config, layers, image_shape, 3))
    assert estimate <= saved_bytes(network, torch.rand(3, *image_shape))


class TestRefusal:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("overrides", "start", "keys"),
        [
            (("model=mlp", "model.hidden=[500,1000000]"), "model.dense.1: ", "model.hidden.1"),
            (("model.stages.1.filters=1000000",), "model.dense.0: ", "model.hidden.0"),
            (("model.hidden=[1000000]",), "model.dense.0: ", "model.hidden.0"),
            (
                ("model.stages.1.padding=900", "model.global_pool=avg"),
                "model.stages.1.convolution: ",
                "batch_size or model.stages.1.padding or model.stages.1.filters",
            ),
            (
                ("model.stages.0.filters=20000", "batch_size=500", "model.global_pool=avg"),
                "model.stages.0.convolution: ",
                "batch_size or model.stages.0.filters",
            ),
            (
                ("data.pad=1000", "model.stages=[]", "model.hidden=[]", "batch_size=500"),
                "batch_size: ",
                "data.pad",
            ),
            (
                ("augmentation.translate=10000",),
                "augmentation.translate: ",
                "augmentation.translate or batch_size",
            ),
            (("accelerator=cpu", "accelerator.devices=100"), "", "accelerator.devices"),
            (
                ("model=mlp", f"model.hidden={[3000] * 200}".replace(" ", "")),
                "model.dense.1: ",
                "model.hidden.1 or the number of layers",
            ),
        ],
        ids=lambda value: value[0] if isinstance(value, tuple) else "",
    )
    @pytest.mark.usefixtures("small_machine")
    def test_names_the_largest_part_and_the_keys_to_reduce(
        self, overrides: tuple[str, ...], start: str, keys: str
    ) -> None:
        config = config_of(*overrides)
        pad = 2 * config.data.pad
        message = error_of(config, (1, 28 + pad, 28 + pad))
        assert message.startswith(start)
        assert " GiB of memory, " in message
        assert "there is 2.0 GiB" in message
        assert keys in message.partition("; reduce ")[2]

    @pytest.mark.usefixtures("small_machine")
    def test_batch_counts_no_more_rows_than_there_are(self) -> None:
        config = config_of("batch_size=1000000000")
        check_training_memory(config, (1, 28, 28), 10, rows=100)
        assert "reduce batch_size" in error_of(config, rows=100_000)

    def test_happens_exactly_above_the_memory_of_the_machine(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = config_of("model=mlp", "model.hidden=[5]", "batch_size=7", "accelerator=cpu")
        # 43 parameters of 4 x 4 bytes; 4 pixels, 5 units and 3 logits for 7 images, 4 bytes each.
        needed = memory.PROCESS_BYTES + 43 * 16 + 7 * (4 + 5 + 3) * 4
        monkeypatch.setattr(memory, "machine_memory", lambda: needed)
        check_training_memory(config, (1, 2, 2), 3, rows=50)
        monkeypatch.setattr(memory, "machine_memory", lambda: needed - 1)
        with pytest.raises(ConfigError):
            check_training_memory(config, (1, 2, 2), 3, rows=50)

    @pytest.mark.slow
    def test_of_a_gpu_depends_on_its_own_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "device_memory", lambda name: 80 << 30)
        monkeypatch.setattr(memory, "machine_memory", lambda: 1 << 30)
        check_training_memory(config_of("batch_size=50000"), (1, 28, 28), 10, rows=50_000)
        assert "there is 80.0 GiB" in error_of(config_of("model.hidden=[1000000,1000000]"))

    def test_of_any_machine_comes_before_anything_is_written(
        self, digits_csv: Path, working_folder: Path
    ) -> None:
        before = sorted(working_folder.rglob("*"))
        with pytest.raises(ConfigError, match=r"^model\.dense\.1: .* model\.hidden\.1$"):
            csvision.train(*SMALL_RUN, "model.hidden=[1000000,1000000]")
        assert sorted(working_folder.rglob("*")) == before

    @pytest.mark.parametrize("act", [csvision.load, csvision.evaluate, csvision.reproduce])
    def test_of_a_changed_run_comes_before_the_network_is_built(
        self, act: Any, small_run: RunDirectory
    ) -> None:
        config = small_run.read_manifest()["config"]
        config["model"]["hidden"] = [1_000_000, 1_000_000]
        small_run.update_manifest(config=config)
        with pytest.raises(ConfigError, match=r"^model\.dense\.1: "):
            act(small_run.path)


class TestMachine:
    def test_has_its_memory_unless_a_container_has_less(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        limit = tmp_path / "memory.max"
        monkeypatch.setattr(memory, "CGROUP_FILES", (limit, tmp_path / "missing"))
        total = psutil.virtual_memory().total
        assert machine_memory() == total
        for text, expected in (("1073741824\n", 1 << 30), ("max\n", total), (f"{1 << 62}", total)):
            limit.write_text(text, encoding="ascii")
            assert machine_memory() == expected
        assert [*container_limits()] == [1 << 62]

"""A last batch of one image is refused if batch normalization cannot be trained on it."""

from pathlib import Path

import pytest

import csvision
from csvision.config import schema
from csvision.config.compose import load_config
from csvision.data.loader import BatchLoader, ShardInfo
from csvision.data.splits import load_splits
from csvision.errors import ConfigError
from csvision.run.last_batch import check_last_batch, last_batch_size
from csvision.run.prepare import prepare_run
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_TRAINING

# 8x8 images become 1x1 maps.
ONE_PIXEL = "model.stages=[{filters:4,kernel_size:8,padding:0,normalization:batch,pool:none}]"
RESIDUAL = (
    "model.stages=[{filters:4,kernel_size:8,padding:0,pool:none},"
    "{filters:4,residual:1,normalization:batch,pool:none}]"
)
TWO_BY_TWO = "model.stages=[{filters:4,kernel_size:7,padding:0,normalization:batch,pool:none}]"
LAYER_NORM = "model.stages=[{filters:4,kernel_size:8,padding:0,normalization:layer,pool:none}]"

pytestmark = pytest.mark.usefixtures("digits_csv")


def config_of(*overrides: str) -> schema.TrainConfig:
    # 240 training rows without a validation split.
    config: schema.TrainConfig = load_config(
        "train", [*SMALL_TRAINING, "data.val_size=0", "epochs=1", *overrides]
    )
    return config


@pytest.mark.parametrize(
    ("batch_size", "devices"), [(1, 1), (28, 1), (239, 1), (240, 1), (500, 1), (7, 3), (79, 3)]
)
def test_last_batch_size_is_that_of_the_loader(batch_size: int, devices: int) -> None:
    config = config_of(f"batch_size={batch_size}", f"accelerator.devices={devices}")
    train = load_splits(config.data).train
    for rank in range(devices):
        shard = ShardInfo(rank=rank, world_size=devices)
        *_, (images, _) = BatchLoader(train, batch_size, seed=0, shard=shard)
        assert len(images) == last_batch_size(config, len(train))


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (
            [ONE_PIXEL, "batch_size=239"],
            ["batch_size=239: ", "240 training rows", "stages.0.normalization", "batch_size=240"],
        ),
        ([ONE_PIXEL, "batch_size=1"], ["batch_size=1: ", "write batch_size=2"]),
        ([RESIDUAL, "batch_size=239"], ["model.stages.1.normalization"]),
        (
            [ONE_PIXEL, "batch_size=79", "accelerator.devices=3"],
            ["batch_size=79: ", "80 training rows on each of 3 devices", "write batch_size=80"],
        ),
        ([ONE_PIXEL, "debug.limit_rows=1"], ["1 training rows", "add training rows"]),
    ],
)
def test_batch_normalization_of_one_pixel_refuses_one_image(
    overrides: list[str], parts: list[str]
) -> None:
    with pytest.raises(ConfigError) as raised:
        prepare_run(config_of(*overrides))
    (message,) = raised.value.messages
    for part in parts:
        assert part in message


def test_suggested_batch_size_leaves_more_than_one_image() -> None:
    # 25 rows: 4, 6, 8 and 12 leave one.
    config = config_of(ONE_PIXEL, "batch_size=12", "debug.limit_rows=25")
    with pytest.raises(ConfigError, match="write batch_size=13"):
        prepare_run(config)
    config.batch_size = 3
    with pytest.raises(ConfigError, match="write batch_size=5"):
        prepare_run(config)


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        [ONE_PIXEL, "batch_size=238"],
        [TWO_BY_TWO, "batch_size=239"],
        [LAYER_NORM, "batch_size=239"],
        ["model=mlp", "batch_size=239"],
    ],
)
def test_what_can_be_trained_is_accepted_and_trains(overrides: list[str]) -> None:
    config = config_of(*overrides)
    assert csvision.train(config).metrics["train/loss"] > 0


def test_refused_networks_could_not_have_been_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csvision.run.prepare.check_last_batch", lambda *arguments: None)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        csvision.train(config_of(ONE_PIXEL, "batch_size=239"))


BATCH_NORM_NET = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self, image_shape, num_classes):
        super().__init__(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, num_classes))
"""


def test_custom_network_with_batch_normalization_refuses_one_image() -> None:
    Path("net.py").write_text(BATCH_NORM_NET, encoding="utf-8")
    custom = ("model=custom", "model.path=net.py:Net")
    with pytest.raises(ConfigError) as raised:
        prepare_run(config_of(*custom, "batch_size=239"))
    (message,) = raised.value.messages
    for part in ("batch_size=239: ", "240 training rows", "net.py:Net", "write batch_size=240"):
        assert part in message
    prepare_run(config_of(*custom, "batch_size=238"))


@pytest.mark.slow
def test_command_refuses_before_anything_is_written(csvision_command: RunCommand) -> None:
    before = sorted(Path().rglob("*"))
    overrides = (*SMALL_TRAINING, "data.val_size=0", ONE_PIXEL, "batch_size=239")
    assert csvision_command("train", *overrides).error.startswith("batch_size=239: ")
    assert sorted(Path().rglob("*")) == before


def test_check_needs_no_data() -> None:
    config = config_of(ONE_PIXEL, "batch_size=20")
    check_last_batch(config, (1, 8, 8), 10, train_rows=100)
    with pytest.raises(ConfigError):
        check_last_batch(config, (1, 8, 8), 10, train_rows=101)

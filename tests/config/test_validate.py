"""Ranges, rules between keys, and the fit to the data: which values are rejected, and how."""

import copy
import re
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any

import pytest

from csvision.arguments import resolve_config
from csvision.config import command_schema, schema
from csvision.config.compose import load_config
from csvision.config.model_schema import Normalization, PaddingMode, Pool, Stage
from csvision.config.option import option
from csvision.config.schema_registry import COMMAND_SCHEMAS, GROUP_SCHEMAS
from csvision.config.validate import find_errors, validate
from csvision.errors import ConfigError
from csvision_claims.command import ClaimsConfig
from tests.config.configs import load, set_value

NAN, INFINITY = float("nan"), float("inf")

RANGES: dict[str, tuple[Any, Any, str]] = {
    "data.image_shape.1": (None, 10**30, "<= 1000000"),
    "data.test_size": (0.0, 1.0, "> 0 and < 1"),
    "data.split_seed": (-1, 2**32, ">= 0 and <= 4294967295"),
    "data.val_size": (-0.1, 1.0, ">= 0 and < 1"),
    "data.val_seed": (-1, 2**32, ">= 0 and <= 4294967295"),
    "data.folds": (1, 10_001, ">= 2 and <= 10000"),
    "data.fold": (-1, 10_001, ">= 0 and <= 10000"),
    "data.pad": (-1, 1001, ">= 0 and <= 1000"),
    "data.permutation_seed": (-1, 2**63, ">= 0 and <= 9223372036854775807"),
    "data.max_decompressed_gib": (0.0, 1e308, "> 0 and <= 1000000"),
    "augmentation.hflip": (-0.1, 1.1, ">= 0 and <= 1"),
    "augmentation.translate": (-1, 10**30, ">= 0 and <= 10000"),
    "augmentation.cutout": (-1, 10**30, ">= 0 and <= 10000"),
    "augmentation.impulse_noise": (-0.1, 1.1, ">= 0 and <= 1"),
    "model.hidden.0": (0, 10**9, ">= 1 and <= 1000000"),
    "model.hidden.1": (-1, 1_000_001, ">= 1 and <= 1000000"),
    "model.dropout": (-0.1, 1.0, ">= 0 and < 1"),
    "model.stages.0.filters": (0, 10**9, ">= 1 and <= 1000000"),
    "model.stages.1.filters": (-1, 1_000_001, ">= 1 and <= 1000000"),
    "model.stages.0.kernel_size": (0, 10**30, ">= 1 and <= 10000"),
    "model.stages.0.stride": (0, 10**30, ">= 1 and <= 10000"),
    "model.stages.0.padding": (None, 10_001, "<= 10000"),
    "model.stages.0.dilation": (0, 10_001, ">= 1 and <= 10000"),
    "model.stages.0.pool_size": (0, 10**30, ">= 1 and <= 10000"),
    "model.stages.0.pool_stride": (0, 10**30, ">= 1 and <= 10000"),
    "model.stages.0.residual": (-1, 1001, ">= 0 and <= 1000"),
    "model.stages.0.dropout": (-0.1, 1.0, ">= 0 and < 1"),
    "optimizer.lr": (0.0, 1e308, "> 0 and <= 1e+30"),
    "optimizer.weight_decay": (-0.1, 1e308, ">= 0 and <= 1e+06"),
    "optimizer.momentum": (-0.1, 1.0, ">= 0 and < 1"),
    "scheduler.eta_min": (-0.1, 1e308, ">= 0 and <= 1e+30"),
    "scheduler.pct_start": (0.0, 1.0, "> 0 and < 1"),
    "scheduler.div_factor": (0.5, 1e308, ">= 1 and <= 1e+12"),
    "scheduler.final_div_factor": (0.5, 1e308, ">= 1 and <= 1e+12"),
    "scheduler.step_size": (0, 10**30, ">= 1 and <= 1000000"),
    "scheduler.gamma": (0.0, 1e308, "> 0 and <= 1000"),
    "scheduler.warmup_epochs": (-0.1, 1e308, ">= 0 and <= 1000000"),
    "scheduler.factor": (0.0, 1.0, "> 0 and < 1"),
    "scheduler.patience": (-1, 10**30, ">= 0 and <= 1000000"),
    "scheduler.min_delta": (-0.1, 1e308, ">= 0 and <= 1e+09"),
    "scheduler.min_lr": (-0.1, 1e308, ">= 0 and <= 1e+30"),
    "augmentation.mixup_alpha": (-0.1, 1e308, ">= 0 and <= 1000"),
    "augmentation.cutmix_alpha": (-0.1, 1e308, ">= 0 and <= 1000"),
    "loss.label_smoothing": (-0.1, 1.0, ">= 0 and < 1"),
    "early_stopping.patience": (0, 10**30, ">= 1 and <= 1000000"),
    "early_stopping.min_delta": (-0.1, 1e308, ">= 0 and <= 1e+09"),
    "ema.decay": (0.0, 1.0, "> 0 and < 1"),
    "gradient_clip": (0.0, 1e308, "> 0 and <= 1e+09"),
    "accelerator.devices": (0, 1025, ">= 1 and <= 1024"),
    "launcher.n_jobs": (0, 1025, ">= 1 and <= 1024"),
    "launcher.jobs_per_gpu": (0, 1025, ">= 1 and <= 1024"),
    "launcher.retries": (-1, 1001, ">= 0 and <= 1000"),
    "launcher.time_limit_minutes": (0.0, 1e308, "> 0 and <= 1e+06"),
    "accelerator.num_threads": (0, 10**5, ">= 1 and <= 1024"),
    "debug.limit_rows": (0, 10**30, ">= 1 and <= 1000000000"),
    "seed": (-1, 2**63, ">= 0 and <= 9223372036854775807"),
    "checkpoint_interval_seconds": (0.0, 1e308, "> 0 and <= 1e+09"),
    "epochs": (0, 10**30, ">= 1 and <= 1000000"),
    "batch_size": (0, 10**30, ">= 1 and <= 1000000000"),
}
"""A value that is too small, one that is too large, and the range in words."""

OUT_OF_RANGE = [
    *((key, low, words) for key, (low, _, words) in RANGES.items() if low is not None),
    *((key, high, words) for key, (_, high, words) in RANGES.items()),
    ("accelerator.precision", "16", "one of 32-true, 64-true, bf16-mixed, 16-mixed"),
]

IN_RANGE = [
    ("data.test_size", 1e-9),
    ("data.split_seed", 2**32 - 1),
    ("data.permutation_seed", 2**63 - 1),
    ("seed", 2**63 - 1),
    ("model.hidden.0", 1_000_000),
    ("model.stages.0.padding", "same"),
    ("scheduler.gamma", 1.1),
    ("batch_size", 10**9),
    ("data.val_size", 0.0),
    ("data.split_seed", 0),
    ("model.hidden.0", 1),
    ("model.dropout", 0.0),
    ("model.stages.0.filters", 1),
    ("model.stages.0.kernel_size", 1),
    ("model.stages.0.pool_stride", None),
    ("model.stages.0.padding", 0),
    ("model.stages.0.padding", "full"),
    ("optimizer.lr", 1e-300),
    ("augmentation.hflip", 1.0),
    ("augmentation.hflip", 0.0),
    ("optimizer.weight_decay", 0.0),
    ("optimizer.momentum", 0.0),
    ("scheduler.eta_min", 0.0),
    ("scheduler.div_factor", 1.0),
    ("scheduler.final_div_factor", 1.0),
    ("accelerator.precision", "bf16-mixed"),
    ("accelerator.num_threads", None),
    ("debug.limit_rows", None),
    ("seed", 0),
    ("epochs", 1),
]


@cache
def load_once(*overrides: str) -> schema.TrainConfig:
    return load(*overrides)


def config_with(key: str) -> schema.TrainConfig:
    """Return a new configuration with the choices that have the key."""
    choices = {
        "data.image_shape": "data.image_shape=[1,28,28]",
        "model.hidden": "model.hidden=[8,4]",
        "optimizer.momentum": "optimizer=sgd",
        "optimizer.nesterov": "optimizer=sgd",
        "scheduler.eta_min": "scheduler=cosine",
        "scheduler.step_size": "scheduler=step",
        "scheduler.gamma": "scheduler=step",
        "scheduler.factor": "scheduler=plateau",
        "scheduler.patience": "scheduler=plateau",
        "scheduler.min_": "scheduler=plateau",
    }
    overrides = [override for prefix, override in choices.items() if key.startswith(prefix)]
    return copy.deepcopy(load_once(*overrides))


def default_with(**values: Any) -> schema.TrainConfig:
    """Return the default configuration with values by key, written with __ for the dot."""
    config = copy.deepcopy(load_once())
    for key, value in values.items():
        set_value(config, key.replace("__", "."), value)
    return config


def with_stages(*stages: Stage) -> schema.TrainConfig:
    return default_with(model__stages=list(stages))


class TestRanges:
    @pytest.mark.parametrize(("key", "value", "range_"), OUT_OF_RANGE)
    def test_value_out_of_range_names_key_value_and_range(
        self, key: str, value: Any, range_: str
    ) -> None:
        config = config_with(key)
        set_value(config, key, value)
        (message,) = find_errors(config)
        assert message.startswith(f"{key}={value} must be ")
        assert message.endswith(f" {range_}")
        with pytest.raises(ConfigError) as raised:
            validate(config)
        assert raised.value.messages == [message]

    @pytest.mark.parametrize(("key", "value"), IN_RANGE)
    def test_value_at_the_edge_of_its_range_is_accepted(self, key: str, value: Any) -> None:
        config = config_with(key)
        set_value(config, key, value)
        assert find_errors(config) == []

    @pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
    @pytest.mark.parametrize(
        "key",
        [
            "data.test_size",
            "data.val_size",
            "data.max_decompressed_gib",
            "augmentation.hflip",
            "augmentation.impulse_noise",
            "model.dropout",
            "model.stages.0.dropout",
            "optimizer.lr",
            "optimizer.weight_decay",
            "optimizer.momentum",
            "scheduler.eta_min",
            "scheduler.pct_start",
            "scheduler.div_factor",
            "scheduler.final_div_factor",
            "scheduler.gamma",
            "checkpoint_interval_seconds",
        ],
    )
    def test_nan_and_infinity_are_rejected(self, key: str, value: float) -> None:
        config = config_with(key)
        set_value(config, key, value)
        (message,) = find_errors(config)
        assert message.startswith(f"{key}={value} must be ")

    @pytest.mark.parametrize("key", ["seed", "optimizer.lr", "model.hidden"])
    def test_null_is_rejected_unless_the_type_allows_it(self, key: str) -> None:
        config = config_with(key)
        set_value(config, key, None)
        (message,) = find_errors(config)
        assert message.startswith(f"{key} is null")
        assert message.endswith(f"write {key}=VALUE")

    @pytest.mark.slow
    def test_every_range_is_tested(self) -> None:
        choices = [
            (),
            ("model=mlp",),
            ("optimizer=sgd",),
            ("scheduler=cosine",),
            ("scheduler=step",),
            ("scheduler=plateau",),
        ]
        limited = {key for overrides in choices for key in limited_keys(load_once(*overrides))}
        tested = {re.sub(r"(hidden|image_shape)\.\d", r"\1", key) for key, _, _ in OUT_OF_RANGE}
        assert limited - tested == set()
        assert len(limited) > 25

    def test_every_number_has_a_lower_bound_or_a_rule(self) -> None:
        unlimited = unlimited_keys("int|float", {"gt", "ge"})
        # Both have a rule; see below.
        assert unlimited == {"DataConfig.image_shape", "Stage.padding"}

    def test_every_number_has_an_upper_bound(self) -> None:
        assert unlimited_keys("int|float", {"lt", "le"}) == set()

    def test_every_list_has_a_largest_length_or_a_rule(self) -> None:
        # tests/cli/test_explain.py tests the rule of position.
        ruled = {"DataConfig.image_shape", "ExplainConfig.position"}
        assert unlimited_keys("list", {"max_length"}) == ruled

    def test_missing_upper_bound_is_found(self) -> None:
        @dataclass
        class Forgotten:
            bounded: int = option("a number", 1, ge=0, le=3)
            unbounded: int | None = option("a number", 1, ge=0)
            items: list[float] = option("numbers", ge=0)
            text: str = option("text", "")

        assert unlimited_keys("int|float", {"lt", "le"}, Forgotten) == {
            "Forgotten.unbounded",
            "Forgotten.items",
        }


def is_limited(entry: Field[Any]) -> bool:
    limits = (entry.metadata.get(name) for name in ("gt", "ge", "lt", "le", "choices"))
    return any(limit not in (None, ()) for limit in limits)


def unlimited_keys(types: str, limits: set[str], *nodes: type) -> set[str]:
    """Return the keys of these types, in these dataclasses or all, that have none of the limits."""
    groups = {node for group in GROUP_SCHEMAS.values() for node in group.values()}
    return {
        f"{node.__name__}.{entry.name}"
        for node in nodes or {*groups, *COMMAND_SCHEMAS.values(), ClaimsConfig, Stage}
        for entry in fields(node)
        if re.search(rf"\b({types})\b", str(entry.type))
        and all(entry.metadata.get(limit) is None for limit in limits)
    }


def limited_keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Yield every key with a range; for a list of stages, the keys of the first."""
    for entry in fields(node):
        value = getattr(node, entry.name)
        if is_limited(entry):
            yield f"{prefix}{entry.name}"
        if is_dataclass(value):
            yield from limited_keys(value, f"{prefix}{entry.name}.")
        elif isinstance(value, list) and value and is_dataclass(value[0]):
            yield from limited_keys(value[0], f"{prefix}{entry.name}.0.")


def test_all_errors_are_reported_together() -> None:
    config = default_with(
        data__test_size=2.0,
        data__csv="own.csv",
        model__stages=[Stage(filters=0, padding="sam"), Stage(padding="same", stride=2)],
        model__hidden=[0],
        optimizer__lr=-1.0,
        epochs=0,
    )
    messages = find_errors(config, (1, 28, 28), 10)
    keys = [re.split("[= ]", message)[0] for message in messages]
    assert sorted(keys) == [
        "data.csv",
        "data.test_size",
        "epochs",
        "model.hidden.0",
        "model.stages.0.filters",
        "model.stages.0.padding",
        "model.stages.1.padding",
        "optimizer.lr",
    ]
    with pytest.raises(ConfigError) as raised:
        validate(config)
    assert raised.value.messages == messages


@pytest.mark.parametrize(
    ("command", "words", "key"),
    [
        ("predict", ["run=a"], "data.csv"),
        ("predict", ["data.csv=a"], "run"),
        ("predict", ["run=a", "data.csv=b"], "output_dir"),
        ("predict", ["run=a", "data.csv=b"], "model.path"),
        ("compare", [], "run"),
        ("compare", ["run=a"], "reference"),
        ("inspect", [], "run"),
        ("resume", [], "run"),
        ("evaluate", ["run=a"], "data.csv"),
        ("train", [], "data.csv"),
        ("train", ["data=csv", "data.csv=a"], "data.test_csv"),
        ("explain", [], "output"),
        ("cache", [], "folder"),
    ],
)
def test_empty_path_is_not_the_current_folder(command: str, words: list[str], key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(command, [*words, f"{key}="])
    (message,) = raised.value.messages
    assert message.startswith(f"{key} is empty; write ")
    assert f"{key}=" in message


def test_nesterov_needs_momentum() -> None:
    config = config_with("optimizer.nesterov")
    set_value(config, "optimizer.nesterov", True)
    (message,) = find_errors(config)
    assert message.startswith("optimizer.nesterov=true ")
    assert message.endswith("optimizer.momentum > 0")
    set_value(config, "optimizer.momentum", 0.9)
    assert find_errors(config) == []


class TestPadding:
    def test_same_needs_stride_one(self) -> None:
        (message,) = find_errors(with_stages(Stage(), Stage(padding="same", stride=2)))
        assert message.startswith("model.stages.1.padding=same needs model.stages.1.stride=1, ")
        assert "not 2;" in message
        assert "number" in message
        assert (
            find_errors(with_stages(Stage(padding="same"), Stage(padding="full", stride=2))) == []
        )

    @pytest.mark.parametrize("padding", ["sam", "1", "Same", -1])
    def test_invalid_padding_names_stage_and_valid_values(self, padding: int | str) -> None:
        (message,) = find_errors(with_stages(Stage(), Stage(padding=padding)))
        assert message.startswith(f"model.stages.1.padding={padding} ")
        assert message.endswith("must be valid, same, full or a number >= 0")


MISFITS = [
    (
        [Stage(), Stage(kernel_size=6)],
        "model.stages.1.convolution:",
        ["kernel_size=6", "padding=1", "dilation=1", "4x3 input"],
    ),
    ([Stage(), Stage(), Stage()], "model.stages.2.pool:", ["pool_size=2", "2x1 input"]),
    (
        [Stage(padding=6, padding_mode=PaddingMode.reflect)],
        "model.stages.0.convolution:",
        ["padding_mode=reflect", "8x6 input", "by 6 pixels", "at most 5"],
    ),
    (
        [Stage(padding=7, padding_mode=PaddingMode.circular)],
        "model.stages.0.convolution:",
        ["padding_mode=circular", "8x6 input", "by 7 pixels", "at most 6"],
    ),
    (
        [Stage(pool_size=6), Stage(normalization=Normalization.instance)],
        "model.stages.1.normalization=instance ",
        ["1x1", "use batch or none"],
    ),
]


class TestFitToTheData:
    @pytest.mark.parametrize(("stages", "start", "details"), MISFITS)
    def test_layer_that_does_not_fit_is_named_with_its_sizes(
        self, stages: list[Stage], start: str, details: list[str]
    ) -> None:
        config = with_stages(*stages)
        (message,) = find_errors(config, (1, 8, 6), 10)
        assert message.startswith(start)
        assert [detail for detail in details if detail not in message] == []
        with pytest.raises(ConfigError) as raised:
            validate(config, (1, 8, 6), 10)
        assert raised.value.messages == [message]

    @pytest.mark.parametrize("stages", [stages for stages, _, _ in MISFITS])
    def test_layers_are_not_checked_without_an_image_shape(self, stages: list[Stage]) -> None:
        assert find_errors(with_stages(*stages)) == []

    def test_network_that_fits_is_accepted(self) -> None:
        stages = (Stage(), Stage(pool=Pool.none), Stage(pool=Pool.none))
        assert find_errors(with_stages(*stages), (3, 8, 6), 10) == []
        assert find_errors(load_once("model=mlp"), (1, 1, 1), 2) == []


class TestData:
    def test_own_file_needs_data_csv_for_its_class_names(self) -> None:
        (message,) = find_errors(default_with(data__csv="own.csv"))
        assert message.startswith("data.csv=own.csv ")
        assert "data=fmnist_small" in message
        assert message.endswith("write data=csv data.csv=own.csv")
        assert find_errors(load_once("data=csv", "data.csv=own.csv")) == []

    @pytest.mark.parametrize(
        "shape", [[], [28], [28, 28], [1, 0, 28], [1, 28, -28], [1, 1, 28, 28]]
    )
    def test_image_shape_must_be_three_positive_numbers(self, shape: list[int]) -> None:
        (message,) = find_errors(default_with(data__image_shape=shape))
        assert message.startswith(f"data.image_shape={shape} ")
        assert message.endswith("[channels,height,width]")

    def test_image_shape_of_three_positive_numbers_is_accepted(self) -> None:
        assert find_errors(default_with(data__image_shape=[3, 1, 28])) == []


def test_configs_of_other_commands_are_validated() -> None:
    validate(load_config("evaluate", ["run=outputs/run"]))
    inspect_data: command_schema.InspectDataConfig = load_config(
        "inspect_data", ["data.csv=own.csv"]
    )
    inspect_data.data.test_size = 1.0
    (message,) = find_errors(inspect_data)
    assert message.startswith("data.test_size=1.0 ")


def test_empty_path_in_a_configuration_made_in_python_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^folder is empty; write folder=PATH$"):
        resolve_config("cache", [command_schema.CacheConfig(clear=False, folder="")])

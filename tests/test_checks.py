"""Every range and every rule between keys: what is refused, with which key, and what is not."""

import copy
import re
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from functools import cache
from typing import Any

import pytest

from csvision import config, schema
from csvision.checks import check, faults
from csvision.errors import ConfigError
from csvision.schema import Normalization, PaddingMode, Pool, Stage

NAN, INFINITY = float("nan"), float("inf")

OUT_OF_RANGE = [
    ("data.test_size", 0.0, "> 0 and < 1"),
    ("data.test_size", 1.0, "> 0 and < 1"),
    ("data.split_seed", -1, ">= 0"),
    ("data.val_size", -0.1, ">= 0 and < 1"),
    ("data.val_size", 1.0, ">= 0 and < 1"),
    ("data.val_seed", -1, ">= 0"),
    ("model.hidden.0", 0, ">= 1"),
    ("model.hidden.1", -1, ">= 1"),
    ("model.dropout", -0.1, ">= 0 and < 1"),
    ("model.dropout", 1.0, ">= 0 and < 1"),
    ("model.stages.0.filters", 0, ">= 1"),
    ("model.stages.1.filters", 0, ">= 1"),
    ("model.stages.0.kernel_size", 0, ">= 1"),
    ("model.stages.0.stride", 0, ">= 1"),
    ("model.stages.0.dilation", 0, ">= 1"),
    ("model.stages.0.pool_size", 0, ">= 1"),
    ("model.stages.0.pool_stride", 0, ">= 1"),
    ("model.stages.0.dropout", -0.1, ">= 0 and < 1"),
    ("model.stages.0.dropout", 1.0, ">= 0 and < 1"),
    ("optimizer.lr", 0.0, "> 0"),
    ("optimizer.lr", -1.0, "> 0"),
    ("model.stages.0.residual", -1, ">= 0"),
    ("augmentation.flip", -0.1, ">= 0 and <= 1"),
    ("augmentation.flip", 1.1, ">= 0 and <= 1"),
    ("augmentation.shift", -1, ">= 0"),
    ("augmentation.erase", -1, ">= 0"),
    ("augmentation.impulse", -0.1, ">= 0 and <= 1"),
    ("augmentation.impulse", 1.1, ">= 0 and <= 1"),
    ("data.border", -1, ">= 0 and <= 1000"),
    ("data.border", 1001, ">= 0 and <= 1000"),
    ("data.permutation_seed", -1, ">= 0"),
    ("accelerator.devices", 0, ">= 1"),
    ("optimizer.weight_decay", -0.1, ">= 0"),
    ("optimizer.momentum", -0.1, ">= 0 and < 1"),
    ("optimizer.momentum", 1.0, ">= 0 and < 1"),
    ("scheduler.final_lr", -0.1, ">= 0"),
    ("scheduler.warmup", 0.0, "> 0 and < 1"),
    ("scheduler.warmup", 1.0, "> 0 and < 1"),
    ("scheduler.start_factor", 0.5, ">= 1"),
    ("scheduler.final_factor", 0.5, ">= 1"),
    ("scheduler.every", 0, ">= 1"),
    ("scheduler.gamma", 0.0, "> 0"),
    ("accelerator.precision", "16", "one of 32-true, 64-true, bf16-mixed, 16-mixed"),
    ("accelerator.threads", 0, ">= 1"),
    ("debug.rows", 0, ">= 1"),
    ("seed", -1, ">= 0"),
    ("checkpoint_seconds", 0.0, "> 0"),
    ("data.unpacked_gib", 0.0, "> 0"),
    ("epochs", 0, ">= 1"),
    ("batch_size", 0, ">= 1"),
]

JUST_INSIDE = [
    ("data.test_size", 1e-9),
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
    ("augmentation.flip", 1.0),
    ("augmentation.flip", 0.0),
    ("optimizer.weight_decay", 0.0),
    ("optimizer.momentum", 0.0),
    ("scheduler.final_lr", 0.0),
    ("scheduler.start_factor", 1.0),
    ("scheduler.final_factor", 1.0),
    ("accelerator.precision", "bf16-mixed"),
    ("accelerator.threads", None),
    ("debug.rows", None),
    ("seed", 0),
    ("epochs", 1),
]


@cache
def composed(*overrides: str) -> schema.Train:
    """The checked configuration of a command line."""
    settings: schema.Train = config.load(config.compose("train", overrides))
    return settings


def choice_with(key: str) -> schema.Train:
    """A configuration of its own, whose choices have the key."""
    choices = {
        "model.hidden": "model.hidden=[8,4]",
        "optimizer.momentum": "optimizer=sgd",
        "optimizer.nesterov": "optimizer=sgd",
        "scheduler.final_lr": "scheduler=cosine",
        "scheduler.every": "scheduler=step",
        "scheduler.gamma": "scheduler=step",
    }
    overrides = [override for prefix, override in choices.items() if key.startswith(prefix)]
    return copy.deepcopy(composed(*overrides))


def put(settings: schema.Train, key: str, value: Any) -> None:
    """Set a value by its key, past the types that composing would check."""
    *path, name = key.split(".")
    node: Any = settings
    for part in path:
        node = node[int(part)] if part.isdigit() else getattr(node, part)
    if name.isdigit():
        node[int(name)] = value
    else:
        setattr(node, name, value)


def changed(**values: Any) -> schema.Train:
    """The default configuration with values by key, __ for the dot."""
    settings = copy.deepcopy(composed())
    for key, value in values.items():
        put(settings, key.replace("__", "."), value)
    return settings


def with_stages(*stages: Stage) -> schema.Train:
    return changed(model__stages=list(stages))


@pytest.mark.parametrize(("key", "value", "range_"), OUT_OF_RANGE)
def test_value_out_of_range_is_named_with_key_and_range(key: str, value: Any, range_: str) -> None:
    settings = choice_with(key)
    put(settings, key, value)
    assert faults(settings) == [f"{key}={value} must be {range_}"]
    with pytest.raises(ConfigError, match=f"^{re.escape(f'{key}={value}')} must be"):
        check(settings)


@pytest.mark.parametrize(("key", "value"), JUST_INSIDE)
def test_value_at_the_edge_of_its_range_is_accepted(key: str, value: Any) -> None:
    settings = choice_with(key)
    put(settings, key, value)
    check(settings)


def is_limited(entry: Field[Any]) -> bool:
    bounds = ("above", "at_least", "below", "at_most", "choices")
    limits = (entry.metadata.get(name) for name in bounds)
    return any(limit not in (None, ()) for limit in limits)


def limited_keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Every key with a range of a configuration; of a list of stages those of the first."""
    for entry in fields(node):
        value = getattr(node, entry.name)
        if is_limited(entry):
            yield f"{prefix}{entry.name}"
        if is_dataclass(value):
            yield from limited_keys(value, f"{prefix}{entry.name}.")
        elif isinstance(value, list) and value and is_dataclass(value[0]):
            yield from limited_keys(value[0], f"{prefix}{entry.name}.0.")


def test_no_range_goes_untested() -> None:
    choices = [(), ("model=mlp",), ("optimizer=sgd",), ("scheduler=cosine",), ("scheduler=step",)]
    limited = {key for overrides in choices for key in limited_keys(composed(*overrides))}
    tested = {re.sub(r"hidden\.\d", "hidden", key) for key, _, _ in OUT_OF_RANGE}
    assert limited - tested == set()
    assert len(limited) > 25


def test_every_number_has_a_range_or_a_rule_of_its_own() -> None:
    nodes = {node for group in config.CHOICES.values() for node in group.values()}
    unlimited = {
        f"{node.__name__}.{entry.name}"
        for node in {*nodes, schema.Train, Stage}
        for entry in fields(node)
        if re.search(r"\b(int|float)\b", str(entry.type)) and not is_limited(entry)
    }
    assert unlimited == {"Data.image_shape", "Stage.padding"}


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
@pytest.mark.parametrize(
    "key",
    [
        "data.test_size",
        "data.val_size",
        "model.dropout",
        "model.stages.0.dropout",
        "optimizer.lr",
        "optimizer.weight_decay",
        "optimizer.momentum",
        "scheduler.final_lr",
        "scheduler.warmup",
        "scheduler.start_factor",
        "scheduler.final_factor",
        "scheduler.gamma",
    ],
)
def test_no_number_takes_nan_or_infinity(key: str, value: float) -> None:
    settings = choice_with(key)
    put(settings, key, value)
    (fault,) = faults(settings)
    assert fault.startswith(f"{key}={value} must be ")


def test_all_faults_are_told_together() -> None:
    settings = changed(
        data__test_size=2.0,
        data__csv="own.csv",
        model__stages=[Stage(filters=0, padding="sam"), Stage(padding="same", stride=2)],
        model__hidden=[0],
        optimizer__lr=-1.0,
        epochs=0,
    )
    told = faults(settings, (1, 28, 28), 10)
    keys = [re.split("[= ]", fault)[0] for fault in told]
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
    with pytest.raises(ConfigError) as refused:
        check(settings)
    assert refused.value.faults == told


def test_nesterov_needs_a_momentum() -> None:
    settings = choice_with("optimizer.nesterov")
    put(settings, "optimizer.nesterov", True)
    assert faults(settings) == ["optimizer.nesterov=true needs optimizer.momentum > 0"]
    put(settings, "optimizer.momentum", 0.9)
    assert faults(settings) == []


def test_same_padding_needs_stride_one() -> None:
    (fault,) = faults(with_stages(Stage(), Stage(padding="same", stride=2)))
    assert fault == (
        "model.stages.1.padding=same needs model.stages.1.stride=1, not 2; "
        "write the padding as a number"
    )
    assert faults(with_stages(Stage(padding="same"), Stage(padding="full", stride=2))) == []


@pytest.mark.parametrize("padding", ["sam", "1", "Same", -1])
def test_padding_that_is_none_names_its_stage(padding: int | str) -> None:
    assert faults(with_stages(Stage(), Stage(padding=padding))) == [
        f"model.stages.1.padding={padding} must be valid, same, full or a number >= 0"
    ]


VANISHING = [
    (
        [Stage(), Stage(kernel_size=6)],
        "model.stages.1.convolution: kernel_size=6, padding=1, dilation=1 leaves nothing of its "
        "4x3 input; use a smaller window, more padding or fewer stages",
    ),
    (
        [Stage(), Stage(), Stage()],
        "model.stages.2.pool: pool_size=2 leaves nothing of its 2x1 input; "
        "use a smaller window, more padding or fewer stages",
    ),
    (
        [Stage(padding=6, padding_mode=PaddingMode.reflect)],
        "model.stages.0.convolution: padding_mode=reflect cannot add 6 pixels to its 8x6 input; "
        "use at most 5",
    ),
    (
        [Stage(padding=7, padding_mode=PaddingMode.circular)],
        "model.stages.0.convolution: padding_mode=circular cannot add 7 pixels to its 8x6 input; "
        "use at most 6",
    ),
    (
        [Stage(pool_size=6), Stage(normalization=Normalization.instance)],
        "model.stages.1.normalization=instance has a single value to go by in its 1x1 input; "
        "use batch or none, or keep the maps larger",
    ),
]


@pytest.mark.parametrize(("stages", "fault"), VANISHING)
def test_misfit_with_the_data_names_stage_and_sizes(stages: list[Stage], fault: str) -> None:
    settings = with_stages(*stages)
    assert faults(settings, (1, 8, 6), 10) == [fault]
    with pytest.raises(ConfigError, match=re.escape(fault)):
        check(settings, (1, 8, 6), 10)


@pytest.mark.parametrize(("stages", "fault"), VANISHING)
def test_misfit_is_not_told_before_the_data_is_known(stages: list[Stage], fault: str) -> None:
    check(with_stages(*stages))


def test_network_that_fits_its_data_is_accepted() -> None:
    check(with_stages(Stage(), Stage(pool=Pool.none), Stage(pool=Pool.none)), (3, 8, 6), 10)
    check(composed("model=mlp"), (1, 1, 1), 2)


def test_file_of_ones_own_is_not_given_the_names_of_fashion_mnist() -> None:
    assert faults(changed(data__csv="own.csv")) == [
        "data.csv=own.csv is not the file of data=fmnist_small, whose class names it would get; "
        "write data=csv data.csv=own.csv"
    ]
    check(composed("data=csv", "data.csv=own.csv"))


@pytest.mark.parametrize("shape", [[], [28], [28, 28], [1, 0, 28], [1, 28, -28], [1, 1, 28, 28]])
def test_image_shape_has_three_positive_numbers(shape: list[int]) -> None:
    assert faults(changed(data__image_shape=shape)) == [
        f"data.image_shape={shape} must be [channels,height,width]"
    ]


def test_image_shape_of_three_positive_numbers_is_accepted() -> None:
    check(changed(data__image_shape=[3, 1, 28]))


def test_other_commands_are_checked_too() -> None:
    evaluate: schema.Evaluate = config.load(config.compose("evaluate", ["run=somewhere"]))
    check(evaluate)

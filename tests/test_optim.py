"""Optimizers and learning rate schedulers by hand, over a few steps."""

from math import cos, pi
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn, optim

from csvision.config import schema
from csvision.config.schema import OptimizerName, SchedulerName
from csvision.optim import build_optimizer, build_scheduler

LR = 0.1


def sgd(
    momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
) -> schema.SGDConfig:
    return schema.SGDConfig(OptimizerName.sgd, LR, weight_decay, momentum, nesterov)


def weights_after_steps(
    config: schema.OptimizerConfig, start: float, gradients: list[float]
) -> list[float]:
    """Return one weight after each step of an optimizer."""
    weight = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = build_optimizer(config, [weight])
    values = []
    for gradient in gradients:
        optimizer.zero_grad()
        (gradient * weight).backward()
        optimizer.step()
        values.append(weight.item())
    return values


@pytest.mark.parametrize(
    ("config", "start", "gradients", "expected"),
    [
        (sgd(), 0.0, [1.0, -3.0], [-0.1, 0.2]),
        # The second step is the gradient and half of the first: 1.5.
        (sgd(momentum=0.5), 0.0, [1.0, 1.0], [-0.1, -0.25]),
        # Steps of 1 + 0.5 * 1 and 1 + 0.5 * 1.5.
        (sgd(momentum=0.5, nesterov=True), 0.0, [1.0, 1.0], [-0.15, -0.325]),
        # Weight decay is added to the gradient: 0.5 * 2.
        (sgd(weight_decay=0.5), 2.0, [0.0], [1.9]),
        # The first step of Adam is lr against the gradient, whatever its size.
        (schema.OptimizerConfig(OptimizerName.adam, LR, 0.0), 0.0, [7.0], [-0.1]),
        # Adam adds weight decay to the gradient; AdamW multiplies the weight by 1 - lr * decay.
        (schema.OptimizerConfig(OptimizerName.adam, LR, 0.5), 2.0, [0.0], [1.9]),
        (schema.OptimizerConfig(OptimizerName.adamw, LR, 0.25), 2.0, [0.0], [1.95]),
    ],
)
def test_steps_by_hand(
    config: schema.OptimizerConfig, start: float, gradients: list[float], expected: list[float]
) -> None:
    assert weights_after_steps(config, start, gradients) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("config", "kind", "expected"),
    [
        (
            sgd(momentum=0.75, nesterov=True, weight_decay=0.5),
            optim.SGD,
            {"lr": LR, "weight_decay": 0.5, "momentum": 0.75, "nesterov": True},
        ),
        (
            schema.OptimizerConfig(OptimizerName.adam, LR, 0.5),
            optim.Adam,
            {"lr": LR, "weight_decay": 0.5, "betas": (0.9, 0.999)},
        ),
        (
            schema.OptimizerConfig(OptimizerName.adamw, LR, 0.5),
            optim.AdamW,
            {"lr": LR, "weight_decay": 0.5, "betas": (0.9, 0.999)},
        ),
    ],
)
def test_optimizer_gets_every_setting(
    config: schema.OptimizerConfig, kind: type, expected: dict[str, Any]
) -> None:
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3))]
    optimizer = build_optimizer(config, weights)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert group["params"] == weights
    assert {name: group[name] for name in expected} == expected


def param_groups(
    scheduler: schema.SchedulerConfig, steps: int, optimizer: schema.OptimizerConfig | None = None
) -> list[dict[str, Any]]:
    """Return the optimizer's settings before the first step of a scheduler and after each.

    A fit steps the scheduler after its last batch too, so it must allow `steps` steps.
    """
    weight = nn.Parameter(torch.zeros(()))
    built = build_optimizer(optimizer or sgd(), [weight])
    built_scheduler = build_scheduler(scheduler, built, steps)
    assert built_scheduler is not None
    groups = [dict(built.param_groups[0])]
    for _ in range(steps):
        built.zero_grad()
        (weight**2).backward()
        built.step()
        built_scheduler["scheduler"].step()
        groups.append(dict(built.param_groups[0]))
    return groups


def learning_rates(scheduler: schema.SchedulerConfig, steps: int) -> list[float]:
    return [group["lr"] for group in param_groups(scheduler, steps)]


def one_cycle(
    pct_start: float, div_factor: float, final_div_factor: float
) -> schema.OneCycleConfig:
    return schema.OneCycleConfig(SchedulerName.onecycle, pct_start, div_factor, final_div_factor)


def test_scheduler_none_builds_no_scheduler() -> None:
    optimizer = build_optimizer(sgd(), [nn.Parameter(torch.zeros(1))])
    assert build_scheduler(schema.SchedulerConfig(SchedulerName.none), optimizer, 10) is None


@pytest.mark.parametrize(
    ("scheduler", "interval"),
    [
        (one_cycle(0.3, 25, 100), "step"),
        (schema.CosineConfig(SchedulerName.cosine, 0.0), "step"),
        (schema.StepConfig(SchedulerName.step, 2, 0.5), "epoch"),
    ],
)
def test_scheduler_steps_per_batch_or_per_epoch(
    scheduler: schema.SchedulerConfig, interval: str
) -> None:
    optimizer = build_optimizer(sgd(), [nn.Parameter(torch.zeros(1))])
    built = build_scheduler(scheduler, optimizer, 10)
    assert built is not None
    assert built["interval"] == interval


def test_onecycle_by_hand() -> None:
    # The rate increases in three of ten steps, from lr / 20 to lr; the tenth has lr / 20 / 50.
    lrs = learning_rates(one_cycle(0.3, 20, 50), 10)[:10]
    assert lrs[0] == pytest.approx(LR / 20)
    # A cosine is halfway up in the middle.
    assert lrs[1] == pytest.approx((LR / 20 + LR) / 2)
    assert lrs[2] == max(lrs) == pytest.approx(LR)
    assert lrs[9] == min(lrs) == pytest.approx(LR / 20 / 50)
    final = LR / 20 / 50
    down = [final + (LR - final) * (1 + cos(pi * step / 7)) / 2 for step in range(8)]
    assert lrs[2:] == pytest.approx(down)


@pytest.mark.parametrize("steps", [2, 4, 10, 20])
def test_increase_of_exactly_one_step_starts_and_ends_at_the_configured_rates(steps: int) -> None:
    # Without the correction torch divides by zero here.
    lrs = learning_rates(one_cycle(1 / steps, 20, 50), steps)[:steps]
    assert lrs[0] == pytest.approx(LR / 20)
    assert lrs[-1] == pytest.approx(LR / 20 / 50)


@given(
    steps=st.integers(1, 30),
    pct_start=st.floats(0.01, 0.99),
    div_factor=st.floats(1, 100),
    final_div_factor=st.floats(1, 1e4),
)
@settings(max_examples=50, deadline=None)
@example(steps=1, pct_start=0.3, div_factor=25, final_div_factor=1e4)
@example(steps=20, pct_start=0.05, div_factor=25, final_div_factor=1e4)
def test_onecycle_never_exceeds_lr_and_ends_at_its_minimum(
    steps: int, pct_start: float, div_factor: float, final_div_factor: float
) -> None:
    lrs = learning_rates(one_cycle(pct_start, div_factor, final_div_factor), steps)[:steps]
    minimum = LR / div_factor / final_div_factor
    assert lrs[-1] == pytest.approx(minimum, rel=1e-6)
    assert all(minimum * (1 - 1e-6) <= rate <= LR * (1 + 1e-6) for rate in lrs)


@pytest.mark.parametrize("nesterov", [False, True])
def test_onecycle_keeps_momentum_constant(nesterov: bool) -> None:
    groups = param_groups(one_cycle(0.3, 25, 1e4), 10, sgd(momentum=0.5, nesterov=nesterov))
    assert {group["momentum"] for group in groups} == {0.5}


@pytest.mark.parametrize("name", [OptimizerName.adam, OptimizerName.adamw])
def test_onecycle_keeps_betas_constant(name: OptimizerName) -> None:
    groups = param_groups(one_cycle(0.3, 25, 1e4), 10, schema.OptimizerConfig(name, LR, 0.0))
    assert {group["betas"] for group in groups} == {(0.9, 0.999)}


def test_cosine_by_hand() -> None:
    final = 0.02
    lrs = learning_rates(schema.CosineConfig(SchedulerName.cosine, final), 4)
    assert lrs[0] == LR
    assert lrs[2] == pytest.approx((LR + final) / 2)
    assert lrs[4] == pytest.approx(final)
    expected = [final + (LR - final) * (1 + cos(pi * step / 4)) / 2 for step in range(5)]
    assert lrs == pytest.approx(expected)


def test_step_by_hand() -> None:
    lrs = learning_rates(schema.StepConfig(SchedulerName.step, step_size=2, gamma=0.5), 5)
    assert lrs == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025, 0.025])

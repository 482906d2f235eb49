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
from csvision.optim import (
    PlateauMonitor,
    build_optimizer,
    build_scheduler,
    build_schedulers,
    is_plateau,
)

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


def scheduled_rates(
    scheduler: schema.SchedulerConfig, steps: int, epochs: int, losses: list[float] | None = None
) -> list[float]:
    """Return the rate of each step of a fit whose epochs have equal numbers of batches."""
    optimizer = build_optimizer(sgd(), [nn.Parameter(torch.zeros(()))])
    monitor = PlateauMonitor("val/loss", "min")
    built = build_schedulers(scheduler, optimizer, steps, epochs, monitor)
    rates = []
    for step in range(1, steps + 1):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        at_end = step % (steps // epochs) == 0
        for each in built:
            if is_plateau(each["scheduler"]):
                if at_end and losses is not None:
                    each["scheduler"].step(losses[step // (steps // epochs) - 1])
            elif each["interval"] == "step" or at_end:
                each["scheduler"].step()
    return rates


WARMUP = [LR / 4, LR / 2, LR * 3 / 4]
"""The rates of a warm-up of three steps: 1, 2 and 3 quarters of the rate."""


class TestWarmup:
    def test_of_a_constant_rate_by_hand(self) -> None:
        config = schema.SchedulerConfig(SchedulerName.none, warmup_epochs=1.5)
        assert scheduled_rates(config, 6, 3) == pytest.approx([*WARMUP, LR, LR, LR])

    def test_of_cosine_is_followed_by_the_whole_schedule(self) -> None:
        config = schema.CosineConfig(SchedulerName.cosine, 0.02, warmup_epochs=0.75)
        rates = scheduled_rates(config, 12, 3)
        assert rates[:3] == pytest.approx(WARMUP)
        expected = [0.02 + (LR - 0.02) * (1 + cos(pi * step / 9)) / 2 for step in range(9)]
        assert rates[3:] == pytest.approx(expected)

    def test_of_step_multiplies_the_schedule(self) -> None:
        config = schema.StepConfig(SchedulerName.step, 1, 0.5, warmup_epochs=1.5)
        expected = [LR / 4, LR / 2, LR * 3 / 8, LR / 2, LR / 4, LR / 4]
        assert scheduled_rates(config, 6, 3) == pytest.approx(expected)

    def test_of_plateau_multiplies_the_schedule(self) -> None:
        config = plateau(patience=0, warmup_epochs=1.5)
        expected = [LR / 4, LR / 2, LR * 3 / 4, LR, LR / 2, LR / 2]
        assert scheduled_rates(config, 6, 3, [2.0, 2.0, 2.0]) == pytest.approx(expected)

    def test_of_onecycle_is_the_increase_of_the_cycle(self) -> None:
        config = schema.OneCycleConfig(SchedulerName.onecycle, 0.9, 20, 50, warmup_epochs=1)
        assert scheduled_rates(config, 10, 5) == pytest.approx(
            learning_rates(one_cycle(0.2, 20, 50), 10)[:10]
        )

    @pytest.mark.parametrize("epochs", [1, 4])
    def test_of_no_epoch_changes_nothing(self, epochs: int) -> None:
        config = schema.CosineConfig(SchedulerName.cosine, 0.0)
        assert scheduled_rates(config, 8, epochs) == learning_rates(config, 8)[:8]


def plateau(patience: int, warmup_epochs: float = 0, min_lr: float = 0) -> schema.PlateauConfig:
    name = SchedulerName.plateau
    return schema.PlateauConfig(name, 0.5, patience, 0.1, min_lr, warmup_epochs=warmup_epochs)


def test_plateau_by_hand() -> None:
    # The second epoch improves by less than 0.1, the third one by 0.5, the last two not at all.
    losses = [2.0, 1.95, 1.5, 1.5, 1.5]
    assert scheduled_rates(plateau(0), 5, 5, losses) == pytest.approx(
        [LR, LR, LR / 2, LR / 2, LR / 4]
    )
    assert scheduled_rates(plateau(1), 5, 5, losses) == pytest.approx([LR] * 5)
    assert scheduled_rates(plateau(0, min_lr=0.04), 5, 5, losses)[-1] == pytest.approx(0.04)

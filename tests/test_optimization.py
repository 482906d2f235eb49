"""Optimizers and schedules by hand, over a few real steps."""

from math import cos, pi
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn, optim

from csvision import schema
from csvision.optimization import build_optimizer, build_scheduler
from csvision.schema import OptimizerName, SchedulerName

LR = 0.1


def sgd(momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0) -> schema.SGD:
    return schema.SGD(OptimizerName.sgd, LR, weight_decay, momentum, nesterov)


def positions(config: schema.Optimizer, start: float, gradients: list[float]) -> list[float]:
    """Where the steps of an optimizer bring one weight."""
    weight = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = build_optimizer(config, [weight])
    reached = []
    for gradient in gradients:
        optimizer.zero_grad()
        (gradient * weight).backward()
        optimizer.step()
        reached.append(weight.item())
    return reached


@pytest.mark.parametrize(
    ("config", "start", "gradients", "expected"),
    [
        (sgd(), 0.0, [1.0, -3.0], [-0.1, 0.2]),
        # The second step is the gradient and half of the first: 1.5.
        (sgd(momentum=0.5), 0.0, [1.0, 1.0], [-0.1, -0.25]),
        # Steps of 1 + 0.5 * 1 and 1 + 0.5 * 1.5.
        (sgd(momentum=0.5, nesterov=True), 0.0, [1.0, 1.0], [-0.15, -0.325]),
        # The decay is part of the gradient: 0.5 * 2.
        (sgd(weight_decay=0.5), 2.0, [0.0], [1.9]),
        # Adam's first step is lr in the direction of the gradient, whatever its size.
        (schema.Optimizer(OptimizerName.adam, LR, 0.0), 0.0, [7.0], [-0.1]),
        # In adam the decay is part of the gradient, in adamw the weight shrinks by lr * decay.
        (schema.Optimizer(OptimizerName.adam, LR, 0.5), 2.0, [0.0], [1.9]),
        (schema.Optimizer(OptimizerName.adamw, LR, 0.25), 2.0, [0.0], [1.95]),
    ],
)
def test_steps_by_hand(
    config: schema.Optimizer, start: float, gradients: list[float], expected: list[float]
) -> None:
    assert positions(config, start, gradients) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("config", "kind", "expected"),
    [
        (
            sgd(momentum=0.75, nesterov=True, weight_decay=0.5),
            optim.SGD,
            {"lr": LR, "weight_decay": 0.5, "momentum": 0.75, "nesterov": True},
        ),
        (
            schema.Optimizer(OptimizerName.adam, LR, 0.5),
            optim.Adam,
            {"lr": LR, "weight_decay": 0.5, "betas": (0.9, 0.999)},
        ),
        (
            schema.Optimizer(OptimizerName.adamw, LR, 0.5),
            optim.AdamW,
            {"lr": LR, "weight_decay": 0.5, "betas": (0.9, 0.999)},
        ),
    ],
)
def test_optimizer_gets_its_settings(
    config: schema.Optimizer, kind: type, expected: dict[str, Any]
) -> None:
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3))]
    optimizer = build_optimizer(config, weights)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert group["params"] == weights
    assert {name: group[name] for name in expected} == expected


def groups_over(
    schedule: schema.Scheduler, changes: int, optimizer: schema.Optimizer | None = None
) -> list[dict[str, Any]]:
    """The optimizer's settings before the first change of a schedule and after each.

    A fit steps the schedule after its last batch too, which must not be one step too many.
    """
    weight = nn.Parameter(torch.zeros(()))
    built = build_optimizer(optimizer or sgd(), [weight])
    scheduling = build_scheduler(schedule, built, changes)
    assert scheduling is not None
    seen = [dict(built.param_groups[0])]
    for _ in range(changes):
        built.zero_grad()
        (weight**2).backward()
        built.step()
        scheduling["scheduler"].step()
        seen.append(dict(built.param_groups[0]))
    return seen


def rates(schedule: schema.Scheduler, changes: int) -> list[float]:
    return [group["lr"] for group in groups_over(schedule, changes)]


def one_cycle(warmup: float, start_factor: float, final_factor: float) -> schema.OneCycle:
    return schema.OneCycle(SchedulerName.onecycle, warmup, start_factor, final_factor)


def test_none_is_no_schedule() -> None:
    optimizer = build_optimizer(sgd(), [nn.Parameter(torch.zeros(1))])
    assert build_scheduler(schema.Scheduler(SchedulerName.none), optimizer, 10) is None


@pytest.mark.parametrize(
    ("schedule", "interval"),
    [
        (one_cycle(0.3, 25, 100), "step"),
        (schema.Cosine(SchedulerName.cosine, 0.0), "step"),
        (schema.Step(SchedulerName.step, 2, 0.5), "epoch"),
    ],
)
def test_schedule_goes_by_batches_or_by_epochs(schedule: schema.Scheduler, interval: str) -> None:
    optimizer = build_optimizer(sgd(), [nn.Parameter(torch.zeros(1))])
    scheduling = build_scheduler(schedule, optimizer, 10)
    assert scheduling is not None
    assert scheduling["interval"] == interval


def test_onecycle_by_hand() -> None:
    # Of ten steps the first three rise, from lr / 20 to lr; the tenth has lr / 20 / 50.
    seen = rates(one_cycle(0.3, 20, 50), 10)[:10]
    assert seen[0] == pytest.approx(LR / 20)
    # Half a cosine is in its middle half-way up.
    assert seen[1] == pytest.approx((LR / 20 + LR) / 2)
    assert seen[2] == max(seen) == pytest.approx(LR)
    assert seen[9] == min(seen) == pytest.approx(LR / 20 / 50)
    final = LR / 20 / 50
    down = [final + (LR - final) * (1 + cos(pi * step / 7)) / 2 for step in range(8)]
    assert seen[2:] == pytest.approx(down)


@pytest.mark.parametrize("steps", [2, 4, 10, 20])
def test_rise_of_exactly_one_step_starts_low_and_ends_lower(steps: int) -> None:
    # torch itself divides by zero here.
    seen = rates(one_cycle(1 / steps, 20, 50), steps)[:steps]
    assert seen[0] == pytest.approx(LR / 20)
    assert seen[-1] == pytest.approx(LR / 20 / 50)


@given(
    steps=st.integers(1, 30),
    warmup=st.floats(0.01, 0.99),
    start_factor=st.floats(1, 100),
    final_factor=st.floats(1, 1e4),
)
@settings(max_examples=50, deadline=None)
@example(steps=1, warmup=0.3, start_factor=25, final_factor=1e4)
@example(steps=20, warmup=0.05, start_factor=25, final_factor=1e4)
def test_onecycle_stays_below_lr_and_ends_at_its_lowest(
    steps: int, warmup: float, start_factor: float, final_factor: float
) -> None:
    seen = rates(one_cycle(warmup, start_factor, final_factor), steps)[:steps]
    lowest = LR / start_factor / final_factor
    assert seen[-1] == pytest.approx(lowest, rel=1e-6)
    assert all(lowest * (1 - 1e-6) <= rate <= LR * (1 + 1e-6) for rate in seen)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_stays_what_is_configured_under_onecycle(nesterov: bool) -> None:
    groups = groups_over(one_cycle(0.3, 25, 1e4), 10, sgd(momentum=0.5, nesterov=nesterov))
    assert {group["momentum"] for group in groups} == {0.5}


@pytest.mark.parametrize("name", [OptimizerName.adam, OptimizerName.adamw])
def test_betas_stay_what_they_are_under_onecycle(name: OptimizerName) -> None:
    groups = groups_over(one_cycle(0.3, 25, 1e4), 10, schema.Optimizer(name, LR, 0.0))
    assert {group["betas"] for group in groups} == {(0.9, 0.999)}


def test_cosine_by_hand() -> None:
    final = 0.02
    seen = rates(schema.Cosine(SchedulerName.cosine, final), 4)
    assert seen[0] == LR
    assert seen[2] == pytest.approx((LR + final) / 2)
    assert seen[4] == pytest.approx(final)
    by_formula = [final + (LR - final) * (1 + cos(pi * step / 4)) / 2 for step in range(5)]
    assert seen == pytest.approx(by_formula)


def test_step_by_hand() -> None:
    seen = rates(schema.Step(SchedulerName.step, every=2, gamma=0.5), 5)
    assert seen == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.025, 0.025])

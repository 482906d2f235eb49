"""Claims, their statements, and the result of a measurement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from csvision_claims.engine.arms import Arm
from csvision_claims.engine.charts import Chart
from csvision_claims.engine.rules import Decision, Rule, Verdict
from csvision_claims.engine.runner import Runner

PREPARE_FASHION_MNIST = "csvision prepare-fashion-mnist"
"""The command that writes the official test images, on which the full profile tests."""

Evidence = Any
"""What a rule takes: comparisons, differences, ratios, or two groups; None if not measurable."""


@dataclass(frozen=True)
class Statement:
    """One statement of the course notes, and the rule that decides it."""

    id: str
    text: str
    rule: Rule

    def decide(self, evidence: Evidence) -> Decision:
        """Return the decision of the rule; without evidence the statement is not decided here."""
        if evidence is None:
            return Decision(Verdict.not_decided_here, None, None, None, 0)
        return self.rule.decide(evidence)


@dataclass(frozen=True)
class Measurement:
    """The result of a claim: evidence by statement id, a finding, a table and charts.

    `finding` states the message first and then the numbers. All rows of `table` have the same
    columns. `arms` have the learning rate that they were trained with.
    """

    evidence: dict[str, Evidence]
    finding: str
    table: Sequence[dict[str, str | float]] = ()
    charts: Sequence[Chart] = ()
    arms: Sequence[Arm] = ()


def conclude(message: str, supported: bool) -> str:
    """Return the message if the numbers support it, else a sentence that says that they do not."""
    return message if supported else "This run does not reproduce the recorded conclusion."


@dataclass(frozen=True)
class Claim:
    """A claim of the course notes: its statements, why they matter, how they are measured.

    `setup` lists the commands that must be run before the claim's commands work in a new clone.

    `version` is part of the key of every cached job. Increase it by one after a change that changes
    the results of a job: to its function, to what the function uses or reads, to a probe, or to the
    training code of csvision. Arguments, configurations and data files of trainings are in the key,
    too. Texts, tables, charts and the `measure` function are not cached and need no new version.
    """

    id: str
    title: str
    statements: tuple[Statement, ...]
    why: str
    method: str
    measure: Callable[[Runner], Measurement] = field(repr=False)
    version: int = 1
    setup: tuple[str, ...] = ()

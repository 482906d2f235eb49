"""What a claim consists of, and what its measurement gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from csvision.claims.arms import Arm
from csvision.claims.bench import Bench
from csvision.claims.charts import Chart
from csvision.claims.rules import Decision, Rule, Verdict

Evidence = Any
"""What a rule decides by: comparisons, differences, ratios or two groups; None: not here."""


@dataclass(frozen=True)
class Statement:
    """One thing that the notes say, in their sense, and the rule that decides it."""

    id: str
    text: str
    rule: Rule

    def decide(self, evidence: Evidence) -> Decision:
        """The decision of the rule; evidence that could not be had leaves it open."""
        if evidence is None:
            return Decision(Verdict.not_decided_here, None, None, None, 0)
        return self.rule.decide(evidence)


@dataclass(frozen=True)
class Measurement:
    """What was found: evidence by statement, a table, pictures, and it all in a sentence or two.

    `arms` have the learning rate that they were trained with; `table` is a list of rows under
    equal columns.
    """

    evidence: dict[str, Evidence]
    finding: str
    table: Sequence[dict[str, str | float]] = ()
    charts: Sequence[Chart] = ()
    arms: Sequence[Arm] = ()


@dataclass(frozen=True)
class Claim:
    """A claim of the notes: its statements, why they matter, how they are measured.

    `minutes` is what the full profile takes of one processor, roughly: for the time left.
    """

    id: str
    title: str
    statements: tuple[Statement, ...]
    why: str
    method: str
    measure: Callable[[Bench], Measurement] = field(repr=False)
    minutes: float = 0.05

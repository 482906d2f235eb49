"""Hand-made records of claims with every verdict and every type of evidence and chart."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf, nan

from csvision_claims.engine.charts import Bars, Chart, Curves, Panel, Panels, Scatter, Series
from csvision_claims.engine.claim import Statement
from csvision_claims.engine.record import ClaimRecord, StatementRecord, make_statement_record
from csvision_claims.engine.rules import (
    Comparison,
    Decision,
    Difference,
    Exact,
    ProportionTest,
    Ratio,
    Verdict,
)

AWKWARD = "a < b & c > \"d\" 'e' $x_1$ </script><script>x()</script> 日本 ✂ {{ x }} | *y* `z`"
"""Text that contains HTML, Markdown and math markup."""

LONG = "convolutional" * 9

WAVE = [[float((row * column) % 7 - 3) for column in range(5)] for row in range(5)]


def bars(**changes: object) -> Bars:
    """Return three bars."""
    values = {"MLP": 86.13, "CNN": 88.32, "guess": 10.0}
    chosen = {"title": "accuracy by network", "unit": "%", "values": values, "alt": "the CNN leads"}
    return Bars(**{**chosen, **changes})  # type: ignore[arg-type]


def curves() -> Curves:
    """Return three curves, one with a band and one dashed."""
    x = [1.0, 2.0, 4.0, 8.0, 16.0]
    series = [
        Series("CNN", x, [70, 80, 85, 88, 89], [69, 78, 84, 87, 88], [71, 82, 86, 89, 90]),
        Series("MLP", x, [60, 70, 77, 80, 81]),
        Series("before training", x, [10, 10, 11, 10, 10], dashed=True),
    ]
    return Curves("by filters", "filters", "test accuracy, %", series, "rising lines", log_x=True)


def panels(style: str) -> Panels:
    """Return two panels of one matrix, as images, heat maps or filters."""
    return Panels(
        f"a matrix as {style}", [Panel("one", WAVE), Panel("two", WAVE, -4, 4)], "waves", style
    )


def scatter() -> Scatter:
    """Return points over three orders of magnitude, two of them close together."""
    points = {"MLP": (101_770.0, 0.2), "CNN": (20_490.0, 3.1), "CNN, pooled": (21_000.0, 3.0)}
    return Scatter("cost", "parameters", "multiply-adds, M", points, "the CNN computes more")


def claim(
    id: str, statements: Sequence[StatementRecord], charts: Sequence[Chart] = (), **changes: object
) -> ClaimRecord:
    """Return a record of the full profile."""
    values = {
        "id": id,
        "title": f"The title of {id}",
        "why": "It decides which network to take.",
        "method": "Both networks are trained on the same rows under eight seeds.",
        "statements": list(statements),
        "finding": "The CNN is better by 3.2 points.",
        "table": [{"arm": "MLP", "test accuracy": 0.8613}, {"arm": "CNN", "test accuracy": 0.8832}],
        "charts": list(charts),
        "arms": {"MLP": "csvision train model=mlp 'model.hidden=[128]' seed=0"},
        "setup": ["csvision prepare-fashion-mnist"],
        "command": f"csvision claims 'claim=[{id}]'",
        "profile": "full",
        "seconds": 90.5,
        "date": "2026-01-02T03:04:05.678901+00:00",
        "machine": {"platform": "Linux-6.1", "processors": 2, "instructions": "AVX2"},
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
    }
    return ClaimRecord(**{**values, **changes})  # type: ignore[arg-type]


AGREEING = [Comparison(f"{size}x{size}, p=0", size - 2, size - 2) for size in range(3, 23)]

GAINS = [3.1, 2.9, 3.6, 3.3, 2.7, 3.4, 3.0, 3.6]

POINTS = Difference(1.0, "points")

EXACT = make_statement_record(Statement("A1a", "A 3x3 kernel takes two pixels", Exact()), AGREEING)

WRONG = make_statement_record(
    Statement("A1b", "With padding it takes none", Exact()),
    [*AGREEING[:3], Comparison("28x28, p=1", 30, 28), Comparison("near", 0.1, 0.1 + 1e-9)],
)

HOLDS = make_statement_record(Statement("B1a", "A CNN is better by over a point", POINTS), GAINS)

REFUTED = make_statement_record(
    Statement("B1b", "A CNN is twice as fast", Ratio(2.0)), [0.5, 0.6, 0.55, 0.52] * 2
)

UNDECIDED = make_statement_record(
    Statement("B1c", "Padding helps", Difference(0.5, "points")), [0.9, -0.3, 1.4, 0.1] * 2
)

SHARES = make_statement_record(
    Statement("B2a", "Training makes edges", ProportionTest()),
    ([True] * 30 + [False] * 10, [False] * 40),
)

ABSENT = make_statement_record(Statement("B2b", "A GPU is faster", Ratio(1.0)), None)

ONE_PAIR = make_statement_record(Statement("B2c", "One pair has no interval", POINTS), [1.5])

ENDLESS = replace(
    ONE_PAIR, id="B2e", decision=Decision(Verdict.undecided, 1.5, -inf, inf, 1), text=LONG
)

NO_INTERVAL = StatementRecord(
    "B2d",
    AWKWARD,
    "rule & <rule>",
    "$ units",
    [1.0],
    Decision(Verdict.undecided, 1.0, None, None, 1),
)

RECORDS = [
    claim("A1", [EXACT, WRONG], [panels("heat"), bars(log=True)]),
    claim("B1", [HOLDS, REFUTED, UNDECIDED], [bars(), curves(), scatter()]),
    claim(
        "B2",
        [SHARES, ABSENT, ONE_PAIR, NO_INTERVAL, ENDLESS],
        [
            panels("image"),
            panels("filter"),
            bars(
                title=AWKWARD,
                unit=AWKWARD,
                alt=AWKWARD,
                values={AWKWARD: 1.5, LONG: -2.5, "not a number": nan, "no end": inf},
            ),
            Curves(
                LONG, AWKWARD, LONG, [Series(AWKWARD, [0.0], [1.0]), Series("_b", [], [])], LONG
            ),
        ],
        title=AWKWARD,
        why=LONG,
        finding=f"{AWKWARD} {LONG}",
        arms={AWKWARD: f"csvision train {LONG}={AWKWARD}"},
        table=[{AWKWARD: AWKWARD, LONG: 1e-9}, {AWKWARD: "", LONG: 123456789.5}],
    ),
    claim("B3", [], table=[], arms={}),
]

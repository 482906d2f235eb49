"""The claims page: a single HTML file that needs no other file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from csvision.page.numbers import format_duration
from csvision.page.template import read_asset, render_template
from csvision_claims.engine.profile import FULL
from csvision_claims.engine.record import ClaimRecord, StatementRecord
from csvision_claims.engine.rules import CONFIDENCE, Verdict
from csvision_claims.page.render import RenderedChart, render_chart, render_interval_plot
from csvision_claims.page.rows import CaseRow, case_rows, format_table, summary_rows
from csvision_claims.page.summary import summarize
from csvision_claims.page.text import (
    NOTES,
    SYMBOLS,
    describe_training,
    format_effect,
    is_exact,
    pluralize,
    typeset,
)

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class StatementSection:
    """A statement with its interval plot or its cases."""

    record: StatementRecord
    effect: str
    interval_plot: Markup
    cases: list[CaseRow]
    more_cases: int


@dataclass(frozen=True)
class ClaimSection:
    """A claim with its statements, charts and table."""

    record: ClaimRecord
    statements: list[StatementSection]
    charts: list[RenderedChart]
    columns: list[str]
    numeric: list[bool]
    cells: list[list[str]]
    cost: str


def render_page(records: Sequence[ClaimRecord]) -> str:
    """Return the page as HTML.

    Raises ValueError if there are no records, or if one was not measured with the full profile.
    """
    return render_template(
        FOLDER / "page.html.jinja",
        read_asset(FOLDER / "colors.css") + read_asset(FOLDER / "page.css"),
        {"typeset": typeset},
        summary=summarize(records),
        rows=summary_rows(records),
        notes=NOTES,
        training=describe_training(FULL),
        sections=[claim_section(record) for record in records],
        symbols=SYMBOLS,
        verdicts=list(Verdict),
        confidence=f"{100 * CONFIDENCE:g} %",
        pluralize=pluralize,
    )


def claim_section(record: ClaimRecord) -> ClaimSection:
    """Return what the page shows of a claim."""
    charts = [
        render_chart(chart, f"{record.id}-{index}") for index, chart in enumerate(record.charts)
    ]
    columns = list(record.table[0]) if record.table else []
    return ClaimSection(
        record=record,
        statements=[statement_section(entry) for entry in record.statements],
        charts=[chart for chart in charts if chart],
        columns=columns,
        numeric=[
            not any(isinstance(row[name], str) and row[name] for row in record.table)
            for name in columns
        ],
        cells=format_table(record.table),
        cost=format_duration(record.seconds),
    )


def statement_section(entry: StatementRecord) -> StatementSection:
    """Return what the page shows of a statement."""
    cases = case_rows(entry.evidence) if is_exact(entry) else []
    return StatementSection(
        record=entry,
        effect=format_effect(entry),
        interval_plot=Markup(render_interval_plot(entry)),
        cases=cases,
        more_cases=len(entry.evidence) - len(cases) if cases else 0,
    )

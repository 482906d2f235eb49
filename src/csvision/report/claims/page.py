"""The page of the claims: one file with all that it shows."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from csvision.claims.profile import FULL
from csvision.claims.record import ClaimRecord, StatementRecord
from csvision.claims.rules import CONFIDENCE, Verdict
from csvision.report.claims import wording
from csvision.report.claims.numbers import duration
from csvision.report.claims.pictures import Picture, picture_of, strip_of
from csvision.report.claims.rows import Case, case_rows, summary_rows, table_cells
from csvision.report.claims.summary import summarize

HERE = Path(__file__).parent


@dataclass(frozen=True)
class StatementSection:
    """A statement with its strip, or with its cases."""

    record: StatementRecord
    effect: str
    strip: Markup
    cases: list[Case]
    more_cases: int


@dataclass(frozen=True)
class ClaimSection:
    """A claim with what is drawn and written of it."""

    record: ClaimRecord
    statements: list[StatementSection]
    pictures: list[Picture]
    columns: list[str]
    numeric: list[bool]
    cells: list[list[str]]
    cost: str


def render_page(records: Sequence[ClaimRecord]) -> str:
    """The whole page as HTML.

    Raises ValueError without a record, and for one that is no evidence.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script = source("page.js")
    return environment.get_template("page.html.jinja").render(
        summary=summarize(records),
        rows=summary_rows(records),
        training=wording.training(FULL),
        sections=[claim_section(record) for record in records],
        signs=wording.SIGNS,
        verdicts=list(Verdict),
        confidence=f"{100 * CONFIDENCE:g} %",
        counted=wording.counted,
        style=Markup(source("colours.css") + source("page.css")),
        script=Markup(script),
        # The only script that the page's own policy lets a browser run.
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )


def source(name: str) -> str:
    """A file that becomes part of the page."""
    return (HERE / name).read_text(encoding="utf-8")


def claim_section(record: ClaimRecord) -> ClaimSection:
    """What the page says of a claim."""
    pictures = [
        picture_of(chart, f"{record.id}-{index}") for index, chart in enumerate(record.charts)
    ]
    columns = list(record.table[0]) if record.table else []
    return ClaimSection(
        record=record,
        statements=[statement_section(entry) for entry in record.statements],
        pictures=[picture for picture in pictures if picture],
        columns=columns,
        numeric=[
            not any(isinstance(row[name], str) and row[name] for row in record.table)
            for name in columns
        ],
        cells=table_cells(record.table),
        cost=duration(record.seconds),
    )


def statement_section(entry: StatementRecord) -> StatementSection:
    """What the page says of a statement."""
    cases = case_rows(entry.evidence) if wording.is_exact(entry) else []
    return StatementSection(
        record=entry,
        effect=wording.effect(entry),
        strip=Markup(strip_of(entry)),
        cases=cases,
        more_cases=len(entry.evidence) - len(cases) if cases else 0,
    )

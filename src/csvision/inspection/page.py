"""The page of an inspection: a single HTML file that needs no other file and runs no script."""

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from csvision.inspection.charts import FOREGROUND, SERIES
from csvision.inspection.drawings import Drawings
from csvision.inspection.result import Inspection
from csvision.inspection.sentences import (
    count,
    describe_answers,
    describe_top_classes,
    percent,
    percent_interval,
    points_interval,
)

FOLDER = Path(__file__).parent

NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
"""Without metadata the same figure always gives the same text."""

COLORS = {FOREGROUND: "currentColor", SERIES[0]: "var(--series-1)", SERIES[1]: "var(--series-2)"}

ALTS = {
    "reliability": "Reliability diagram: accuracy by confidence, with 95 % intervals",
    "thresholds": "Accuracy and share of kept rows by the smallest confidence",
    "shifts": "Accuracy and changed predictions by the distance of the shift",
}


def render_page(inspection: Inspection, drawings: Drawings, facts: Mapping[str, str]) -> str:
    """Return the page as HTML; `facts` say what was inspected."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": lambda *arguments: keep_together(percent(*arguments)),
        "interval": lambda estimate: keep_together(percent_interval(estimate)),
        "points": points_interval,
        "count": count,
        "top_classes": lambda row: describe_top_classes(inspection, row),
    }
    return environment.get_template("page.html.jinja").render(
        found=inspection,
        drawn=drawings,
        facts=facts,
        answers=describe_answers(inspection),
        charts={name: chart_svg(name, figure) for name, figure in drawings.charts.items()},
        style=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),
    )


def keep_together(text: str) -> str:
    """Return a text in which no line ends before a percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def chart_svg(name: str, figure: Figure) -> Markup:
    """Return a chart as <svg> in the colors and fonts of the page."""
    file = StringIO()
    # The ids of shared elements depend on the salt: they are unique on the page.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r"(font: [^'\";]*?)px '[^']*'[^;\"]*", r"\1px inherit", text)
    text = re.sub(r"#[0-9a-f]{6}\b", lambda match: COLORS.get(match[0], match[0]), text)
    text = re.sub(r">\s+<", "><", text)
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{ALTS[name]}"', 1))

"""The page of an inspection: a single HTML file that needs no other file and runs no script."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from markupsafe import Markup

from csvision.arithmetic.text import format_field, format_shape
from csvision.inspection.drawings import Drawings
from csvision.inspection.result import Inspection
from csvision.inspection.sentences import (
    count,
    describe_answers,
    describe_changes,
    describe_top_classes,
    format_fall,
    percent,
    percent_interval,
    points_interval,
    probability,
)
from csvision.page.svg import render_svg
from csvision.page.template import read_asset, render_template

FOLDER = Path(__file__).parent

ALTS = {
    "reliability": "Reliability diagram: accuracy by confidence, with 95 % intervals",
    "thresholds": "Accuracy and share of kept rows by the smallest confidence",
    "shifts": "Accuracy and changed predictions by the distance of the shift",
}


def render_page(inspection: Inspection, drawings: Drawings, facts: Mapping[str, str]) -> str:
    """Return the page as HTML; `facts` say what was inspected."""
    charts = {
        name: Markup(render_svg(partial(drawings.charts.__getitem__, name), name, ALTS[name]))
        for name in drawings.charts
    }
    return render_template(
        FOLDER / "page.html.jinja",
        read_asset(FOLDER / "page.css"),
        {
            "percent": lambda *arguments: keep_together(percent(*arguments)),
            "interval": lambda estimate: keep_together(percent_interval(estimate)),
            "points": lambda estimate: keep_together(points_interval(estimate)),
            "fall": lambda estimate: keep_together(format_fall(estimate)),
            "probability": probability,
            "number": "{:,}".format,
            "shape": format_shape,
            "field": format_field,
            "changes": describe_changes,
            "count": count,
            "top_classes": lambda row: describe_top_classes(inspection, row),
        },
        found=inspection,
        drawn=drawings,
        facts=facts,
        answers=describe_answers(inspection),
        charts=charts,
    )


def keep_together(text: str) -> str:
    """Return a text in which no line ends before a unit or inside of an interval."""
    for part in (" %", ", ", " points"):
        text = text.replace(part, part.replace(" ", "\N{NO-BREAK SPACE}"))
    return text

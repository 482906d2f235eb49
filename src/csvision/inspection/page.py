"""The page of an inspection: a single HTML file that needs no other file and runs no script."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from markupsafe import Markup

from csvision.arithmetic.text import format_field, format_shape
from csvision.inspection.confusion_matrix import matrix_cells
from csvision.inspection.drawings import Drawings
from csvision.inspection.format import (
    format_fall,
    gap_interval,
    percent,
    percent_interval,
    probability,
)
from csvision.inspection.result import Inspection
from csvision.inspection.sentences import (
    describe_answers,
    describe_changes,
    describe_top_classes,
)
from csvision.page.numbers import unicode_minus
from csvision.page.svg import render_svg
from csvision.page.template import FOLDER as SHARED
from csvision.page.template import read_asset, render_template
from csvision.wording import pluralize

FOLDER = Path(__file__).parent

TITLES = {
    "layers": "Layers",
    "classes": "Precision and recall of each class",
    "confusions": "Most confused classes",
    "confidence": "Confidence and accuracy",
    "mistakes": "Most confident mistakes",
    "labels": "Labels that may be wrong",
    "shifts": "Shifted images",
    "filters": "First-layer weights",
    "maps": "Feature maps, layer by layer",
    "attributions": "What the predictions depend on",
}
"""The titles of the sections by their ids, in their order."""

ALTS = {
    "reliability": "Reliability diagram: accuracy by confidence, with 95 % intervals",
    "thresholds": "Accuracy and share of kept rows by the smallest confidence",
    "shifts": "Accuracy and changed predictions by the distance of the shift",
}


def render_page(
    inspection: Inspection, drawings: Drawings, facts: Mapping[str, str], images: bool = False
) -> str:
    """Return the page as HTML; `facts` say what was inspected.

    `images` says whether the test rows are the images of a folder.
    """
    matrix = inspection.confusion_matrix
    charts = {
        name: Markup(render_svg(partial(drawings.charts.__getitem__, name), name, ALTS[name]))
        for name in drawings.charts
    }
    return render_template(
        FOLDER / "page.html.jinja",
        read_asset(SHARED / "heat.css") + read_asset(FOLDER / "page.css"),
        {
            "percent": lambda *arguments: keep_together(percent(*arguments)),
            "interval": lambda estimate: keep_together(percent_interval(estimate)),
            "fall": lambda estimate: keep_together(format_fall(estimate)),
            "probability": lambda value: unbroken(probability(value)),
            "limit": lambda value: unbroken(unicode_minus(f"{value:.3g}")),
            "gap": lambda calibration: keep_together(gap_interval(calibration)),
            "number": "{:,}".format,
            "shape": format_shape,
            "field": format_field,
            "changes": describe_changes,
            "count": pluralize,
            "top_classes": lambda row: describe_top_classes(inspection, row),
        },
        found=inspection,
        drawn=drawings,
        facts=facts,
        answers=describe_answers(inspection),
        titles=TITLES,
        images=images,
        classes=inspection.evaluation.subset.table.classes,
        matrix=None if matrix is None else matrix_cells(matrix),
        charts=charts,
    )


def unbroken(text: str) -> Markup:
    """Return a number in which no line ends, neither after the sign of an exponent."""
    return Markup('<span class="unbroken">{}</span>').format(text)


def keep_together(text: str) -> str:
    """Return a text in which no line ends before a unit or inside of an interval."""
    for part in (" %", ", ", " points"):
        text = text.replace(part, part.replace(" ", "\N{NO-BREAK SPACE}"))
    return text

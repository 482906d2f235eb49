"""Colors of verdicts: legible on white and on near-black, and distinguishable when color-blind."""

from csvision.page import colors
from csvision_claims.engine.rules import Verdict

VERDICTS = {
    Verdict.holds: "#00654a",
    Verdict.refuted: "#a63600",
    Verdict.undecided: "#715000",
    Verdict.not_decided_here: "#56606a",
}

CSS_VALUES = colors.CSS_VALUES | {
    color: f"var(--{verdict.name.replace('_', '-')}, {color})"
    for verdict, color in VERDICTS.items()
}
"""The CSS value that replaces each color on the page."""

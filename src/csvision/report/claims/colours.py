"""The colours of pictures, legible on white and on near-black, told apart by the colour-blind.

A picture is drawn in the colours of the light page; each is replaced by a variable of the page,
which gives it another value in the dark.
"""

from csvision.claims.rules import Verdict

INK = "#010203"
"""Text and axes; becomes the colour of the text around the picture."""

GROUND = "#fefdfc"
"""The edge of a mark that lies on another; becomes the colour of the page."""

SERIES = {
    "#0067a5": "--series-1",
    "#c2500a": "--series-2",
    "#007a5a": "--series-3",
    "#a3467f": "--series-4",
    "#8a6100": "--series-5",
    "#5b6670": "--series-6",
}
"""Okabe and Ito's blue, vermilion, green, purple and orange, darkened; and a grey."""

VERDICTS = {
    Verdict.holds: "#00654a",
    Verdict.refuted: "#a63600",
    Verdict.undecided: "#715000",
    Verdict.not_decided_here: "#56606a",
}
"""The colours of verdicts, which words and signs tell too."""

VARIABLES = {
    INK: "currentColor",
    GROUND: "var(--ground, #ffffff)",
    **{colour: f"var({name}, {colour})" for colour, name in SERIES.items()},
    **{
        colour: f"var(--{verdict.name.replace('_', '-')}, {colour})"
        for verdict, colour in VERDICTS.items()
    },
}
"""What stands in the page for each colour."""


def series_colour(index: int) -> str:
    """The colour of a series by its place; they begin again after the last."""
    colours = list(SERIES)
    return colours[index % len(colours)]

"""Colors of charts: legible on white and on near-black, and distinguishable when color-blind.

Charts are drawn in the colors of the light page. Each color is then replaced by a CSS variable,
which has another value in dark mode.
"""

FOREGROUND = "#010203"
"""Text and axes; becomes the color of the text around the chart."""

BACKGROUND = "#fefdfc"
"""The edge of a marker on top of another; becomes the background color of the page."""

SERIES = {
    "#0067a5": "--series-1",
    "#c2500a": "--series-2",
    "#007a5a": "--series-3",
    "#a3467f": "--series-4",
    "#8a6100": "--series-5",
    "#5b6670": "--series-6",
}
"""Blue, vermilion, green, purple and orange of Okabe and Ito, darkened, and a gray."""

CSS_VALUES = {
    FOREGROUND: "currentColor",
    BACKGROUND: "var(--background, #ffffff)",
    **{color: f"var({name}, {color})" for color, name in SERIES.items()},
}
"""The CSS value that replaces each color on the page."""


def series_color(index: int) -> str:
    """Return the color of a series by its index; colors repeat after the last one."""
    colors = list(SERIES)
    return colors[index % len(colors)]

"""Colours of pictures: legible as they are drawn, and left to the page."""

from pathlib import Path

import pytest

from csvision.report.claims import colours
from csvision.report.claims.colours import SERIES, VARIABLES, VERDICTS


def luminance(colour: str) -> float:
    """The relative luminance of WCAG."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [*SERIES, *VERDICTS.values()])
def test_colours_stand_out_on_white(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5
    assert VARIABLES[colour].endswith(f", {colour})")


def test_the_page_gives_every_variable_a_value_in_either_scheme() -> None:
    style = (Path(colours.__file__).parent / "colours.css").read_text(encoding="utf-8")
    light, dark = style.split("prefers-color-scheme: dark")
    for value in VARIABLES.values():
        name = value.removeprefix("var(").split(",")[0]
        assert name == "currentColor" or (f"{name}: #" in light and f"{name}: #" in dark)


def test_pictures_are_drawn_in_the_colours_of_the_light_page() -> None:
    style = (Path(colours.__file__).parent / "colours.css").read_text(encoding="utf-8")
    for colour, name in SERIES.items():
        assert f"{name}: {colour};" in style
    for verdict, colour in VERDICTS.items():
        assert f"--{verdict.name.replace('_', '-')}: {colour};" in style

"""Colors of charts: legible, and defined by the page."""

from pathlib import Path

import pytest

from csvision.page.colors import CSS_VALUES as SHARED
from csvision.page.colors import SERIES
from csvision.page.template import FOLDER as SHARED_FOLDER
from csvision_claims.page import colors
from csvision_claims.page.colors import CSS_VALUES, VERDICTS

FOLDER = Path(colors.__file__).parent


def luminance(color: str) -> float:
    """Return the relative luminance as defined by WCAG."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("color", [*SERIES, *VERDICTS.values()])
def test_contrast_with_white_is_sufficient(color: str) -> None:
    assert 1.05 / (luminance(color) + 0.05) >= 4.5
    assert CSS_VALUES[color].endswith(f", {color})")


def test_style_defines_every_variable_in_both_schemes() -> None:
    for folder, values in ((SHARED_FOLDER, SHARED), (FOLDER, CSS_VALUES.items() - SHARED.items())):
        style = (folder / "colors.css").read_text(encoding="utf-8")
        light, dark = style.split("prefers-color-scheme: dark")
        for _, value in dict(values).items():
            name = value.removeprefix("var(").split(",")[0]
            assert name == "currentColor" or (f"{name}: #" in light and f"{name}: #" in dark)


def test_charts_have_the_colors_of_the_light_page() -> None:
    style = (SHARED_FOLDER / "colors.css").read_text(encoding="utf-8")
    for color, name in SERIES.items():
        assert f"{name}: {color};" in style
    style = (FOLDER / "colors.css").read_text(encoding="utf-8")
    for verdict, color in VERDICTS.items():
        assert f"--{verdict.name.replace('_', '-')}: {color};" in style

"""Render a page from its template: a single HTML file that needs no other file."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent


def render_template(
    template: Path,
    style: str = "",
    filters: Mapping[str, Callable[..., Any]] | None = None,
    **values: Any,
) -> str:
    """Return the page of a template, with `style` after the style that all pages share.

    The template gets `style`, `script` and `script_hash`, too: its Content-Security-Policy allows
    only the script with this hash, which sorts tables.
    """
    environment = make_environment(template.parent)
    environment.filters.update(filters or {})
    script = read_asset(FOLDER / "sort.js")
    shared = read_asset(FOLDER / "colors.css") + read_asset(FOLDER / "base.css")
    return environment.get_template(template.name).render(
        style=Markup(shared + style),
        script=Markup(script),
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        **values,
    )


@lru_cache(maxsize=8)
def make_environment(folder: Path) -> Environment:
    """Return an environment in which values are escaped and unknown names are errors."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def read_asset(path: Path) -> str:
    """Return the text of a CSS or JavaScript file that is inserted into a page."""
    return path.read_text(encoding="utf-8")

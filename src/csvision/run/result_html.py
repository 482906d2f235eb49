"""Show a finished run in a notebook, as HTML without references to other files."""

import base64
from html import escape
from pathlib import Path

import pandas as pd

from csvision.run.directory import RunDirectory

MAX_EPOCHS = 10
"""The number of last epochs that are shown."""


def run_html(directory: Path, metrics: dict[str, float]) -> str:
    """Return metrics, last epochs and confusion matrix of a run as HTML.

    Files that do not exist any more are left out.
    """
    run_dir = RunDirectory(directory)
    parts = [f"<p><code>{escape(str(directory))}</code></p>"]
    table = pd.DataFrame([metrics]).rename(index={0: "final"})
    parts.append(table.to_html(float_format="{:.4f}".format, border=0))
    if run_dir.history.exists():
        history = pd.read_csv(run_dir.history)
        shown = history.tail(MAX_EPOCHS)
        if len(shown) < len(history):
            parts.append(f"<p>the last {MAX_EPOCHS} of {len(history)} epochs:</p>")
        parts.append(shown.to_html(index=False, float_format="{:.4g}".format, border=0))
    figure = directory / "confusion_matrix.png"
    if figure.exists():
        content = base64.b64encode(figure.read_bytes()).decode()
        parts.append(
            f'<img alt="confusion matrix of the test split" style="max-width:30em" '
            f'src="data:image/png;base64,{content}">'
        )
    return "\n".join(parts)

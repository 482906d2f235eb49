"""Numbers and tables of a comparison as text."""

from collections.abc import Sequence

from csvision.comparison.statistics import MeanInterval

DASH = "-"


def format_mean(interval: MeanInterval | None) -> str:
    """Return mean and standard deviation."""
    if interval is None:
        return DASH
    return f"{interval.mean:.4f}" + ("" if interval.std is None else f" +- {interval.std:.4f}")


def format_range(interval: MeanInterval | None, spec: str = ".4f") -> str:
    """Return the ends of an interval in brackets."""
    if interval is None or interval.low is None or interval.high is None:
        return DASH
    return f"[{interval.low:{spec}}, {interval.high:{spec}}]"


def format_p(value: float | None) -> str:
    """Return a p-value."""
    if value is None:
        return DASH
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def p_equation(value: float | None) -> str:
    """Return a p-value in a sentence: p = 0.1234, p < 0.0001."""
    text = format_p(value)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def align(rows: Sequence[Sequence[str]]) -> str:
    """Return a table with aligned columns; the first two are aligned at the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = {0, 1} if not rows[0][0] else {0}
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" if index in left else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )

"""A comparison as HTML tables, for notebooks."""

from csvision.comparison.network_gain_text import describe_gain
from csvision.comparison.result import ComparisonResult
from csvision.comparison.text import describe_choice, describe_runs


def comparison_html(comparison: ComparisonResult) -> str:
    """Return the tables of settings and differences; all text is escaped."""
    from html import escape

    table = comparison.table.drop(columns=["seconds"])
    parts = [
        f"<p>{escape(describe_runs(comparison))}</p>",
        table.to_html(index=False, na_rep="", float_format="{:.4f}".format, border=0),
        f"<p>{escape(describe_choice(comparison))}</p>",
    ]
    if comparison.network_gain is not None:
        parts.append(f"<p>{escape(describe_gain(comparison.network_gain))}</p>")
    if comparison.differences:
        differences = comparison.difference_table
        parts.append(differences.to_html(index=False, na_rep="", float_format="{:.4f}".format))
    parts += [f"<p>{escape(note)}</p>" for note in comparison.notes]
    return "\n".join(parts)

"""The comparison that `csvision.compare` returns: it prints as text, and as HTML in a notebook."""

from csvision.comparison.html import comparison_html
from csvision.comparison.result import ComparisonResult
from csvision.comparison.text import format_comparison


class Comparison(ComparisonResult):
    """Settings and their differences; `table` and `difference_table` are data frames."""

    def __str__(self) -> str:
        return format_comparison(self)

    def _repr_html_(self) -> str:
        return comparison_html(self)

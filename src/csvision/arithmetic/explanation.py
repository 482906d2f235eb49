"""The result of `csvision explain`, in each of its formats."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Union

from csvision.arithmetic.diagram import draw_network
from csvision.arithmetic.layers import NetworkExplanation
from csvision.arithmetic.text import format_network

if TYPE_CHECKING:
    from csvision.arithmetic.filter_step import FilterExplanation


@dataclass(frozen=True)
class Explanation:
    """What was explained; notebooks show its picture."""

    content: Union[NetworkExplanation, "FilterExplanation"]

    def to_text(self) -> str:
        """Return tables for a terminal."""
        if isinstance(self.content, NetworkExplanation):
            return format_network(self.content)
        # Not at the top: torch takes seconds to import.
        from csvision.arithmetic.filter_text import format_filter

        return format_filter(self.content)

    def to_json(self) -> str:
        """Return all numbers as a JSON object."""
        return json.dumps(asdict(self.content), indent=2, allow_nan=False)

    def to_svg(self) -> str:
        """Return a picture, complete in itself."""
        if isinstance(self.content, NetworkExplanation):
            return draw_network(self.content)
        from csvision.arithmetic.filter_drawing import draw_filter

        return draw_filter(self.content)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_svg_(self) -> str:
        return self.to_svg()

"""The result of `csvision explain`, in each of its formats."""

import json
from dataclasses import asdict, dataclass

from csvision.arithmetic.diagram import draw_network
from csvision.arithmetic.layers import NetworkExplanation
from csvision.arithmetic.text import format_network


@dataclass(frozen=True)
class Explanation:
    """What was explained; notebooks show its picture."""

    content: NetworkExplanation

    def to_text(self) -> str:
        """Return tables for a terminal."""
        return format_network(self.content)

    def to_json(self) -> str:
        """Return all numbers as a JSON object."""
        return json.dumps(asdict(self.content), indent=2, allow_nan=False)

    def to_svg(self) -> str:
        """Return a picture, complete in itself."""
        return draw_network(self.content)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_svg_(self) -> str:
        return self.to_svg()

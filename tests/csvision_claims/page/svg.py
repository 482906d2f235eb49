"""The parts of an SVG picture."""

from xml.etree import ElementTree


def text_elements(drawn: str) -> list[str]:
    """Return the texts of a picture."""
    return ["".join(node.itertext()) for node in ElementTree.fromstring(drawn).iter("text")]


def markers(drawn: str, color: str) -> list[ElementTree.Element]:
    """Return the markers of one color."""
    return [
        node for node in ElementTree.fromstring(drawn).iter("use") if color in node.get("style", "")
    ]

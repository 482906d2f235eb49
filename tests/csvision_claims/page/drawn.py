"""What stands in an <svg> element."""

from xml.etree import ElementTree


def texts(drawn: str) -> list[str]:
    """The texts of a picture."""
    return ["".join(node.itertext()) for node in ElementTree.fromstring(drawn).iter("text")]


def marks(drawn: str, colour: str) -> list[ElementTree.Element]:
    """The places of marks in a colour."""
    return [
        node
        for node in ElementTree.fromstring(drawn).iter("use")
        if colour in node.get("style", "")
    ]

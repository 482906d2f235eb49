"""The formula for the side of an output map, as the course notes give it."""

from math import floor


def claimed_side(size: int, window: int, padding: int = 0, stride: int = 1) -> int:
    """Return floor((n + 2p - f) / s) + 1 for image side n, window f, padding p and stride s."""
    return floor(unrounded_side(size, window, padding, stride))


def unrounded_side(size: int, window: int, padding: int, stride: int) -> float:
    """Return (n + 2p - f) / s + 1, which need not be an integer."""
    return (size + 2 * padding - window) / stride + 1

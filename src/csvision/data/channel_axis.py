"""Find the axis of an image that has the channels."""

from csvision.config.schema import Layout
from csvision.layer_shapes import Shape

CHANNELS = (1, 3, 4)


def find_channel_axis(sides: Shape) -> tuple[Shape, Layout] | None:
    """Return image shape (C, H, W) and layout of images with three axes; None if it is not clear.

    The channels are first or last, and 1, 3 or 4. Square images are preferred, then 3 channels.
    """
    first, second, third = sides
    found: list[tuple[Shape, Layout]] = []
    if first in CHANNELS:
        found.append(((first, second, third), Layout.channels_first))
    if third in CHANNELS:
        found.append(((third, first, second), Layout.channels_last))
    squares = [candidate for candidate in found if candidate[0][1] == candidate[0][2]]
    found = squares or found
    colors = [candidate for candidate in found if candidate[0][0] == 3]
    found = colors or found
    return found[0] if len(found) == 1 else None

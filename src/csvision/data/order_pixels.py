"""Put the pixel columns of a file in the order of the image, and infer its shape."""

from collections.abc import Sequence
from math import prod

from csvision.config.schema import Layout
from csvision.data.cells import is_text
from csvision.data.channel_axis import find_channel_axis
from csvision.data.roles import Evidence, Roles
from csvision.errors import DataError
from csvision.layer_shapes import Shape


def order_pixels(evidence: Evidence, roles: Roles) -> list[int]:
    """Return the pixel columns in the order of the image.

    The order is that of the training file, else that of the numbers in the names, else that of the
    file. Raises DataError for columns that are neither pixels nor anything else.
    """
    if not roles.numbers:
        return roles.free
    if roles.names_tell and roles.outside:
        leave_out_unknown(evidence, roles)
    if any(index not in roles.numbers for index in roles.free):
        return roles.free
    ordered = sorted(roles.free, key=lambda index: roles.numbers[index])
    if ordered != roles.free:
        by_reference = evidence.reference is not None and evidence.reference.pixel_columns
        order = "of the training file" if by_reference else "of the numbers in their names"
        roles.notices.append(f"pixel columns are put in the order {order}")
    return ordered


def leave_out_unknown(evidence: Evidence, roles: Roles) -> None:
    """Leave out columns that the training file did not have; raises DataError without one."""
    unknown = [evidence.name_of(index) for index in roles.outside]
    if evidence.reference is None:
        raise DataError(
            f"{evidence.source}, column {unknown[0]}: neither a pixel nor the label; "
            f"set data.ignore=[{','.join(unknown[:10])}] if it is to be left out"
        )
    roles.notices.append(f"left out, as they are no pixels: {', '.join(unknown[:10])}")
    roles.take(*roles.outside)


def check_no_text(evidence: Evidence, pixels: Sequence[int]) -> None:
    """Raise DataError if a pixel column contains text: it may be the label."""
    rows = evidence.sample.rows
    if len(rows) < 2:
        return
    for index in pixels:
        if all(is_text(row[index]) for row in rows):
            name = evidence.name_of(index)
            hint = f"set data.label_column={name} if this is the label, else data.ignore=[{name}]"
            if evidence.reference is not None:
                hint = "remove the column, or give it the name of the label in the training file"
            raise DataError(f"{evidence.source}, column {name}: {rows[0][index]!r} is text; {hint}")


def shape_in_names(
    evidence: Evidence, roles: Roles, pixels: Sequence[int]
) -> tuple[Shape | None, Layout | None]:
    """Return image shape and layout given by two or three numbers in each name.

    Examples are 1x1 to 28x20, and r0c0ch0 to r7c7ch2 for pixels with the channels last. Raises
    DataError if it is not clear which numbers are those of the channels.
    """
    positions = [roles.numbers.get(index, ()) for index in pixels]
    lengths = {len(position) for position in positions}
    if lengths not in ({2}, {3}):
        return None, None
    spans = [max(values) - min(values) + 1 for values in zip(*positions, strict=True)]
    if len(spans) == 2:
        height, width = spans
        return ((1, height, width) if height * width == len(pixels) else None), None
    if prod(spans) != len(pixels):
        return None, None
    found = find_channel_axis((spans[0], spans[1], spans[2]))
    if found is None and evidence.num_pixels is None:
        raise DataError(
            f"{evidence.source}: names such as {evidence.name_of(pixels[0])} count {spans} pixels; "
            "it is not clear which of these are the channels; set data.image_shape and data.layout"
        )
    return found or (None, None)

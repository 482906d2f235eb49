"""Infer the roles of the columns of a file: label, pixels in their order, identifiers, split."""

from collections.abc import Sequence
from math import prod

from csvision.config.schema import Layout
from csvision.data.columns import Columns, infer_image_shape, is_square
from csvision.data.data_spec import DataSpec
from csvision.data.find_label import find_label, is_id_or_split, is_split_column
from csvision.data.order_pixels import check_no_text, order_pixels, shape_in_names
from csvision.data.read_options import ReadOptions
from csvision.data.roles import Evidence, Roles, start_roles
from csvision.data.sample import Sample
from csvision.data.source import Source
from csvision.errors import DataError
from csvision.layer_shapes import Shape


def infer_columns(
    source: Source, options: ReadOptions, reference: DataSpec | None, sample: Sample
) -> tuple[Columns, list[str]]:
    """Return the roles of the columns of a file, and one notice per decision to report.

    Columns have the same roles as in the file of a `reference`, where names tell. Raises DataError
    if there are no rows, a role is not clear, or pixels do not form an image.
    """
    sample.check_has_rows()
    evidence = Evidence(source, options, reference, sample)
    roles = start_roles(evidence)
    find_label(evidence, roles)
    find_ids_and_split(evidence, roles)
    pixels = order_pixels(evidence, roles)
    check_no_text(evidence, pixels)
    shape, layout = infer_shape(evidence, roles, pixels)
    columns = Columns(
        names=tuple(source.names),
        pixels=tuple(pixels),
        image_shape=shape,
        layout=layout,
        transpose=options.transpose,
        label=roles.label,
        one_hot=roles.one_hot,
        ids=roles.ids,
        split=roles.split,
        has_header=source.has_header,
    )
    return columns, [*source.notices, *roles.notices]


def infer_shape(evidence: Evidence, roles: Roles, pixels: Sequence[int]) -> tuple[Shape, Layout]:
    """Return image shape and layout: given, of the training file, of the file, by names, or square.

    Raises DataError if the pixels do not form such an image.
    """
    source, options, reference = evidence.source, evidence.options, evidence.reference
    named_shape, named_layout = shape_in_names(evidence, roles, pixels)
    if reference is not None:
        check_shape(source, len(pixels), reference.image_shape)
    given = options.image_shape if reference is None else reference.image_shape
    known = given or source.image_shape or named_shape
    shape = infer_image_shape(source.path, [evidence.name_of(index) for index in pixels], known)
    if known is None and shape[0] == 3:
        roles.notices.append(
            f"{len(pixels)} pixels are read as an RGB image of {shape[1]}x{shape[2]}, "
            f"{options.layout}; set data.image_shape and data.layout if they are something else"
        )
    # The names of a file for a run give the layout that they gave in training.
    by_name = named_layout if named_shape == shape else None
    return shape, source.layout or by_name or Layout(options.layout)


def check_shape(source: Source, num_pixels: int, expected: Shape) -> None:
    """Raise DataError unless images have the shape of those of the training file."""
    if source.image_shape not in (None, expected):
        raise DataError(
            f"{source}: images of shape {list(source.image_shape or ())}, but those of the "
            f"training file have {list(expected)}; resize them"
        )
    if num_pixels != prod(expected):
        raise DataError(
            f"{source}: {num_pixels} pixel columns, but the images of the training file, of shape "
            f"{list(expected)}, have {prod(expected)}; use images of the same size"
        )


def find_ids_and_split(evidence: Evidence, roles: Roles) -> None:
    """Find the columns of identifiers and splits, and leave out other columns with such names."""
    for index in roles.outside:
        if not is_id_or_split(evidence, index):
            continue
        # Where names do not tell, a column without a name can be a pixel.
        if not roles.names_tell and not evidence.names[index].strip():
            continue
        if is_split_column(evidence, index) and roles.split is None:
            roles.split = index
            roles.take(index)
            roles.notices.append(f"column {evidence.name_of(index)} gives the split of each row")
        else:
            leave_out_ids(evidence, roles, index)
    first = roles.outside[:1]
    is_extra = roles.names_tell or not is_image_size(evidence, len(roles.free))
    if roles.ids is None and first and is_extra and counts_rows(evidence.sample, first[0]):
        leave_out_ids(evidence, roles, first[0])


def is_image_size(evidence: Evidence, num_pixels: int) -> bool:
    """Return whether a number of pixels is the given one, or that of a square image."""
    if evidence.num_pixels is not None:
        return num_pixels == evidence.num_pixels
    return is_square(num_pixels) or (num_pixels % 3 == 0 and is_square(num_pixels // 3))


def leave_out_ids(evidence: Evidence, roles: Roles, index: int) -> None:
    """Take a column as identifiers; leave it out if there are identifiers already."""
    roles.take(index)
    roles.numbers.pop(index, None)
    name = evidence.name_of(index)
    if roles.ids is None:
        roles.ids = index
        # A folder of images has no columns.
        if not evidence.source.folder_files:
            roles.notices.append(f"column {name} identifies the rows and is not read as a pixel")
    else:
        roles.notices.append(f"column {name} is left out")


def counts_rows(sample: Sample, index: int) -> bool:
    """Return whether a column numbers the rows one after the other."""
    first = [row[index].strip() for row in sample.rows]
    return is_counting(first) and is_counting(sample.column(index))


def is_counting(cells: list[str]) -> bool:
    """Return whether ten cells or more are consecutive whole numbers."""
    if len(cells) < 10 or not cells[0].isdecimal() or len(cells[0]) > 9:
        return False
    return cells == [str(int(cells[0]) + row) for row in range(len(cells))]

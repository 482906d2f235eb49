"""Infer the roles of the columns of a file: label, pixels in their order, identifiers, split."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from csvision.config.schema import Layout
from csvision.data.cells import is_text
from csvision.data.columns import Columns, infer_image_shape
from csvision.data.data_spec import DataSpec
from csvision.data.find_label import (
    describe_candidates,
    find_label_by_values,
    find_named_label,
    find_only_text,
    is_one_hot,
)
from csvision.data.names import SPLIT_WORDS, find_numbered, is_id_name, is_split_name
from csvision.data.read_options import ReadOptions
from csvision.data.sample import Sample
from csvision.data.source import Source
from csvision.errors import DataError
from csvision.layer_shapes import Shape


@dataclass
class Roles:
    """The roles found so far, and the columns without one.

    `numbers` has the numbers in the names of columns that number themselves.
    """

    free: list[int]
    numbers: dict[int, tuple[int, ...]]
    label: int | None = None
    one_hot: tuple[int, ...] = ()
    ids: int | None = None
    split: int | None = None
    notices: list[str] = field(default_factory=list)

    def take(self, *columns: int) -> None:
        """Remove columns from those without a role."""
        self.free = [index for index in self.free if index not in columns]

    @property
    def outside(self) -> list[int]:
        """The free columns that do not number themselves; all of them if none does."""
        return [index for index in self.free if index not in self.numbers]


def infer_columns(
    source: Source, options: ReadOptions, reference: DataSpec | None, sample: Sample
) -> tuple[Columns, list[str]]:
    """Return the roles of the columns of a file, and one notice per decision to report.

    Columns have the same roles as in the file of a `reference`, where names tell. Raises DataError
    if a role is not clear, or pixels do not form an image.
    """
    names = source.names
    roles = start_roles(source, options, sample)
    find_label(source, roles, options, reference, sample)
    find_ids_and_split(source, roles, sample)
    pixels = order_pixels(source, roles, reference)
    check_no_text(source, pixels, sample)
    given = options.image_shape if reference is None else reference.image_shape
    shape = infer_image_shape(
        source.path, len(pixels), given or source.image_shape or shape_in_names(roles, pixels)
    )
    if given is None and source.image_shape is None and shape[0] == 3:
        roles.notices.append(
            f"{len(pixels)} pixels are read as an RGB image of {shape[1]}x{shape[2]}, "
            f"{options.layout}; set data.image_shape and data.layout if they are something else"
        )
    columns = Columns(
        names=tuple(names),
        pixels=tuple(pixels),
        image_shape=shape,
        layout=source.layout or Layout(options.layout),
        transpose=options.transpose,
        label=roles.label,
        one_hot=roles.one_hot,
        ids=roles.ids,
        split=roles.split,
        has_header=source.has_header,
    )
    return columns, [*source.notices, *roles.notices]


def start_roles(source: Source, options: ReadOptions, sample: Sample) -> Roles:
    """Return roles without the ignored and the empty columns; raises DataError for a wrong name."""
    names = source.names
    for name in options.ignore:
        if name not in names:
            raise DataError(
                f"{source}: no column is named {name!r} (data.ignore); the columns are "
                f"{', '.join(names[:3])}, ..."
            )
    numbers = find_numbered(names) if source.has_header else {}
    if len(numbers) < len(names) / 2:
        numbers = {}
    roles = Roles([index for index, name in enumerate(names) if name not in options.ignore], numbers)
    for index in (roles.free[:1] + roles.free[-1:]) if roles.free else []:
        if sample.rows and not any(row[index].strip() for row in sample.rows):
            roles.take(index)
            roles.notices.append(f"column {index + 1} is empty and left out")
    return roles


def find_label(
    source: Source,
    roles: Roles,
    options: ReadOptions,
    reference: DataSpec | None,
    sample: Sample,
) -> None:
    """Find the label column or one-hot columns, by the given name, usual names, or values.

    Raises DataError if there is none, unless a missing label is allowed, or if it is not clear.
    """
    names, path = source.names, source.path
    if options.label_column is not None:
        roles.label = find_given_label(source, roles, options)
    elif reference is not None and reference.label_column in names and source.has_header:
        roles.label = names.index(reference.label_column)
    else:
        roles.label = find_named_label(path, names, roles.outside, sample)
    if roles.label is None and options.label_column is None:
        find_unnamed_label(source, roles, options, reference, sample)
    if roles.label is not None:
        roles.take(roles.label)
        roles.numbers.pop(roles.label, None)


def find_given_label(source: Source, roles: Roles, options: ReadOptions) -> int | None:
    """Return the column named by `label_column`; raises DataError if there is no such column."""
    names, label = source.names, options.label_column
    if names.count(label or "") == 1:
        return names.index(label or "")
    if options.allow_missing_labels and label not in names:
        return None
    if label == "last" and label not in names:
        return roles.free[-1]
    found = "more than one column" if label in names else "no column"
    raise DataError(
        f"{source}, line 1: {found} is named {label!r} (data.label_column); "
        f"the columns are {', '.join(names[:3])}, ..."
    )


def find_unnamed_label(
    source: Source,
    roles: Roles,
    options: ReadOptions,
    reference: DataSpec | None,
    sample: Sample,
) -> None:
    """Find the label where no column has the usual name of one."""
    names, path = source.names, source.path
    other = [
        index
        for index in roles.outside
        if not (source.has_header and (is_id_name(names[index]) or is_split_column(source, index, sample)))
    ]
    if roles.numbers:
        if is_one_hot(other, sample):
            roles.one_hot = tuple(other)
            roles.take(*other)
        elif len(other) == 1:
            roles.label = other[0]
        elif other:
            roles.label = find_only_text(other, sample)
            if roles.label is None:
                raise DataError(
                    f"{path}: it is not clear which column is the label: "
                    f"{describe_candidates(names, other, sample)}; set data.label_column=NAME and "
                    "leave out the others by data.ignore=[NAME]"
                )
        elif not options.allow_missing_labels:
            raise DataError(
                f"{path}: there is no label column: all columns are pixels or identifiers; add it, "
                "or set data.label_column=NAME or data.labels_csv=FILE"
            )
        return
    find_unnumbered_label(source, roles, options, reference, sample, other)


def find_unnumbered_label(
    source: Source,
    roles: Roles,
    options: ReadOptions,
    reference: DataSpec | None,
    sample: Sample,
    other: Sequence[int],
) -> None:
    """Find the label where names tell nothing about labels and pixels."""
    shape = options.image_shape if reference is None else reference.image_shape
    num_pixels = 0 if shape is None else shape[0] * shape[1] * shape[2]
    if options.allow_missing_labels and len(other) == num_pixels:
        return
    position = reference.label_column if reference is not None else None
    if position is not None and position.isdecimal() and len(other) == num_pixels + 1:
        roles.label = int(position)
        return
    roles.label = find_only_text(other, sample)
    if roles.label is None:
        if len(other) < 2:
            raise DataError(
                f"{source.path}, line 1: there are no pixel columns besides the label; separate "
                "the cells by commas"
            )
        roles.label = find_label_by_values(source.path, source.names, other, sample)
        name = source.names[roles.label]
        roles.notices.append(f"column {name} is read as the label, as it has class numbers")


def is_split_column(source: Source, index: int, sample: Sample) -> bool:
    """Return whether a column has the name and the words of a split."""
    if not is_split_name(source.names[index]):
        return False
    return all(row[index].strip().lower() in SPLIT_WORDS for row in sample.rows)


def find_ids_and_split(source: Source, roles: Roles, sample: Sample) -> None:
    """Find the columns of identifiers and splits, and leave out other columns with such names."""
    names = source.names
    if source.has_header:
        for index in roles.outside:
            if is_split_column(source, index, sample) and roles.split is None:
                roles.split = index
                roles.notices.append(f"column {names[index]} gives the split of each row")
            elif is_id_name(names[index]) and (roles.numbers or names[index].strip() != ""):
                leave_out_ids(source, roles, index)
    first = roles.free[:1]
    if roles.ids is None and first and counts_rows(sample, first[0]):
        leave_out_ids(source, roles, first[0])
    roles.take(*(index for index in (roles.ids, roles.split) if index is not None))


def leave_out_ids(source: Source, roles: Roles, index: int) -> None:
    """Take a column as identifiers; leave it out if there are identifiers already."""
    roles.take(index)
    roles.numbers.pop(index, None)
    name = source.names[index] or str(index + 1)
    if roles.ids is None:
        roles.ids = index
        roles.notices.append(f"column {name} identifies the rows and is not read as a pixel")
    else:
        roles.notices.append(f"column {name} is left out")


def counts_rows(sample: Sample, index: int) -> bool:
    """Return whether a column numbers the rows one after the other."""
    cells = sample.column(index)
    if len(cells) < 10 or not cells[0].isdecimal() or len(cells[0]) > 9:
        return False
    return cells == [str(int(cells[0]) + row) for row in range(len(cells))]


def order_pixels(source: Source, roles: Roles, reference: DataSpec | None) -> list[int]:
    """Return the pixel columns in the order of the image.

    They are matched by name to those of a reference, else ordered by the numbers in their names.
    Raises DataError for columns that are neither pixels nor anything else.
    """
    names = source.names
    if reference is not None and reference.pixel_columns and source.has_header:
        return match_pixels(source, roles, reference.pixel_columns)
    if not roles.numbers:
        return roles.free
    if roles.outside:
        unknown = [names[index] or str(index + 1) for index in roles.outside]
        raise DataError(
            f"{source}, column {unknown[0]}: neither a pixel nor the label; "
            f"set data.ignore=[{','.join(unknown[:10])}] if it is to be left out"
        )
    ordered = sorted(roles.free, key=lambda index: roles.numbers[index])
    if ordered != roles.free:
        roles.notices.append("pixel columns are put in the order of the numbers in their names")
    return ordered


def match_pixels(source: Source, roles: Roles, pixel_columns: Sequence[str]) -> list[int]:
    """Return the columns with the names of the reference's pixels; raises DataError without one."""
    index_of = {source.names[index]: index for index in roles.free}
    missing = [name for name in pixel_columns if name not in index_of]
    if missing:
        raise DataError(
            f"{source}: no column is named {missing[0]}, which is a pixel of the training file "
            f"({len(missing)} of {len(pixel_columns)} are missing); use the names of that file"
        )
    matched = [index_of[name] for name in pixel_columns]
    extra = [source.names[index] for index in roles.free if index not in matched]
    if extra:
        roles.notices.append(f"columns that the training file does not have are left out: {extra[0]}")
    if matched != sorted(matched):
        roles.notices.append("pixel columns are put in the order of the training file")
    return matched


def check_no_text(source: Source, pixels: Sequence[int], sample: Sample) -> None:
    """Raise DataError if a pixel column contains text: it may be the label."""
    rows = sample.rows
    if len(rows) < 2:
        return
    for index in pixels:
        if all(is_text(row[index]) for row in rows):
            name = source.names[index] or str(index + 1)
            raise DataError(
                f"{source}, column {name}: {rows[0][index]!r} is text; set data.label_column={name} "
                f"if this is the label, else data.ignore=[{name}]"
            )


def shape_in_names(roles: Roles, pixels: Sequence[int]) -> Shape | None:
    """Return the image shape given by two numbers in each name, such as 1x1 to 28x20."""
    numbers = [roles.numbers.get(index, ()) for index in pixels]
    if not numbers or any(len(pair) != 2 for pair in numbers):
        return None
    rows, columns = zip(*numbers, strict=True)
    height, width = max(rows) - min(rows) + 1, max(columns) - min(columns) + 1
    return (1, height, width) if height * width == len(pixels) else None

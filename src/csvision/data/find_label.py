"""Find the label column of a file by the names of the columns."""

from collections.abc import Sequence

from csvision.data.label_values import (
    check_values_repeat,
    describe_candidates,
    find_label_by_values,
    find_only_text,
    is_one_hot,
)
from csvision.data.names import SPLIT_WORDS, is_id_name, is_label_name, is_split_name
from csvision.data.roles import Evidence, Roles
from csvision.errors import DataError


def find_label(evidence: Evidence, roles: Roles) -> None:
    """Find the label column or one-hot columns, by the given name, usual names, or values.

    Raises DataError if there is none, unless a missing label is allowed, or if it is not clear.
    """
    reference, names = evidence.reference, evidence.names
    given = evidence.options.label_column
    if given is None and reference is not None and evidence.source.has_header:
        given = reference.label_column if reference.label_column in names else None
    if evidence.options.allow_missing_labels and given in evidence.options.ignore:
        given = None
    if given is not None:
        roles.label = find_given_label(evidence, roles, given)
    else:
        roles.label = find_named_label(evidence, roles.outside)
        if roles.label is not None and reference is None:
            check_values_repeat(evidence, roles.label)
        if roles.label is None and roles.names_tell:
            find_label_outside(evidence, roles)
        elif roles.label is None:
            roles.label = find_label_anywhere(evidence, roles)
    if roles.label is not None:
        roles.take(roles.label)
        roles.numbers.pop(roles.label, None)


def find_given_label(evidence: Evidence, roles: Roles, label: str) -> int | None:
    """Return the column of this name; raises DataError if there is no such column.

    `first` and `last` are positions unless a column has this name.
    """
    names = evidence.names
    if names.count(label) == 1:
        return names.index(label)
    unlabeled = evidence.options.allow_missing_labels and label not in names
    if label in ("first", "last") and label not in names and roles.free:
        is_missing = unlabeled and len(roles.free) == evidence.num_pixels
        return None if is_missing else roles.free[0 if label == "first" else -1]
    if unlabeled:
        return None
    found = "more than one column" if label in names else "no column"
    raise DataError(
        f"{evidence.source}, line 1: {found} is named {label!r} (data.label_column); "
        f"the columns are {', '.join(names[:3])}, ..."
    )


def find_named_label(evidence: Evidence, candidates: Sequence[int]) -> int | None:
    """Return the only candidate with the usual name of a label; None if there is none.

    Raises DataError if there are several.
    """
    if not evidence.source.has_header:
        return None
    named = [index for index in candidates if is_label_name(evidence.names[index])]
    if len(named) > 1:
        raise DataError(
            f"{evidence.source}: more than one column can be the label: "
            f"{describe_candidates(evidence, named)}; set "
            f"data.label_column={evidence.names[named[0]]} and leave out the other by "
            f"data.ignore=[{evidence.names[named[1]]}], or the other way round"
        )
    return named[0] if named else None


def find_label_outside(evidence: Evidence, roles: Roles) -> None:
    """Find the label among the columns that are no pixels."""
    reference, options = evidence.reference, evidence.options
    other = [index for index in roles.outside if not is_id_or_split(evidence, index)]
    if is_one_hot(other, evidence.sample):
        roles.one_hot = tuple(other)
        roles.take(*other)
        roles.notices.append(
            f"columns {evidence.name_of(other[0])} to {evidence.name_of(other[-1])} are 1 for the "
            "rows of one class each"
        )
        return
    # A file to predict has no label, unless it is the column with the name that it had in training.
    if options.allow_missing_labels and (reference is None or reference.label_column is not None):
        return
    if len(other) == 1 or (only_text := find_only_text(evidence.sample, other)) is None:
        if len(other) > 1:
            raise DataError(
                f"{evidence.source}: it is not clear which column is the label: "
                f"{describe_candidates(evidence, other)}; set data.label_column=NAME and leave out "
                "the others by data.ignore=[NAME]"
            )
        if not other and options.allow_missing_labels:
            return
        if not other:
            raise no_label(evidence)
        only_text = other[0]
    check_values_repeat(evidence, only_text)
    roles.label = only_text
    roles.notices.append(f"column {evidence.name_of(only_text)} is read as the label")


def no_label(evidence: Evidence) -> DataError:
    """Return the error of a file, or a folder of images, in which no column can be the label."""
    source = evidence.source
    keys = [] if source.folder_files else ["data.label_column=NAME"]
    keys += ["data.labels_csv=FILE"] if evidence.reference is None else []
    advice = f", or set {' or '.join(keys)}" if keys else ""
    if source.folder_files:
        first = source.folder_files[0]
        return DataError(
            f"{source}: the images have no labels, because they are not in one folder per class; "
            f"move them, such as {first.name} to {source.path / 'CLASS' / first.name}{advice}"
        )
    return DataError(
        f"{source}: there is no label column: all columns are pixels or identifiers; add it{advice}"
    )


def find_label_anywhere(evidence: Evidence, roles: Roles) -> int | None:
    """Return the label where names do not tell labels and pixels apart.

    None for a file without labels. Raises DataError if values do not tell either.
    """
    reference, allow_missing = evidence.reference, evidence.options.allow_missing_labels
    other = [index for index in roles.outside if not is_id_or_split(evidence, index)]
    if allow_missing and len(other) == evidence.num_pixels:
        return None
    if len(other) < 2:
        return other[0] if other else None
    check_column_count(evidence, len(other))
    position = "" if reference is None else reference.label_column or ""
    if position.isdecimal() and len(other) - 1 == evidence.num_pixels and int(position) in other:
        return int(position)
    label = find_only_text(evidence.sample, other)
    if label is not None:
        check_values_repeat(evidence, label)
    else:
        label = find_label_by_values(evidence, other)
        roles.notices.append(
            f"column {evidence.name_of(label)} is read as the label, as it has class numbers"
        )
    return label


def check_column_count(evidence: Evidence, count: int) -> None:
    """Raise DataError unless there are as many columns as pixels and a label, if that is known."""
    num_pixels = evidence.num_pixels
    if num_pixels is None or count == num_pixels + 1:
        return
    hint = "add the label column" if count == num_pixels else "check the image shape"
    raise DataError(
        f"{evidence.source}: {count} columns, but images of {num_pixels} pixels need {num_pixels} "
        f"pixel columns and a label column; {hint}"
    )


def is_id_or_split(evidence: Evidence, index: int) -> bool:
    """Return whether a column has the name of an identifier or the name and words of a split."""
    if not evidence.source.has_header:
        return False
    return is_id_name(evidence.names[index]) or is_split_column(evidence, index)


def is_split_column(evidence: Evidence, index: int) -> bool:
    """Return whether a column has the name and the words of a split."""
    if not is_split_name(evidence.names[index]):
        return False
    return all(row[index].strip().lower() in SPLIT_WORDS for row in evidence.sample.rows)

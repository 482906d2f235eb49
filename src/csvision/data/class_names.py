"""The names of the classes of a file: its labels, or names given for them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from csvision.data.data_spec import LabelValues
from csvision.errors import DataError

ClassNames = Sequence[str] | Mapping[str, str]
"""Names in ascending order of the labels, or a name for each label."""


def name_classes(
    path: Path, found: LabelValues, names: ClassNames | None
) -> tuple[LabelValues, list[str]]:
    """Return the label values of the classes and the names of the classes.

    A list of as many names as labels is in ascending order of the labels. If it is longer, it has
    the names of the labels 0, 1, ..., and some labels do not occur. A mapping renames labels.
    Raises DataError for other names, and for a file with a single label.
    """
    if len(found) < 2:
        raise DataError(
            f"{path}: the only label is {preview(found)}, but two or more are needed; "
            "set data.label_column=NAME if the label is in another column"
        )
    if names is None:
        return found, [str(value) for value in found]
    if isinstance(names, Mapping):
        return found, rename(path, found, names)
    names = [str(name) for name in names]
    check_unique(path, names)
    check_order(path, found, names)
    if len(names) == len(found):
        return found, names
    if all(isinstance(value, int) and 0 <= value < len(names) for value in found):
        return list(range(len(names))), list(names)
    raise DataError(
        f"{path}: {len(found)} labels ({preview(found)}), but data.classes has {len(names)} names; "
        "give one name per label"
    )


def rename(path: Path, found: LabelValues, names: Mapping[str, str]) -> list[str]:
    """Return the names of labels, which are the labels themselves if not renamed."""
    texts = [str(value) for value in found]
    unknown = [label for label in map(str, names) if label not in texts]
    if unknown:
        raise DataError(
            f"{path}: data.classes renames {preview(unknown)}, which is not one of the labels "
            f"{preview(found)}; correct data.classes"
        )
    by_text = {str(label): name for label, name in names.items()}
    renamed = [str(by_text.get(text, text)) for text in texts]
    check_unique(path, renamed)
    return renamed


def check_unique(path: Path, names: Sequence[str]) -> None:
    """Raise DataError if two classes have the same name."""
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"{path}: data.classes gives two labels the name {twice}; give one name per label"
        )


def check_order(path: Path, found: LabelValues, names: Sequence[str]) -> None:
    """Raise DataError if a list of names would give text labels the names of other labels.

    The list has the labels in another order, or some of them, or names for labels of text.
    """
    texts = [str(value) for value in found]
    if list(names) == texts:
        return
    wrong = set(names) & set(texts)
    if wrong or any(isinstance(value, str) for value in found):
        reason = (
            f"contains the labels {preview(sorted(wrong))} in another order or with other names"
            if wrong
            else "is a list, but the labels are texts"
        )
        raise DataError(
            f"{path}: data.classes {reason}; the labels are {preview(found)}; rename labels by "
            "a mapping: data.classes={LABEL: NAME, ...}"
        )


def preview(values: Sequence[int | str]) -> str:
    """Format label values as text, shortened if there are many."""
    text = ", ".join(replace_control_chars(str(value)) for value in values[:12])
    return f"{text}, ... {replace_control_chars(str(values[-1]))}" if len(values) > 12 else text


def replace_control_chars(name: str) -> str:
    """Replace characters that would control a terminal."""
    return "".join(char if char.isprintable() else "?" for char in name)

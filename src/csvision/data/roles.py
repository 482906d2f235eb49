"""The roles of the columns of a file while they are inferred."""

from collections import Counter
from dataclasses import dataclass, field

from csvision.data.data_spec import DataSpec
from csvision.data.names import find_numbered, has_number, is_label_name
from csvision.data.read_options import ReadOptions
from csvision.data.sample import Sample
from csvision.data.source import Source
from csvision.errors import DataError

Numbers = dict[int, tuple[int, ...]]
"""The numbers that say where the pixel of a column is, by the index of the column."""


@dataclass(frozen=True)
class Evidence:
    """What the roles are inferred from; a `reference` describes the training file."""

    source: Source
    options: ReadOptions
    reference: DataSpec | None
    sample: Sample

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return self.source.names

    @property
    def num_pixels(self) -> int | None:
        """The number of pixels of an image, if it is known."""
        shape = self.options.image_shape if self.reference is None else self.reference.image_shape
        return None if shape is None else shape[0] * shape[1] * shape[2]

    def name_of(self, index: int) -> str:
        """Return the name of a column; its number, from 1, if it has none."""
        return self.names[index].strip() or str(index + 1)


@dataclass
class Roles:
    """The roles found so far, and the columns without one.

    `numbers` has the columns that are known to be pixels, by their names. `names_tell` is whether
    other columns are no pixels.
    """

    free: list[int]
    numbers: Numbers
    names_tell: bool
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
        """The free columns that can be something else than a pixel."""
        return [index for index in self.free if not self.names_tell or index not in self.numbers]


def start_roles(evidence: Evidence) -> Roles:
    """Return roles without the ignored and the empty columns; raises DataError for a wrong name."""
    names, sample = evidence.names, evidence.sample
    ignored = evidence.options.ignore
    for name in ignored:
        if name not in names and evidence.reference is None:
            raise DataError(
                f"{evidence.source}: no column is named {name!r} (data.ignore); the columns are "
                f"{', '.join(names[:3])}, ..."
            )
    free = [index for index, name in enumerate(names) if name not in ignored]
    numbers = find_pixels_by_name(evidence, free)
    # Names that are all numbers, such as those of pandas, include the label.
    names_tell = bool(numbers) and not all(name.strip().isdecimal() for name in names)
    roles = Roles(free, numbers, names_tell)
    for index in dict.fromkeys(free[:1] + free[-1:]):
        is_empty = sample.rows and not any(row[index].strip() for row in sample.rows)
        if is_empty and not is_label_name(names[index]):
            roles.take(index)
            roles.notices.append(f"column {index + 1} is empty and left out")
    return roles


def find_pixels_by_name(evidence: Evidence, free: list[int]) -> Numbers:
    """Return the columns with the names of the training file's pixels, or that number themselves.

    Raises DataError if a name of the training file is missing or occurs twice.
    """
    names, reference = evidence.names, evidence.reference
    if not evidence.source.has_header:
        return {}
    if reference is not None and reference.pixel_columns:
        found = [names[index] for index in free]
        missing = [name for name in reference.pixel_columns if found.count(name) != 1]
        if missing:
            problem = "more than one column is" if missing[0] in found else "no column is"
            raise DataError(
                f"{evidence.source}: {problem} named {missing[0]!r}, a pixel of the training file "
                f"({len(missing)} of {len(reference.pixel_columns)} names differ); use the names "
                "of that file"
            )
        return {names.index(name): (at,) for at, name in enumerate(reference.pixel_columns)}
    twice = [name for name, count in Counter(names).items() if count > 1 and has_number(name)]
    if twice:
        raise DataError(
            f"{evidence.source}, line 1: more than one column is named {twice[0]!r}; numbers in "
            "names give the order of the pixels; correct them, or set data.header=false"
        )
    numbers = find_numbered(names)
    return numbers if len(numbers) >= len(names) / 2 else {}

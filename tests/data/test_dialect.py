"""The separator and the header of a text file, and rows that pandas made into names."""

import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csvision.data.dialect import Dialect, infer_dialect, infer_separator, undo_mangling
from csvision.errors import DataError

PATH = Path("images.csv")


def dialect_of(text: str, header: str | bool = "auto") -> Dialect:
    return infer_dialect(PATH, text, header)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("label,pixel1,pixel2,pixel3", True),
        ("0,1,2,3", True),
        ("3,0,2,1", True),
        (",label,pixel1,pixel2", True),
        ("a,b,c,d", True),
        ("7,0,255,0", False),
        ("7.0,0.5,0.25,0", False),
        ("1.000000e+00,0,0,0", False),
        ("cat,0,255,0", False),
        ("5,0,x,0", False),
        ("5,,0,255", False),
        ("true,false,true,false", False),
    ],
)
def test_first_row_is_a_header_unless_it_looks_like_the_rows_below(
    first: str, expected: bool
) -> None:
    below = "\n4,20,30,40\n5,0,0,7\n4,9,9,9\n"
    if first.startswith("cat"):
        below = below.replace("\n4", "\ndog").replace("\n5", "\ncat")
    dialect = dialect_of(first + below)
    assert dialect.has_header is expected
    assert dialect.names == tuple(first.split(",") if expected else "0123")
    assert bool(dialect.notices) is not expected


def test_class_with_the_name_of_a_label_is_no_header() -> None:
    assert not dialect_of("y,0,255,9\nn,20,30,40\ny,0,0,7\n").has_header


def test_name_of_a_label_beside_other_numbers_is_refused() -> None:
    with pytest.raises(DataError, match=r"^images\.csv, line 1: 'label' .* data\.header=true"):
        dialect_of("label,12,255,9\n4,20,30,40\n5,0,0,7\n")


@pytest.mark.parametrize("header", [True, False])
def test_given_header_is_not_inferred(header: bool) -> None:
    for text in ("label,a,b\n1,2,3\n", "5,2,3\n1,2,3\n"):
        assert dialect_of(text, header).has_header is header


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("labels", [("cat", "dog"), ("a, b; c", "x|y z"), ("1", "2")])
def test_separator_gives_equal_numbers_of_cells(separator: str, labels: tuple[str, str]) -> None:
    pixels = [["1", "2", "3"], ["4", "5", "6"]]
    rows = [["label", "p0", "p1", "p2"], [labels[0], *pixels[0]], [labels[1], *pixels[1]]]
    text = "\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    if separator == " " and " " in labels[0]:
        return
    assert infer_separator(text) == separator


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 300), min_size=4, max_size=40), min_size=2, max_size=2).filter(
        lambda rows: len(rows[0]) == len(rows[1]) and len(set(rows[0])) < len(rows[0])
    ),
    st.booleans(),
)
def test_row_that_pandas_made_into_names_is_restored(rows: list[list[int]], as_float: bool) -> None:
    cells = [[str(float(value) if as_float else value) for value in row] for row in rows]
    text = "\n".join(",".join(row) for row in cells)
    header = pd.read_csv(io.StringIO(text)).to_csv(index=False).partition("\n")[0].split(",")
    below = [] if as_float else [cells[1]]
    assert undo_mangling(header, below) == cells[0]


@pytest.mark.parametrize(
    ("header", "below"),
    [
        (["label", "x", "x.1", "x.2"], ["1", "2", "3", "4"]),
        (["1", "0", "0.1", "0.5"], ["1", "2", "3", "4"]),
        (["1", "0", "0.1", "0.2"], ["1", "0.25", "0.5", "1"]),
        (["1", "0", "0.2", "0.3"], ["1", "2", "3", "4"]),
        (["1", "0", "0", "0.1"], ["1", "2", "3", "4"]),
        (["label", "0", "1", "2"], ["1", "2", "3", "4"]),
    ],
)
def test_other_names_and_fractions_are_kept(header: list[str], below: list[str]) -> None:
    assert undo_mangling(header, [below]) is None

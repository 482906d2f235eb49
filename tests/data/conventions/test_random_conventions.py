"""A random table in a random convention is read back exactly, or refused: never otherwise."""

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from csvision.data.read_options import ReadOptions
from csvision.data.table import read_table
from csvision.errors import DataError
from tests.data.conventions.images import Images

LABEL_NAMES = ["label", "Class", "target", "kind", "0", "id", "pixel3"]
TEXTS = ["cat", "dog", "na", "007", "0", "y"]


@dataclass(frozen=True)
class Written:
    """A written file and what it contains."""

    text: str
    images: Images
    labels: list[Any]
    is_packed: bool


def draw_images(random: np.random.Generator, kind: str, rows: int, side: int) -> Images:
    """Return images (N, P): noise, or bright shapes with a black border."""
    images = random.integers(0, 256, (rows, side, side))
    if kind == "border":
        images[:, 0, :] = images[:, -1, :] = images[:, :, 0] = images[:, :, -1] = 0
    elif kind == "binary":
        images = np.where(images > 127, 255, 0)
    elif kind == "few":
        images = images // 64 * 85
    images[0].flat[side + 1 if side > 2 else 0] = 255
    return images.reshape(rows, -1).astype(np.uint8)


def to_cells(images: Images, scale: str) -> tuple[list[list[Any]], Images]:
    """Return cells of pixels, and the images that they mean."""
    match scale:
        case "unit":
            return (images / 255).tolist(), images
        case "16":
            levels = np.rint(images / 255 * 16).astype(int)
            return levels.tolist(), np.rint(levels * (255 / 16)).astype(np.uint8)
        case "boolean":
            return (images > 127).tolist(), np.where(images > 127, 255, 0).astype(np.uint8)
        case "float":
            return images.astype(float).tolist(), images
        case _:
            return images.tolist(), images


def draw_labels(draw: st.DrawFn, random: np.random.Generator, rows: int) -> tuple[list[Any], Any]:
    """Return cells of labels, and the labels that they mean."""
    values: list[Any] = draw(
        st.sampled_from([[0, 1], [0, 1, 2, 3], [1, 2, 3], [3, 5], [0, 255], [-1, 7], TEXTS])
    )
    labels = [values[index] for index in random.integers(0, len(values), rows)]
    labels[: len(values)] = values
    if values is not TEXTS and draw(st.booleans()):
        return [f"{label}.0" for label in labels], labels
    return labels, labels


def draw_names(draw: st.DrawFn, count: int, random: np.random.Generator) -> list[str]:
    """Return the names of pixels in the order of the image."""
    style = draw(st.sampled_from(["pixel{}", "p{:03d}", "{}", "letters"]))
    if style == "letters":
        return ["".join("abcdefghij"[int(d)] for d in f"{index:02d}") for index in range(count)]
    start = draw(st.sampled_from([0, 1]))
    return [style.format(index) for index in range(start, start + count)]


@st.composite
def files(draw: st.DrawFn) -> Written:
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, side = draw(st.integers(12, 50)), draw(st.integers(2, 5))
    kind = draw(st.sampled_from(["noise", "border", "binary", "few"]))
    cells, images = to_cells(
        draw_images(random, kind, rows, side),
        draw(st.sampled_from(["bytes", "bytes", "unit", "16", "float", "boolean"])),
    )
    label_cells, labels = draw_labels(draw, random, rows)
    names = draw_names(draw, side * side, random)
    columns = [(name, [row[at] for row in cells]) for at, name in enumerate(names)]
    has_header = draw(st.booleans())
    if has_header and not names[0].isalpha() and draw(st.booleans()):
        columns = [columns[at] for at in random.permutation(len(columns))]
    at = draw(st.sampled_from([0, 0, len(columns), len(columns), 1, len(columns) // 2]))
    columns.insert(at, (draw(st.sampled_from(LABEL_NAMES)), label_cells))
    if draw(st.booleans()):
        ids: list[Any] = draw(
            st.sampled_from([list(range(rows)), [f"{row}.png" for row in range(rows)]])
        )
        columns.insert(draw(st.sampled_from([0, len(columns)])), (draw(ID_NAMES), ids))
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=draw(st.sampled_from([",", ",", ";", "\t"])), lineterminator="\n"
    )
    if has_header:
        writer.writerow(name for name, _ in columns)
    writer.writerows(zip(*(values for _, values in columns), strict=True))
    shaped = images.reshape(rows, 1, side, side)
    return Written(text.getvalue(), shaped, labels, draw(st.booleans()))


ID_NAMES = st.sampled_from(["id", "", "filename", "number", "image", "label_id"])


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(files())
def test_random_file_is_read_exactly_or_refused(written: Written) -> None:
    check(written)


def check(written: Written) -> None:
    """Assert that a file is read exactly or refused."""
    content = written.text.encode()
    Path("images.csv").write_bytes(gzip.compress(content) if written.is_packed else content)
    try:
        table = read_table("images.csv", ReadOptions(cache="none"))
    except DataError:
        event("refused")
        return
    event("read")
    np.testing.assert_array_equal(table.images, written.images)
    assert table.labels is not None
    found = [table.label_values[index] for index in table.labels]
    if any(isinstance(value, str) for value in found):
        assert found == list(map(str, written.labels))
    else:
        assert found == written.labels

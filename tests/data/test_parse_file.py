"""A parsed file: order of the labels, names of the classes, image hashes, constant images."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from csvision.data import source
from csvision.data.open_source import open_source
from csvision.data.parse_file import parse_images, parse_into_memory
from csvision.data.parsed_file import ParseSettings
from csvision.data.parsed_rows import image_hashes
from csvision.data.read_options import ReadOptions
from csvision.data.sample import Sample
from csvision.data.sniff import infer_columns
from csvision.data.table import ImageTable, read_table
from csvision.errors import DataError


def read(labels: list[str], *classes: str) -> ImageTable:
    """Return the table of a file with these labels and, if given, names of the classes."""
    lines = ["label,a", *(f"{label},{row}" for row, label in enumerate(labels))]
    Path("images.csv").write_text("\n".join(lines), encoding="utf-8")
    options = ReadOptions(image_shape=[1, 1, 1], pixel_range=255, cache="none")
    return read_table("images.csv", options, classes=list(classes) or None)


def class_indices(table: ImageTable) -> list[int]:
    assert table.labels is not None
    return [int(index) for index in table.labels]


def test_integer_labels_are_sorted_as_numbers() -> None:
    table = read(["10", "2", "-1", "2", "+10", "7.0"])
    assert table.label_values == [-1, 2, 7, 10]
    assert table.classes == ["-1", "2", "7", "10"]
    assert class_indices(table) == [3, 1, 0, 1, 3, 2]


@pytest.mark.slow
def test_labels_may_be_any_integer_of_64_bits() -> None:
    table = read([str(2**63 - 1), str(-(2**63)), "0"])
    assert table.label_values == [-(2**63), 0, 2**63 - 1]
    with pytest.raises(DataError, match=r"line 3, column label: .* is too large"):
        read(["0", str(2**63)])
    with pytest.raises(DataError, match=r"line 3, column label: .* is too large"):
        read(["0", "9" * 5000])


def test_text_labels_are_sorted_alphabetically() -> None:
    table = read(["dog", "cat", '"a, b"', " dog ", "Überraschung", "10"])
    assert table.label_values == ["10", "a, b", "cat", "dog", "Überraschung"]
    assert table.classes == table.label_values
    assert class_indices(table) == [3, 2, 1, 3, 4, 0]


def test_one_name_per_label_names_the_labels_in_ascending_order() -> None:
    table = read(["20", "3", "20"], "three", "twenty")
    assert table.classes == ["three", "twenty"]
    assert table.label_values == [3, 20]
    assert class_indices(table) == [1, 0, 1]


def test_more_names_than_labels_name_the_labels_from_0() -> None:
    table = read(["3", "1", "3"], "shirt", "coat", "bag", "boot")
    assert table.classes == ["shirt", "coat", "bag", "boot"]
    assert table.label_values == [0, 1, 2, 3]
    assert class_indices(table) == [3, 1, 3]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["0", "1", "2"], ["shirt", "coat"]),
        (["0", "4"], ["shirt", "coat", "bag"]),
        (["-1", "1"], ["shirt", "coat", "bag"]),
    ],
)
def test_names_that_do_not_match_the_labels_are_rejected(
    labels: list[str], names: list[str]
) -> None:
    expected = rf"{len(labels)} labels .* data\.classes has {len(names)}"
    with pytest.raises(DataError, match=expected):
        read(labels, *names)


def test_list_of_names_is_rejected_for_text_labels() -> None:
    with pytest.raises(DataError, match=r"data\.classes is a list, but the labels are texts"):
        read(["cat", "dog"], "shirt", "coat", "bag")


def test_file_with_one_label_is_rejected() -> None:
    with pytest.raises(DataError, match="the only label is 5"):
        read(["5", "5"])


def test_constant_images_are_marked() -> None:
    Path("images.csv").write_text(
        "label,a,b,c,d\n0,0,0,0,0\n1,0,0,0,1\n0,255,255,255,255\n1,9,8,9,9\n", encoding="utf-8"
    )
    table = read_table("images.csv", ReadOptions(cache="none"))
    assert table.constant.tolist() == [True, False, True, False]


@pytest.mark.parametrize("chunk_bytes", [10, 8 << 20])
def test_images_are_written_to_the_target(
    chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("images.csv")
    path.write_text("label,a,b,c\nx,101,102,103\ny,104,105,106\nx,107,108,109\n")
    monkeypatch.setattr(source, "CHUNK_BYTES", chunk_bytes)
    options = ReadOptions(image_shape=[3, 1, 1], layout="channels_last")
    opened = open_source(path, options)
    columns, _ = infer_columns(opened, options, None, Sample(opened))
    target = io.BytesIO()
    parsed = parse_images(opened, columns, ParseSettings(), target)
    assert target.getvalue() == bytes(range(101, 110))
    assert parsed.images.shape == (0, 3, 1, 1)
    in_memory = parse_into_memory(opened, columns, ParseSettings())
    assert in_memory.images.ravel().tolist() == list(range(101, 110))
    np.testing.assert_array_equal(in_memory.hashes, parsed.hashes)


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 3), st.integers(1, 5), st.just(3)))
)
def test_hashes_are_equal_only_for_equal_images(
    images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> None:
    hashes = image_hashes(images)
    contents = [image.tobytes() for image in images]
    assert hashes.shape == (len(images),)
    for first, content in zip(hashes, contents, strict=True):
        for second, other in zip(hashes, contents, strict=True):
            assert (first == second) == (content == other)


def test_hashes_differ_if_one_pixel_differs() -> None:
    images = np.repeat(np.zeros((1, 1, 28, 28), np.uint8), 784 * 2, axis=0)
    for index in range(784):
        images[2 * index].flat[index] = 1
        images[2 * index + 1].flat[index] = 128
    assert len(np.unique(image_hashes(images))) == len(images)

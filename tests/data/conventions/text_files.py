"""Conventions of text files: one function each, which writes a file and returns what it contains.

The name of a function is that of the convention.
"""

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import zstandard

from csvision.data.read_options import ReadOptions
from tests.data.conventions.images import CLASSES, Content, color, few_values, gray
from tests.data.conventions.write import (
    column,
    pixel_names,
    rows_of,
    to_text,
    transposed,
    write_csv,
)

Case = tuple[str, ReadOptions, Content]

AUTO = ReadOptions(cache="none")
PIXELS = 25


def kaggle_digit_recognizer() -> Case:
    content = gray()
    return write_csv(rows_of(content), ["label", *pixel_names(PIXELS)]), AUTO, content


def label_named_class_in_the_last_column() -> Case:
    content = gray()
    return write_csv(rows_of(content, -1), [*pixel_names(PIXELS), "class"]), AUTO, content


def label_named_label_behind_zero_padded_pixels() -> Case:
    content = gray()
    header = [*pixel_names(PIXELS, "pixel{:04d}"), "label"]
    return write_csv(rows_of(content, -1), header), AUTO, content


def label_named_target_among_unnumbered_names() -> Case:
    content = gray()
    rows = [[*row[1:4], row[0], *row[4:]] for row in rows_of(content)]
    letters = [f"{chr(ord('A') + index)}x" for index in range(PIXELS)]
    return write_csv(rows, [*letters[:3], "target", *letters[3:]]), AUTO, content


def names_that_count_all_columns_with_the_label_first() -> Case:
    content = gray()
    return write_csv(rows_of(content), pixel_names(PIXELS + 1, "{}")), AUTO, content


def names_that_count_all_columns_with_the_label_last() -> Case:
    content = gray()
    return write_csv(rows_of(content, -1), pixel_names(PIXELS + 1, "{}")), AUTO, content


def no_header_and_the_label_first() -> Case:
    content = gray()
    return write_csv(rows_of(content)), AUTO, content


def no_header_and_the_label_last() -> Case:
    content = gray()
    return write_csv(rows_of(content, -1)), AUTO, content


def no_header_and_text_labels() -> Case:
    content = gray()
    named = Content(content.images, [["cat", "dog", "eel", "y"][label] for label in content.labels])
    return write_csv(rows_of(named)), AUTO, named


def emnist_without_header_and_on_its_side() -> Case:
    content = gray()
    options = ReadOptions(transpose=True, cache="none")
    return write_csv(rows_of(transposed(content))), options, content


def transposed_images_that_are_not_square() -> Case:
    content = gray(height=3, width=7)
    options = ReadOptions(transpose=True, image_shape=[1, 3, 7], cache="none")
    return write_csv(rows_of(transposed(content)), ["label", *pixel_names(21)]), options, content


def savetxt_with_exponents() -> Case:
    content = gray()
    np.savetxt("images.txt", np.array(rows_of(content)))
    return "images.txt", AUTO, content


def savetxt_with_commas_and_exponents() -> Case:
    content = gray()
    np.savetxt("images.csv", np.array(rows_of(content)), delimiter=",")
    return "images.csv", AUTO, content


def savetxt_with_a_header_comment() -> Case:
    content = gray()
    header = ",".join(["label", *pixel_names(PIXELS)])
    np.savetxt("images.csv", np.array(rows_of(content)), "%d", ",", header=header)
    return "images.csv", AUTO, content


def savetxt_with_aligned_columns() -> Case:
    content = gray()
    np.savetxt("images.txt", np.array(rows_of(content)), "%5d", " ")
    return "images.txt", AUTO, content


def pandas_index_column() -> Case:
    content = gray()
    frame = pd.DataFrame(rows_of(content), columns=["label", *pixel_names(PIXELS)])
    frame.to_csv("images.csv")
    ids = [str(row) for row in range(len(frame))]
    return "images.csv", AUTO, Content(content.images, content.labels, ids)


def pandas_index_column_read_and_written_again() -> Case:
    path, _, content = pandas_index_column()
    pd.read_csv(path).to_csv(path, index=False)
    return path, AUTO, content


def id_column_first() -> Case:
    content = gray()
    ids = [f"img_{row:03d}" for row in range(len(content.images))]
    rows = column(content, ids, rows_of(content))
    path = write_csv(rows, ["id", "label", *pixel_names(PIXELS)])
    return path, AUTO, Content(content.images, content.labels, ids)


def filename_column_last() -> Case:
    content = gray()
    ids = [f"{row}.png" for row in range(len(content.images))]
    rows = [[*row, name] for row, name in zip(rows_of(content), ids, strict=True)]
    path = write_csv(rows, ["label", *pixel_names(PIXELS), "filename"])
    return path, AUTO, Content(content.images, content.labels, ids)


def column_that_is_ignored() -> Case:
    content = gray()
    rows = column(content, ["b"] * len(content.images), rows_of(content))
    path = write_csv(rows, ["writer", "label", *pixel_names(PIXELS)])
    return path, ReadOptions(ignore=["writer"], cache="none"), content


def header_that_pandas_mangled_from_a_row() -> Case:
    content = gray()
    dark = content.images.copy()
    dark[0, 0, 1:] = [[0, 0, 0, 7, 7], [0] * 5, [7] * 5, [9] * 5]
    content = Content(dark, content.labels)
    pd.read_csv(write_csv(rows_of(content))).to_csv("images.csv", index=False)
    assert ".1," in Path("images.csv").read_text(encoding="utf-8").partition("\n")[0]
    return "images.csv", AUTO, content


def header_that_is_turned_off() -> Case:
    content = gray()
    options = ReadOptions(header=False, label_column="0", cache="none")
    return write_csv(rows_of(content)), options, content


def names_in_the_order_of_text() -> Case:
    content = gray()
    frame = pd.DataFrame(rows_of(content, None), columns=pixel_names(PIXELS))
    frame = frame[sorted(frame.columns)]
    assert list(frame.columns)[:3] == ["pixel0", "pixel1", "pixel10"]
    frame["label"] = content.labels
    frame.to_csv("images.csv", index=False)
    return "images.csv", AUTO, content


def names_of_rows_and_columns() -> Case:
    content = gray(height=3, width=7)
    names = [f"{row}x{column}" for row in range(1, 4) for column in range(1, 8)]
    return write_csv(rows_of(content), ["label", *names]), AUTO, content


def names_of_rows_columns_and_channels() -> Case:
    content = color()
    pixels = content.images.transpose(0, 2, 3, 1).reshape(len(content.images), -1).tolist()
    rows = column(content, content.labels, pixels)
    names = [f"p_{y}_{x}_{c}" for y in range(4) for x in range(4) for c in range(3)]
    return write_csv(rows, ["label", *names]), AUTO, content


def one_rgb_square() -> Case:
    content = color()
    return write_csv(rows_of(content), ["label", *pixel_names(48)]), AUTO, content


def pixels_from_0_to_16() -> Case:
    content = few_values(16)
    rows = rows_of(content)
    rows = [[row[0], *(round(value * 16 / 255) for value in row[1:])] for row in rows]
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), AUTO, content


def pixels_from_0_to_16_as_floats() -> Case:
    content = few_values(16)
    frame = pd.DataFrame(np.rint(content.pixels / 255 * 16))
    frame["target"] = content.labels
    frame.to_csv("images.csv", index=False)
    return "images.csv", AUTO, content


def pixels_from_0_to_15() -> Case:
    content = few_values(15)
    rows = [[row[0], *(round(value / 17) for value in row[1:])] for row in rows_of(content)]
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), AUTO, content


def pixels_0_and_1() -> Case:
    content = few_values(1)
    rows = [[row[0], *(value // 255 for value in row[1:])] for row in rows_of(content)]
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), AUTO, content


def pixels_true_and_false() -> Case:
    content = few_values(1)
    rows = [[row[0], *(value == 255 for value in row[1:])] for row in rows_of(content)]
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), AUTO, content


def pixels_in_0_to_1() -> Case:
    content = gray()
    rows = [[row[0], *(value / 255 for value in row[1:])] for row in rows_of(content)]
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), AUTO, content


def pixels_with_zeros_behind_the_point_after_dark_rows() -> Case:
    content = gray()
    images = content.images.copy()
    images[:12] = images[:12] > 100
    content = Content(images, content.labels)
    rows = [[row[0], *(f"{value}.0" for value in row[1:])] for row in rows_of(content)]
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), AUTO, content


def pixels_that_are_not_whole() -> Case:
    content = gray()
    rows = [[row[0], *(min(255, value + 0.25) for value in row[1:])] for row in rows_of(content)]
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), AUTO, content


def pixels_from_minus_1_to_1() -> Case:
    content = gray()
    rows = [[row[0], *(value / 127.5 - 1 for value in row[1:])] for row in rows_of(content)]
    options = ReadOptions(pixel_range=[-1, 1], cache="none")
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), options, content


def labels_with_zeros_behind_the_point() -> Case:
    content = gray()
    rows = [[f"{row[0]}.0", *row[1:]] for row in rows_of(content)]
    return write_csv(rows, ["label", *pixel_names(PIXELS)]), AUTO, content


def labels_that_look_missing() -> Case:
    content = gray()
    words = ["none", "NA", "null", "nan"]
    named = Content(content.images, [words[label] for label in content.labels])
    return write_csv(rows_of(named), ["label", *pixel_names(PIXELS)]), AUTO, named


def labels_that_are_digits_first_and_letters_later() -> Case:
    images = gray(80).images
    named = Content(images, [str(row % 10) if row < 40 else "ABCD"[row % 4] for row in range(80)])
    return write_csv(rows_of(named), ["character", *pixel_names(PIXELS)]), AUTO, named


def labels_with_leading_zeros() -> Case:
    content = gray()
    named = Content(content.images, [f"{label:03d}" for label in content.labels])
    return write_csv(rows_of(named), ["label", *pixel_names(PIXELS)]), AUTO, named


def one_hot_labels() -> Case:
    content = gray()
    names = ["cat", "dog", "eel", "fox"]
    rows = [
        [*row[1:], *(int(row[0] == index) for index in range(CLASSES))] for row in rows_of(content)
    ]
    named = Content(content.images, [names[label] for label in content.labels])
    return write_csv(rows, [*pixel_names(PIXELS), *names]), AUTO, named


def fer2013() -> Case:
    content = gray()
    rows = [
        [label, " ".join(map(str, pixels)), "Training"]
        for label, pixels in zip(content.labels, content.pixels.tolist(), strict=True)
    ]
    return write_csv(rows, ["emotion", "pixels", "Usage"]), AUTO, content


def pixel_strings_with_commas() -> Case:
    content = gray()
    rows = [
        [",".join(map(str, pixels)), label]
        for label, pixels in zip(content.labels, content.pixels.tolist(), strict=True)
    ]
    return write_csv(rows, ["pixels", "label"]), AUTO, content


def tab_separated() -> Case:
    content = gray()
    header = ["label", *pixel_names(PIXELS)]
    return write_csv(rows_of(content), header, "images.tsv", "\t"), AUTO, content


def semicolon_separated() -> Case:
    content = gray()
    header = ["label", *pixel_names(PIXELS)]
    return write_csv(rows_of(content), header, separator=";"), AUTO, content


def all_cells_quoted() -> Case:
    content = gray()
    return write_csv(rows_of(content), ["label", *pixel_names(PIXELS)], quote=True), AUTO, content


def empty_last_column() -> Case:
    content = gray()
    rows = [[*row, ""] for row in rows_of(content)]
    return write_csv(rows, ["label", *pixel_names(PIXELS), ""]), AUTO, content


def packed(name: str, content: bytes) -> Case:
    """Write a packed file of the digit recognizer."""
    Path(name).write_bytes(content)
    return name, AUTO, gray()


def plain_text() -> str:
    """Return the text of the digit recognizer."""
    return to_text(rows_of(gray()), ["label", *pixel_names(PIXELS)])


def utf_16() -> Case:
    return packed("images.csv", plain_text().encode("utf-16"))


def utf_16_big_endian() -> Case:
    return packed("images.csv", b"\xfe\xff" + plain_text().encode("utf-16-be"))


def utf_8_with_byte_order_mark() -> Case:
    return packed("images.csv", plain_text().encode("utf-8-sig"))


def zip_with_one_file() -> Case:
    with zipfile.ZipFile("images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/train.csv", plain_text())
        archive.writestr("__MACOSX/._train.csv", "x")
    return "images.zip", AUTO, gray()


def bzip2() -> Case:
    return packed("images.csv.bz2", bz2.compress(plain_text().encode()))


def xz() -> Case:
    return packed("images.csv.xz", lzma.compress(plain_text().encode()))


def gzip_named_csv() -> Case:
    return packed("images.csv", gzip.compress(plain_text().encode()))


def zstandard_named_csv() -> Case:
    return packed("images.csv", zstandard.compress(plain_text().encode()))


def images_and_labels_in_two_files() -> Case:
    content = gray()
    write_csv([[label] for label in content.labels], name="labels.csv")
    options = ReadOptions(labels_csv="labels.csv", image_shape=[1, 5, 5], cache="none")
    return write_csv(rows_of(content, None)), options, content


def images_and_labels_matched_by_id() -> Case:
    content = gray()
    ids = [f"{row}.png" for row in range(len(content.images))]
    pairs = list(zip(ids, content.labels, strict=True))
    write_csv(pairs[::-1], ["filename", "label"], "labels.csv")
    rows = column(content, ids, rows_of(content, None))
    path = write_csv(rows, ["filename", *pixel_names(PIXELS)])
    options = ReadOptions(labels_csv="labels.csv", cache="none")
    return path, options, Content(content.images, content.labels, ids)


CASES = (
    kaggle_digit_recognizer,
    label_named_class_in_the_last_column,
    label_named_label_behind_zero_padded_pixels,
    label_named_target_among_unnumbered_names,
    names_that_count_all_columns_with_the_label_first,
    names_that_count_all_columns_with_the_label_last,
    no_header_and_the_label_first,
    no_header_and_the_label_last,
    no_header_and_text_labels,
    emnist_without_header_and_on_its_side,
    transposed_images_that_are_not_square,
    savetxt_with_exponents,
    savetxt_with_commas_and_exponents,
    savetxt_with_a_header_comment,
    savetxt_with_aligned_columns,
    pandas_index_column,
    pandas_index_column_read_and_written_again,
    id_column_first,
    filename_column_last,
    column_that_is_ignored,
    header_that_pandas_mangled_from_a_row,
    header_that_is_turned_off,
    names_in_the_order_of_text,
    names_of_rows_and_columns,
    names_of_rows_columns_and_channels,
    one_rgb_square,
    pixels_from_0_to_16,
    pixels_from_0_to_16_as_floats,
    pixels_from_0_to_15,
    pixels_0_and_1,
    pixels_true_and_false,
    pixels_in_0_to_1,
    pixels_with_zeros_behind_the_point_after_dark_rows,
    pixels_that_are_not_whole,
    pixels_from_minus_1_to_1,
    labels_with_zeros_behind_the_point,
    labels_that_look_missing,
    labels_that_are_digits_first_and_letters_later,
    labels_with_leading_zeros,
    one_hot_labels,
    fer2013,
    pixel_strings_with_commas,
    tab_separated,
    semicolon_separated,
    all_cells_quoted,
    empty_last_column,
    utf_16,
    utf_16_big_endian,
    utf_8_with_byte_order_mark,
    zip_with_one_file,
    bzip2,
    xz,
    gzip_named_csv,
    zstandard_named_csv,
    images_and_labels_in_two_files,
    images_and_labels_matched_by_id,
)

"""Conventions of files that are no text: one function each, which writes a file or a folder."""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import polars
from PIL import Image

from csvision.data.read_options import ReadOptions
from tests.data.conventions.images import CLASSES, Content, color, gray
from tests.data.conventions.write import pixel_names, rows_of

Case = tuple[str, ReadOptions, Content]

AUTO = ReadOptions(cache="none")
NAMES = ("cat", "dog", "eel", "fox")


def arff_text(content: Content) -> str:
    """Return the text that OpenML writes for a table of images."""
    values = ",".join(f"'{value}'" for value in range(CLASSES))
    lines = [
        "% made for a test",
        "@RELATION images",
        *(f"@ATTRIBUTE {name} real" for name in pixel_names(25, start=1)),
        f"@ATTRIBUTE class {{{values}}}",
        "@DATA",
        *(",".join(map(str, row)) for row in rows_of(content, -1)),
    ]
    return "\n".join(lines)


def openml_arff() -> Case:
    content = gray()
    Path("images.arff").write_text(arff_text(content), encoding="utf-8")
    return "images.arff", AUTO, content


def openml_arff_gz() -> Case:
    content = gray()
    Path("images.arff.gz").write_bytes(gzip.compress(arff_text(content).encode()))
    return "images.arff.gz", AUTO, content


def write_npz(content: Content, **arrays: Any) -> Case:
    """Write arrays to a .npz file."""
    np.savez("images.npz", **arrays)
    return "images.npz", AUTO, content


def keras_npz() -> Case:
    content = gray()
    images = content.images[:, 0]
    return write_npz(content, x_train=images, y_train=content.labels, x_test=images, y_test=[0])


def npz_of_unnamed_arrays() -> Case:
    content = gray()
    return write_npz(content, arr_0=content.pixels, arr_1=np.array(content.labels)[:, None])


def npz_with_channels_last() -> Case:
    content = color()
    return write_npz(content, x=content.images.transpose(0, 2, 3, 1), y=content.labels)


def npz_with_channels_first_and_names() -> Case:
    content = color()
    named = Content(content.images, [NAMES[label] for label in content.labels])
    return write_npz(named, images=content.images, labels=np.array(named.labels))


def npz_with_one_hot_labels() -> Case:
    content = gray()
    return write_npz(content, x=content.images[:, 0], y=np.eye(CLASSES)[content.labels])


def npz_of_fractions() -> Case:
    content = gray()
    return write_npz(content, x=content.images[:, 0] / 255, y=content.labels)


def write_parquet(frame: polars.DataFrame, content: Content) -> Case:
    """Write a frame to a Parquet file."""
    frame.write_parquet("images.parquet")
    return "images.parquet", AUTO, content


def parquet_with_a_column_per_pixel() -> Case:
    content = gray()
    frame = polars.DataFrame(content.pixels, schema=pixel_names(25), orient="row")
    return write_parquet(frame.with_columns(label=polars.Series(content.labels)), content)


def parquet_of_booleans() -> Case:
    content = gray()
    content = Content((content.images > 99).astype(np.uint8) * 255, content.labels)
    frame = polars.DataFrame(content.pixels > 0, schema=pixel_names(25), orient="row")
    return write_parquet(frame.with_columns(label=polars.Series(content.labels)), content)


def parquet_with_lists() -> Case:
    content = gray()
    frame = polars.DataFrame({"image": content.pixels.tolist(), "label": content.labels})
    return write_parquet(frame, content)


def parquet_with_lists_of_fixed_size() -> Case:
    content = gray()
    pixels = polars.Series("image", content.pixels.tolist(), polars.Array(polars.UInt8, 25))
    return write_parquet(polars.DataFrame([pixels, polars.Series("y", content.labels)]), content)


def parquet_with_nested_lists() -> Case:
    content = color()
    images = content.images.transpose(0, 2, 3, 1).tolist()
    return write_parquet(polars.DataFrame({"label": content.labels, "image": images}), content)


def encode(image: Any, kind: str = "PNG", mode: str | None = None) -> bytes:
    """Return an image (C, H, W) as the content of an image file."""
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    buffer = io.BytesIO()
    opened = Image.fromarray(pixels)
    (opened if mode is None else opened.convert(mode)).save(buffer, kind)
    return buffer.getvalue()


def parquet_with_png_bytes() -> Case:
    content = gray()
    images = [encode(image) for image in content.images]
    return write_parquet(polars.DataFrame({"image": images, "label": content.labels}), content)


def parquet_of_an_image_hub() -> Case:
    content = color()
    images = [
        {"bytes": encode(image), "path": f"{row}.png"} for row, image in enumerate(content.images)
    ]
    return write_parquet(polars.DataFrame({"image": images, "label": content.labels}), content)


def write_images(folder: str, content: Content) -> Content:
    """Write a PNG file per image below a folder per class; return the content in file order."""
    order = sorted(range(len(content.images)), key=lambda row: (content.labels[row], row))
    for row in order:
        path = Path(folder) / NAMES[content.labels[row]] / f"{row:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(content.images[row]))
    ids = [f"{NAMES[content.labels[row]]}/{row:03d}.png" for row in order]
    return Content(content.images[order], [NAMES[content.labels[row]] for row in order], ids)


def folder_of_gray_images() -> Case:
    return "images", AUTO, write_images("images", gray(height=4, width=6))


def folder_of_color_images() -> Case:
    return "images", AUTO, write_images("images", color())


def folder_with_a_folder_per_split() -> Case:
    parts = [write_images(f"images/{split}", gray(12, seed=seed)) for seed, split in SPLITS]
    ids = [
        f"{split}/{name}"
        for part, (_, split) in zip(parts, SPLITS, strict=True)
        for name in part.ids or []
    ]
    labels = [label for part in parts for label in part.labels]
    return "images", AUTO, Content(np.concatenate([part.images for part in parts]), labels, ids)


SPLITS = ((3, "test"), (4, "train"), (5, "val"))

CASES = (
    openml_arff,
    openml_arff_gz,
    keras_npz,
    npz_of_unnamed_arrays,
    npz_with_channels_last,
    npz_with_channels_first_and_names,
    npz_with_one_hot_labels,
    npz_of_fractions,
    parquet_with_a_column_per_pixel,
    parquet_of_booleans,
    parquet_with_lists,
    parquet_with_lists_of_fixed_size,
    parquet_with_nested_lists,
    parquet_with_png_bytes,
    parquet_of_an_image_hub,
    folder_of_gray_images,
    folder_of_color_images,
    folder_with_a_folder_per_split,
)

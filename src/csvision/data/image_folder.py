"""Read a folder of images: one subfolder per class, also below folders for train, val and test."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from PIL import Image

from csvision.config.schema import Layout
from csvision.data.array_sources import pixels_to_frame
from csvision.data.chunks import FrameChunk
from csvision.data.decode_images import GRAY_MODES, IMAGE_ERRORS, check_size, decode_image
from csvision.data.names import SPLIT_WORDS, natural_key
from csvision.data.packing import GIB, check_decompressed_size
from csvision.data.read_options import ReadOptions
from csvision.data.source import Source
from csvision.errors import DataError, first_line

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")


@dataclass(frozen=True)
class ImageFile:
    """An image file, its class (the name of its folder) and split; empty texts if unknown."""

    path: Path
    label: str = ""
    split: str = ""


def open_image_folder(folder: Path, options: ReadOptions) -> Source:
    """Return a row per image file: its name, class, split if any, and pixels.

    Raises DataError if there are no images, their sizes differ, or all pixels exceed
    `options.max_decompressed_gib`.
    """
    files = list_images(folder, options.natural_order)
    if not files:
        raise no_images(folder, options.allow_missing_labels)
    size, color = check_equal_sizes(files)
    image_shape = (3 if color else 1, size[1], size[0])
    has_labels, has_splits = bool(files[0].label), bool(files[0].split)
    names = ["filename", *["label"] * has_labels, *["split"] * has_splits]
    num_pixels = prod(image_shape)
    check_decompressed_size(folder, len(files) * num_pixels, options.max_decompressed_gib * GIB)

    def read(chunk_bytes: int) -> Iterator[FrameChunk]:
        step = max(1, chunk_bytes // (8 * num_pixels))
        for start in range(0, len(files), step):
            part = files[start : start + step]
            cells = {"filename": [file.path.relative_to(folder).as_posix() for file in part]}
            if has_labels:
                cells["label"] = [file.label for file in part]
            if has_splits:
                cells["split"] = [file.split for file in part]
            images = [decode_image(str(file.path), file.path, color) for file in part]
            yield FrameChunk(start, pixels_to_frame(cells, np.stack(images).reshape(len(part), -1)))

    return Source(
        path=folder,
        names=(*names, *(f"pixel{index}" for index in range(num_pixels))),
        read=read,
        image_shape=image_shape,
        layout=Layout.channels_last,
        folder_files=tuple(file.path for file in files),
        num_rows=len(files),
    )


def no_images(folder: Path, allow_missing_labels: bool) -> DataError:
    """Return the error of a folder without images; images without labels need no subfolders."""
    if allow_missing_labels:
        return DataError(f"{folder}: no images; put image files into this folder, or choose a file")
    return DataError(
        f"{folder}: no images; put image files into one folder per class, such as "
        f"{folder / 'CLASS' / '1.png'}, or choose a file"
    )


def list_images(folder: Path, natural_order: bool = False) -> list[ImageFile]:
    """Return the images of a folder with their classes, in the order of their names.

    The rows of recorded runs are in the order of the characters, which `natural_order` changes.
    """
    subfolders = sort_paths(
        (path for path in folder.iterdir() if path.is_dir() and is_visible(path)), natural_order
    )
    if not subfolders:
        return [ImageFile(path) for path in image_files(folder, natural_order)]
    splits = {path: SPLIT_WORDS.get(path.name.lower(), "") for path in subfolders}
    if all(splits.values()):
        return [
            ImageFile(path, subfolder.name, split)
            for split_folder, split in splits.items()
            for subfolder in sort_paths(split_folder.iterdir(), natural_order)
            if subfolder.is_dir() and is_visible(subfolder)
            for path in image_files(subfolder, natural_order)
        ]
    return [
        ImageFile(path, subfolder.name)
        for subfolder in subfolders
        for path in image_files(subfolder, natural_order)
    ]


def image_files(folder: Path, natural_order: bool) -> list[Path]:
    """Return the image files directly in a folder, in the order of their names."""
    found = (
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and is_visible(path) and path.is_file()
    )
    return sort_paths(found, natural_order)


def sort_paths(paths: Iterable[Path], natural_order: bool) -> list[Path]:
    """Return the paths of one folder in the order of the characters or numbers in their names."""
    if natural_order:
        return sorted(paths, key=lambda path: natural_key(path.name))
    return sorted(paths)


def is_visible(path: Path) -> bool:
    """Return whether a file is not hidden."""
    return not path.name.startswith(".")


def check_equal_sizes(files: list[ImageFile]) -> tuple[tuple[int, int], bool]:
    """Return width and height of all images, and whether any is in color, from their headers.

    Raises DataError if one cannot be read or has another size than the first.
    """
    first: tuple[int, int] | None = None
    color = False
    for file in files:
        try:
            with Image.open(file.path) as image:
                size, mode = image.size, image.mode
                if image.getexif().get(0x0112, 1) >= 5:
                    size = size[::-1]
        except IMAGE_ERRORS as error:
            raise DataError(f"{file.path}: not a readable image: {first_line(error)}") from error
        check_size(str(file.path), size)
        first = first or size
        color = color or mode not in GRAY_MODES
        if size != first:
            raise DataError(
                f"{file.path}: {size[1]}x{size[0]} pixels (height x width), but "
                f"{files[0].path} has {first[1]}x{first[0]}; resize or pad all images to one "
                "size"
            )
    assert first is not None
    return first, color

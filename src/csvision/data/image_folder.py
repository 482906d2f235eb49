"""Read a folder of images: one subfolder per class, also below folders for train, val and test."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, prod
from pathlib import Path

import numpy as np
from PIL import Image

from csvision.config.schema import Layout
from csvision.data.array_sources import pixels_to_frame
from csvision.data.chunks import FrameChunk
from csvision.data.decode_images import GRAY_MODES, IMAGE_ERRORS, check_size, decode_image
from csvision.data.names import SPLIT_WORDS
from csvision.data.packing import check_decompressed_size
from csvision.data.source import Source
from csvision.errors import DataError, first_line

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")


@dataclass(frozen=True)
class ImageFile:
    """An image file, its class (the name of its folder) and split; empty texts if unknown."""

    path: Path
    label: str = ""
    split: str = ""


def open_image_folder(folder: Path, max_bytes: float = inf) -> Source:
    """Return a row per image file: its name, class, split if any, and pixels.

    Raises DataError if there are no images, their sizes differ, or all pixels exceed `max_bytes`.
    """
    files = list_images(folder)
    if not files:
        raise DataError(
            f"{folder}: no images; put image files into one folder per class, such as "
            f"{folder / 'CLASS' / '1.png'}, or choose a file"
        )
    size, color = check_equal_sizes(files)
    image_shape = (3 if color else 1, size[1], size[0])
    has_labels, has_splits = bool(files[0].label), bool(files[0].split)
    names = ["filename", *["label"] * has_labels, *["split"] * has_splits]
    num_pixels = prod(image_shape)
    check_decompressed_size(folder, len(files) * num_pixels, max_bytes)

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


def list_images(folder: Path) -> list[ImageFile]:
    """Return the images of a folder with their classes, in the order of their names."""
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and is_visible(path))
    if not subfolders:
        return [ImageFile(path) for path in image_files(folder)]
    splits = {path: SPLIT_WORDS.get(path.name.lower(), "") for path in subfolders}
    if all(splits.values()):
        return [
            ImageFile(path, subfolder.name, split)
            for split_folder, split in splits.items()
            for subfolder in sorted(split_folder.iterdir())
            if subfolder.is_dir() and is_visible(subfolder)
            for path in image_files(subfolder)
        ]
    return [
        ImageFile(path, subfolder.name)
        for subfolder in subfolders
        for path in image_files(subfolder)
    ]


def image_files(folder: Path) -> list[Path]:
    """Return the image files directly in a folder, in the order of their names."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and is_visible(path) and path.is_file()
    )


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
                f"{file.path}: {size[0]}x{size[1]} pixels, but {files[0].path.name} has "
                f"{first[0]}x{first[1]}; resize or pad all images to one size"
            )
    assert first is not None
    return first, color

"""Draw the results of an inspection as pictures; the page and TensorBoard show the same ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csvision.data.splits import Subset
from csvision.inspection.attributions import Attribution, occlusion_size
from csvision.inspection.feature_maps import LayerMaps
from csvision.inspection.filters import Filters
from csvision.inspection.mistakes import Prediction
from csvision.inspection.pictures import (
    Picture,
    Pixels,
    arrange,
    color_filter_pixels,
    fit_scale,
    image_pixels,
    outline_field,
    signed_pixels,
)

SHEET_WIDTH = 800
"""Pixels of a sheet of feature maps, at most."""

FILTER_SHEET_WIDTH = 400
"""Pixels of a sheet of filters, at most."""

MAP_WIDTH, TILE_WIDTH, UNIT_SIZE = 48, 44, 14
"""Pixels of a feature map, a filter and a value of a vector, about."""

FILTER_GAP = 6
"""Pixels between two filters: their cells are as light as a thin line."""

MAX_MAPS = 64
"""Feature maps of one layer on the page."""

MAX_UNITS = 512
"""Values of one vector on the page."""


@dataclass(frozen=True)
class FilterPictures:
    """The sheets of first-layer filters; `initial` is None without initial weights."""

    trained: Picture
    initial: Picture | None
    limit: float


@dataclass(frozen=True)
class MapPictures:
    """The output of a layer for one image, and the image with the receptive field."""

    layer: LayerMaps
    maps: Picture
    field: Picture | None
    shown: int
    limit: float


@dataclass(frozen=True)
class AttributionPictures:
    """The map of a method for one image beside that of the control."""

    attribution: Attribution
    trained: Picture
    control: Picture
    similarity: float | None


def draw_row(subset: Subset, row: Prediction, name: str, target: int = 84) -> Picture:
    """Draw the image of a test row as it is in the file."""
    pixels = image_pixels(subset.table.images[row.row])
    alt = (
        f"Image of row {row.row}: labeled {row.label}, predicted {row.prediction} with probability "
        f"{row.p_prediction:.2f}"
    )
    return Picture(name, alt, fit_scale(pixels.shape[1], target), pixels)


def draw_filters(filters: Filters) -> FilterPictures:
    """Draw trained and initial filters with one scale of colors."""
    arrays = [filters.trained] if filters.initial is None else [filters.trained, filters.initial]
    limit = max(float(np.abs(array).max()) for array in arrays)
    sheets = [filter_sheet(array, limit) for array in arrays]
    shape = "x".join(map(str, filters.trained.shape[1:]))
    pictures = [
        Picture(
            f"filters/{state}",
            f"{len(filters.shown)} {state} weight images of {filters.layer}, each {shape}",
            1,
            sheet,
        )
        for sheet, state in zip(sheets, ("trained", "initial"), strict=False)
    ]
    return FilterPictures(pictures[0], pictures[1] if len(pictures) > 1 else None, limit)


def filter_sheet(filters: NDArray[np.float64], limit: float) -> Pixels:
    """Return filters (F, C, H, W) in a sheet: in color for C=3, else all channels side by side."""
    if filters.shape[1] == 3:
        tiles = [color_filter_pixels(filter, limit) for filter in filters]
    else:
        tiles = [signed_pixels(np.hstack(list(filter)), limit) for filter in filters]
    scale = fit_scale(tiles[0].shape[1], TILE_WIDTH)
    return arrange(tiles, scale, FILTER_SHEET_WIDTH, FILTER_GAP)


def draw_maps(
    layer: LayerMaps, index: int, row: Prediction, image: NDArray[np.uint8]
) -> MapPictures:
    """Draw the output of a layer for the shown image `index`."""
    name = f"feature maps of row {row.row}/{layer.name}"
    maps, shown, limit = draw_values(name, layer.name, layer.values[index])
    field = draw_field(layer, row, image) if layer.is_spatial else None
    return MapPictures(layer, maps, field, shown, limit)


def draw_values(name: str, layer: str, values: NDArray[np.float32]) -> tuple[Picture, int, float]:
    """Draw feature maps (C, H, W), or any other output as one vector, with one scale of colors.

    Returns the picture, the number of shown maps or values, and the value of the strongest color.
    """
    limit = float(np.abs(values).max()) or 1.0
    if values.ndim != 3 or values.shape[1] * values.shape[2] == 1:
        shown = values.reshape(-1)[:MAX_UNITS]
        alt = f"{len(shown)} values of {layer}, at most {limit:.3g}"
        pixels = arrange(list(signed_pixels(shown[:, None, None], limit)), UNIT_SIZE, SHEET_WIDTH)
        return Picture(name, alt, 1, pixels), len(shown), limit
    shown = values[:MAX_MAPS]
    scale = fit_scale(shown.shape[2], MAP_WIDTH)
    sheet = arrange([signed_pixels(channel, limit) for channel in shown], scale, SHEET_WIDTH)
    alt = f"{len(shown)} feature maps of {layer}, each {shown.shape[1]}x{shown.shape[2]}"
    return Picture(name, alt, 1, sheet), len(shown), limit


def draw_field(layer: LayerMaps, row: Prediction, image: NDArray[np.uint8]) -> Picture | None:
    """Draw the receptive field of a layer on an image; None if it is not known."""
    field = layer.receptive_field
    if field is None:
        return None
    pixels = outline_field(image_pixels(image), field, fit_scale(image.shape[2], 84))
    alt = (
        f"Row {row.row} with a frame around rows {field.top} to {field.bottom} and columns "
        f"{field.left} to {field.right}"
    )
    return Picture(f"receptive field of row {row.row}/{layer.name}", alt, 1, pixels)


def draw_attribution(
    attribution: Attribution, index: int, row: Prediction, size: tuple[int, int]
) -> AttributionPictures:
    """Draw the maps of a method for the shown image `index`, whose size is (H, W) pixels.

    Network and control have their own scales: only the places can be compared.
    """
    pictures = []
    for state, maps in (("trained", attribution.trained), ("control", attribution.control)):
        cells = signed_pixels(maps[index])
        if attribution.method == "occlusion":
            # The last squares may be cut off by the edge of the image.
            side = occlusion_size(*size)
            cells = cells.repeat(side, axis=0).repeat(side, axis=1)[: size[0], : size[1]]
        alt = (
            f"{attribution.method} of row {row.row} for {row.prediction}, {state} network: "
            f"{maps.shape[1]}x{maps.shape[2]} cells; strongest at {strongest(maps[index])}"
        )
        name = f"attributions of row {row.row}/{attribution.method}, {state}"
        pictures.append(Picture(name, alt, fit_scale(cells.shape[1], 112), cells))
    trained, control = pictures
    return AttributionPictures(attribution, trained, control, attribution.similarity[index])


def strongest(values: NDArray[np.float64]) -> str:
    """Say where the largest value of a map is."""
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return f"row {row}, column {column}"

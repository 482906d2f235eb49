"""All pictures and charts of an inspection; the page and TensorBoard show the same ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from csvision.inspection.applicable import Missing
from csvision.inspection.charts import plot_reliability, plot_shifts, plot_thresholds
from csvision.inspection.draw import (
    AttributionPictures,
    FilterPictures,
    MapPictures,
    draw_attribution,
    draw_filters,
    draw_maps,
    draw_row,
)
from csvision.inspection.mistakes import Prediction, describe_prediction
from csvision.inspection.pictures import Picture, fit_scale, image_pixels
from csvision.inspection.result import Inspection
from csvision.inspection.shifts import DIRECTIONS, ChangedPrediction, shift_images

MAX_LABEL_ERRORS = 24


@dataclass(frozen=True)
class Example:
    """A test row with its image."""

    prediction: Prediction
    picture: Picture


@dataclass(frozen=True)
class RowDrawings:
    """A shown test row: its image, as the network gets it, and what the network does with it."""

    prediction: Prediction
    image: Picture
    maps: list[MapPictures]
    attributions: list[AttributionPictures]


@dataclass(frozen=True)
class ShiftExample:
    """A test row whose prediction a shift changes, with both images."""

    change: ChangedPrediction
    prediction: Prediction
    before: Picture
    after: Picture


@dataclass(frozen=True)
class Drawings:
    """The pictures and charts of an inspection; `confusions` has the examples of each pair.

    `largest_loss` has the mistake with the largest loss if it is not one of `mistakes`.
    """

    charts: dict[str, Figure]
    filters: FilterPictures | None
    rows: list[RowDrawings]
    mistakes: list[Example]
    largest_loss: list[Example]
    label_errors: list[Example]
    confusions: list[list[Example]]
    shifts: list[ShiftExample]

    @property
    def pictures(self) -> Iterator[Picture]:
        """Yield every picture."""
        for examples in [self.mistakes, self.largest_loss, self.label_errors, *self.confusions]:
            yield from (example.picture for example in examples)
        for shift in self.shifts:
            yield from (shift.before, shift.after)
        if self.filters is not None:
            yield self.filters.trained
            if self.filters.initial is not None:
                yield self.filters.initial
        for row in self.rows:
            yield row.image
            for maps in row.maps:
                yield maps.maps
                if maps.field is not None:
                    yield maps.field
            for attribution in row.attributions:
                yield from (attribution.trained, attribution.control)


def draw_inspection(inspection: Inspection) -> Drawings:
    """Draw the results of an inspection."""
    shifts, filters = inspection.shifts, inspection.filters
    charts = {
        "reliability": plot_reliability(inspection.calibration),
        "thresholds": plot_thresholds(inspection.calibration),
    }
    if not isinstance(shifts, Missing):
        charts["shifts"] = plot_shifts(shifts)
    suspected = [each.prediction for each in inspection.label_errors.suspected[:MAX_LABEL_ERRORS]]
    return Drawings(
        charts,
        None if isinstance(filters, Missing) else draw_filters(filters),
        [draw_shown_row(inspection, index) for index in range(len(inspection.rows))],
        draw_examples(inspection, inspection.mistakes, "mistakes"),
        draw_examples(inspection, other_mistake(inspection), "largest loss"),
        draw_examples(inspection, suspected, "suspected labels"),
        [
            draw_examples(
                inspection,
                [describe_prediction(inspection.evaluation, each) for each in pair.examples],
                f"confused {pair.first}, {pair.second}",
            )
            for pair in inspection.confusions
        ],
        []
        if isinstance(shifts, Missing)
        else [draw_shift(inspection, change) for change in shifts.examples],
    )


def other_mistake(inspection: Inspection) -> list[Prediction]:
    """Return the mistake with the largest loss if it is not one of the most confident ones."""
    largest = inspection.largest_loss
    return [] if largest is None or largest in inspection.mistakes else [largest]


def draw_examples(
    inspection: Inspection, predictions: list[Prediction], group: str
) -> list[Example]:
    """Draw test rows; their names start with `group`."""
    subset = inspection.evaluation.subset
    return [
        Example(each, draw_row(subset, each, f"{group}/{number:02d} row {each.row}"))
        for number, each in enumerate(predictions)
    ]


def draw_shown_row(inspection: Inspection, index: int) -> RowDrawings:
    """Draw feature maps and attributions of a shown row."""
    row, image = inspection.rows[index], inspection.images[index]
    pixels = image_pixels(image)
    maps, size = inspection.feature_maps, image.shape[1:]
    alt = f"Row {row.row} as the network gets it"
    return RowDrawings(
        row,
        Picture(f"rows/row {row.row}", alt, fit_scale(pixels.shape[1], 112), pixels),
        []
        if isinstance(maps, Missing)
        else [draw_maps(layer, index, row, image) for layer in maps],
        [
            draw_attribution(each, index, row, size)
            for each in inspection.attributions
            if not isinstance(each, Missing)
        ],
    )


def draw_shift(inspection: Inspection, change: ChangedPrediction) -> ShiftExample:
    """Draw an image before and after a shift that changes its prediction."""
    evaluation = inspection.evaluation
    prediction = describe_prediction(evaluation, change.position)
    name = f"shifts/row {prediction.row} {change.direction}"
    before = draw_row(evaluation.subset, prediction, f"{name}, before")
    image = torch.from_numpy(evaluation.subset.table.images[prediction.row][None])
    rows, columns = DIRECTIONS[change.direction]
    shifted = shift_images(image, rows * change.distance, columns * change.distance)
    alt = f"The same image shifted {change.direction} by {change.distance} pixels"
    after = Picture(f"{name}, after", alt, before.scale, image_pixels(shifted[0].numpy()))
    return ShiftExample(change, prediction, before, after)

"""The result of an inspection."""

from dataclasses import dataclass, field, fields, is_dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from csvision.arithmetic.layers import NetworkExplanation
from csvision.evaluation import EvalResult
from csvision.inspection.applicable import Missing
from csvision.inspection.attributions import Attribution
from csvision.inspection.calibration import Calibration
from csvision.inspection.class_scores import ClassScores, Confusion
from csvision.inspection.feature_maps import LayerMaps
from csvision.inspection.filters import Filters
from csvision.inspection.label_errors import LabelErrors
from csvision.inspection.mistakes import Prediction
from csvision.inspection.shifts import Shifts


@dataclass(frozen=True)
class Inspection:
    """What was found in a run; `directory` has the page index.html and inspection.json.

    `rows` are the shown test rows, and `images` their images as the network gets them: uint8,
    (N, C, H, W). `confusion_matrix` has the counts, one row per true class; None for many classes.
    `mistakes` are ordered by confidence; `largest_loss` is that of all mistakes, None without any.
    An analysis that does not apply is a Missing with the reason.
    """

    evaluation: EvalResult = field(repr=False)
    class_scores: list[ClassScores]
    confusion_matrix: list[list[int]] | None
    confusions: list[Confusion]
    calibration: Calibration
    mistakes: list[Prediction]
    largest_loss: Prediction | None
    label_errors: LabelErrors
    shifts: Shifts | Missing
    layers: NetworkExplanation | Missing
    rows: list[Prediction]
    images: Any = field(repr=False)
    filters: Filters | Missing
    feature_maps: list[LayerMaps] | Missing
    attributions: list[Attribution | Missing]
    directory: Path

    @property
    def missing(self) -> list[Missing]:
        """The analyses that do not apply."""
        parts = [self.shifts, self.layers, self.filters, self.feature_maps, *self.attributions]
        return [part for part in parts if isinstance(part, Missing)]


def to_plain(value: Any) -> Any:
    """Return dataclasses, lists and numbers as values of JSON.

    Fields that are not shown by repr, such as arrays of pictures, are left out; NaN is null.
    """
    if is_dataclass(value):
        shown = [entry.name for entry in fields(value) if entry.repr]
        return {name: to_plain(getattr(value, name)) for name in shown}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value

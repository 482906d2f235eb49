"""Predict the rows of a file while it is read: in batches of one size, in the order of the file.

Shapes: n rows, C channels, H height, W width, K classes.
"""

from collections.abc import Callable
from reprlib import repr as shorten

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from csvision.data.class_names import preview
from csvision.data.data_spec import DataSpec
from csvision.data.label_kind import kind_of, parse_label
from csvision.data.open_table import OpenTable
from csvision.data.parse_chunk import ParsedChunk
from csvision.data.parse_strict import CellTypes, label_error
from csvision.errors import DivergedError
from csvision.evaluation import (
    EVALUATION_SEED,
    Floats,
    count_not_finite,
    label_table,
    not_finite_message,
)
from csvision.rng import seed_global_generators
from csvision.run.log import log
from csvision.run.predictor import Predict

UNKNOWN = -1
"""The index of a label that is none of the classes."""


class LabelIndices:
    """Finds the class index of each label; counts those that the run does not know."""

    def __init__(self, spec: DataSpec) -> None:
        self.types = CellTypes(labels=kind_of(spec.label_values))
        self.values = spec.label_values
        self.index_of = {value: index for index, value in enumerate(spec.label_values)}
        self.known: dict[str, int] = {}
        self.unknown_count = 0
        self.first_unknown: tuple[int, str] | None = None

    def find(self, texts: list[str], start: int) -> NDArray[np.int64]:
        """Return the class indices of consecutive rows (n,); `start` is the first row."""
        for text in set(texts) - self.known.keys():
            self.known[text] = self.index(text)
        indices = np.array([self.known[text] for text in texts], dtype=np.int64)
        unknown = np.flatnonzero(indices == UNKNOWN)
        if unknown.size and self.first_unknown is None:
            self.first_unknown = start + int(unknown[0]), texts[unknown[0]]
        self.unknown_count += unknown.size
        return indices

    def index(self, text: str) -> int:
        """Return the class index of a label."""
        if label_error(text, self.types):
            return UNKNOWN
        assert self.types.labels is not None
        return self.index_of.get(parse_label(text, self.types.labels), UNKNOWN)

    def warn(self, csv: str) -> None:
        """Warn about the rows whose labels the run does not know, naming the first one."""
        if self.first_unknown is not None:
            row, text = self.first_unknown
            log.warning(
                "%s: rows with labels that the run does not know: %d (the first is row %d: %s); "
                "they are predicted, but no accuracy can be computed; the run knows %s",
                csv,
                self.unknown_count,
                row,
                shorten(text),
                preview(self.values),
            )


class RowPredictor:
    """Predicts rows as they come, and gives tables of predictions to `receive`.

    Batches have the same rows as if the whole file were predicted at once. `restarted` is called
    if the file is parsed again, and all rows come again.
    """

    def __init__(
        self,
        opened: OpenTable,
        spec: DataSpec,
        predict: Predict,
        batch_size: int,
        receive: Callable[[pd.DataFrame], None],
        restarted: Callable[[], None],
        probabilities: bool = True,
    ) -> None:
        self.opened = opened
        self.spec = spec
        self.predict = predict
        self.batch_size = batch_size
        self.receive = receive
        self.restarted = restarted
        self.probabilities = probabilities
        self.forget()

    def forget(self) -> None:
        """Start with no rows."""
        self.count = 0
        self.not_finite = 0
        self.labels = LabelIndices(self.spec)
        self.images = np.empty((0, *self.spec.image_shape), np.uint8)
        self.indices = np.empty(0, np.int64)
        self.ids: list[str] = []
        self.texts: list[str] = []
        seed_global_generators(EVALUATION_SEED, torch_seed=EVALUATION_SEED)

    def restart(self) -> None:
        """Forget all rows and predictions."""
        self.forget()
        self.restarted()

    def add(self, images: NDArray[np.uint8], chunk: ParsedChunk) -> None:
        """Predict the complete batches of the rows that have come, and keep the others."""
        indices = self.labels.find(chunk.labels, self.count + len(self.images))
        self.texts += chunk.labels
        self.images = np.concatenate([self.images, images])
        self.indices = np.concatenate([self.indices, indices])
        self.ids += chunk.ids
        self.predict_rows(len(self.images) // self.batch_size * self.batch_size)

    def finish(self) -> int:
        """Predict the last batch; return the number of rows.

        Raises DivergedError if an output of the network was not finite.
        """
        self.predict_rows(len(self.images))
        if self.not_finite:
            raise DivergedError(not_finite_message(self.not_finite, self.count))
        return self.count

    def predict_rows(self, count: int) -> None:
        """Predict the first rows that were kept."""
        if not count:
            return
        images, self.images = self.images[:count], self.images[count:]
        probabilities, predicted = self.predict(
            torch.split(torch.from_numpy(images), self.batch_size)
        )
        self.receive(self.table(probabilities, predicted))
        self.not_finite += count_not_finite(probabilities)
        self.count += count

    def table(self, probabilities: Floats, predicted: NDArray[np.int64]) -> pd.DataFrame:
        """Return the table of the next rows."""
        count, start = len(predicted), self.count
        labels, self.indices = self.indices[:count], self.indices[count:]
        ids, self.ids = self.ids[:count], self.ids[count:]
        texts, self.texts = self.texts[:count], self.texts[count:]
        columns = self.opened.columns
        table = label_table(
            rows=np.arange(start, start + count),
            ids=np.array(ids) if columns.ids is not None else None,
            label_values=self.spec.label_values,
            classes=self.spec.classes,
            probabilities=probabilities if self.probabilities else None,
            predictions=predicted,
            labels=np.maximum(labels, 0) if columns.has_labels else None,
        )
        unknown = np.flatnonzero(labels == UNKNOWN)
        if unknown.size:
            table["label"] = table["label"].astype(object)
            table.loc[unknown, "label"] = [texts[row] for row in unknown]
        return table

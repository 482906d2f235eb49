"""Predictions as Kaggle's Digit Recognizer wants them, and what its two columns do not show."""

import re
from pathlib import PurePosixPath

import pandas as pd

from csvision.data.data_spec import LabelValues
from csvision.run.log import log


def submission_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return predictions as Kaggle's Digit Recognizer wants them: images are counted from 1."""
    return pd.DataFrame({"ImageId": table["row"] + 1, "Label": table["prediction"]})


class SubmissionNotes:
    """Collects which image each ImageId is, for files that name their images."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget all images."""
        self.first = self.last = self.jump = ""
        self.expected: int | None = None

    def add(self, table: pd.DataFrame) -> None:
        """Note the names of the next predictions."""
        if "id" not in table:
            return
        for row, name in zip(table["row"], map(str, table["id"]), strict=True):
            number = number_of(name)
            if self.last and not self.jump and (number is None or number != self.expected):
                self.jump = f"ImageId {row + 1} is {name}, after {self.last}"
            self.first = self.first or name
            self.last, self.expected = name, None if number is None else number + 1

    def log(self, label_values: LabelValues) -> None:
        """Log which images were counted; warn if they or the labels are not those expected."""
        if self.first:
            log.info("ImageId 1 is %s, the last one is %s", self.first, self.last)
        if self.jump:
            log.warning(
                "%s: the names do not count the images; ImageId does, in their order; without "
                "submission=kaggle, the column id has the names",
                self.jump,
            )
        if isinstance(label_values[0], str):
            log.warning(
                "Label has texts, such as %r; Kaggle's Digit Recognizer expects numbers: train "
                "with numbers as labels",
                label_values[0],
            )


def number_of(name: str) -> int | None:
    """Return the last number in a name without its suffix; None if there is none."""
    numbers = re.findall("[0-9]+", PurePosixPath(name).stem)
    return int(numbers[-1]) if numbers else None

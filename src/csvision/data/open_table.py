"""Open a data file: its source, the roles of its columns, and how its cells are parsed."""

from dataclasses import dataclass, replace
from pathlib import Path

from csvision.config.pixel_range import parse_pixel_range
from csvision.data.columns import Columns
from csvision.data.data_spec import DataSpec
from csvision.data.open_source import open_source
from csvision.data.parse_file import parse_to
from csvision.data.parsed_file import ParseSettings
from csvision.data.parsed_rows import RowTarget
from csvision.data.pixel_range import guess_from_rows
from csvision.data.read_options import ReadOptions
from csvision.data.sample import Sample
from csvision.data.sniff import infer_columns
from csvision.data.source import Source
from csvision.process_state import use_threads


@dataclass(frozen=True)
class OpenTable:
    """A data file before it is parsed; `notices` has one line per decision to report."""

    source: Source
    columns: Columns
    settings: ParseSettings
    notices: list[str]

    def stream(self, target: RowTarget) -> list[str]:
        """Give the rows to `target`, chunk by chunk; return all decisions to report.

        The target may get rows of an invalid file before DataError is raised.
        """
        _, notices = parse_to(self.source, self.columns, self.settings, target)
        return [*self.notices, *notices]


def open_table(path: Path, options: ReadOptions, reference: DataSpec | None = None) -> OpenTable:
    """Open a data file; raises DataError if it cannot be read, or its columns are not clear.

    With a `reference`, image shape and columns must be those of the reference.
    """
    use_threads()
    if options.labels_csv is not None:
        options = replace(options, allow_missing_labels=True)
    source = open_source(path, options)
    sample = Sample(source)
    columns, notices = infer_columns(source, options, reference, sample)
    pixel_range = parse_pixel_range(options.pixel_range)
    guess = guess_from_rows(
        sample.rows, columns.pixels, None if reference is None else reference.pixel_range
    )
    settings = ParseSettings(pixel_range, guess, reference, options.check_labels)
    return OpenTable(source, columns, settings, notices)

"""Share prepared runs, and the data of runs on the same files, within one process."""

import json
from pathlib import Path
from typing import overload

from csvision.baselines.prepare import PreparedBaseline, prepare_baseline
from csvision.config import schema
from csvision.config.baseline_schema import BaselineConfig, RunConfig
from csvision.config.serialize import config_to_dict
from csvision.data.splits import Splits
from csvision.run.prepare import PreparedRun, prepare_run


class PreparedRuns:
    """The prepared runs of one command, by configuration; equal data are read once.

    With `max_splits`, only the last runs are kept: those of that many different data.
    """

    def __init__(self, max_splits: int | None = None) -> None:
        self.max_splits = max_splits
        self.runs: dict[str, PreparedRun | PreparedBaseline] = {}
        self.splits: dict[str, Splits] = {}

    @overload
    def get_or_prepare(
        self, config: schema.TrainConfig, directory: Path | None = None
    ) -> PreparedRun: ...

    @overload
    def get_or_prepare(
        self, config: BaselineConfig, directory: Path | None = None
    ) -> PreparedBaseline: ...

    def get_or_prepare(
        self, config: RunConfig, directory: Path | None = None
    ) -> PreparedRun | PreparedBaseline:
        """Return the prepared run of a configuration; prepare it if this is the first call.

        `directory` is where its results will be written (default: a new one in output_dir). Raises
        UserError if the run cannot work.
        """
        values = config_to_dict(config)
        key = json.dumps(values)
        if key not in self.runs:
            data = json.dumps([values["data"], values["debug"]["limit_rows"]])
            if data not in self.splits and len(self.splits) == self.max_splits:
                self.clear()
            splits = self.splits.get(data)
            if isinstance(config, BaselineConfig):
                self.runs[key] = prepare_baseline(config, splits, directory)
            else:
                self.runs[key] = prepare_run(config, splits, directory)
            self.splits[data] = self.runs[key].splits
        return self.runs[key]

    def clear(self) -> None:
        """Forget all runs: a new command reads its files again."""
        self.runs.clear()
        self.splits.clear()


PREPARED_RUNS = PreparedRuns()
"""The prepared runs of the command that this process executes.

Hydra cannot pass objects from a callback to a task, so they are kept here.
"""

"""Share prepared runs between the Hydra callback and the task, so that each is prepared once.

Hydra cannot pass objects from a callback to a task, so they are kept in PREPARED_RUNS.
"""

import json
from typing import overload

from csvision.baselines.prepare import PreparedBaseline, prepare_baseline
from csvision.config import schema
from csvision.config.baseline_schema import BaselineConfig, RunConfig
from csvision.config.serialize import config_to_dict
from csvision.data.splits import Splits
from csvision.run.prepare import PreparedRun, prepare_run


class PreparedRuns:
    """The prepared runs of one command, by configuration; equal data are read once."""

    def __init__(self) -> None:
        self.runs: dict[str, PreparedRun | PreparedBaseline] = {}
        self.splits: dict[str, Splits] = {}

    @overload
    def get_or_prepare(self, config: schema.TrainConfig) -> PreparedRun: ...

    @overload
    def get_or_prepare(self, config: BaselineConfig) -> PreparedBaseline: ...

    def get_or_prepare(self, config: RunConfig) -> PreparedRun | PreparedBaseline:
        """Return the prepared run of a configuration; prepare it if this is the first call.

        Raises UserError if the run cannot work.
        """
        values = config_to_dict(config)
        key = json.dumps(values)
        if key not in self.runs:
            data = json.dumps([values["data"], values["debug"]["limit_rows"]])
            splits = self.splits.get(data)
            if isinstance(config, BaselineConfig):
                self.runs[key] = prepare_baseline(config, splits)
            else:
                self.runs[key] = prepare_run(config, splits)
            self.splits[data] = self.runs[key].splits
        return self.runs[key]

    def clear(self) -> None:
        """Forget all runs: a new command reads its files again."""
        self.runs.clear()
        self.splits.clear()


PREPARED_RUNS = PreparedRuns()
"""The prepared runs of the command that this process executes."""

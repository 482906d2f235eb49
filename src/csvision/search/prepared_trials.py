"""Prepare the trials of a search; equal data are read once."""

import json
from pathlib import Path

from csvision.config import schema
from csvision.config.serialize import config_to_dict
from csvision.data.splits import Splits
from csvision.run.prepare import PreparedRun, prepare_run


class PreparedTrials:
    """Prepares trials with the splits of earlier ones if these have the same data."""

    def __init__(self) -> None:
        self.splits: dict[str, Splits] = {}

    def prepare(self, config: schema.TrainConfig, directory: Path | None = None) -> PreparedRun:
        """Return a prepared trial; `directory` is as for `prepare_run`.

        Raises UserError if the trial cannot work.
        """
        values = config_to_dict(config)
        key = json.dumps([values["data"], values["debug"]["limit_rows"]])
        prepared = prepare_run(config, self.splits.get(key), directory)
        self.splits[key] = prepared.splits
        return prepared

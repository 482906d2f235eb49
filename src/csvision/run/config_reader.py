"""Read many configurations that have most of their entries in common."""

import json
from dataclasses import fields, replace
from typing import Any

from csvision.config import schema
from csvision.config.baseline_schema import RunConfig
from csvision.config.serialize import config_from_dict, run_config_from_dict
from csvision.config.validate import validate

ENTRIES = {entry.name for entry in fields(schema.TrainConfig)}


class ConfigReader:
    """Reads configurations; an entry that differs from the first one is converted once per value.

    Converting a whole configuration takes 20 ms, so that of 10,000 jobs would take minutes.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.first: schema.TrainConfig | None = None
        self.entries: dict[tuple[str, str], Any] = {}

    def read(self, values: Any) -> RunConfig:
        """Return what `run_config_from_dict` returns; raises what it raises."""
        if (
            self.first is None
            or not isinstance(values, dict)
            or values.keys() != self.values.keys()
        ):
            read = run_config_from_dict(values)
            if self.first is None and values.keys() == ENTRIES:
                assert isinstance(read, schema.TrainConfig)
                self.first, self.values = read, values
            return read
        changed = {name: value for name, value in values.items() if value != self.values[name]}
        try:
            config = replace(
                self.first, **{name: self.entry(name, value) for name, value in changed.items()}
            )
            validate(config)
        except (TypeError, ValueError, KeyError, AttributeError):
            # An entry may be valid with others than those of the first configuration only.
            return config_from_dict(values)
        return config

    def entry(self, name: str, value: Any) -> Any:
        """Return an entry, such as a group, converted together with the first configuration."""
        key = name, json.dumps(value, sort_keys=True)
        if key not in self.entries:
            self.entries[key] = getattr(config_from_dict(self.values | {name: value}), name)
        return self.entries[key]

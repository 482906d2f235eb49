"""Convert a configuration to plain values for files, and back."""

import json
from dataclasses import asdict, dataclass
from typing import Any, cast

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from csvision.config import schema
from csvision.config.quoting import escape_interpolation
from csvision.config.schema_registry import GROUP_SCHEMAS
from csvision.config.validate import validate
from csvision.errors import first_line
from csvision.legacy import migrate_config


def config_to_dict(config: Any) -> dict[str, Any]:
    """Return a configuration as plain dicts, lists, strings and numbers."""
    return cast(dict[str, Any], json.loads(json.dumps(asdict(config))))


def config_from_dict(values: dict[str, Any]) -> schema.TrainConfig:
    """Return the training configuration that `config_to_dict` wrote, by this or an earlier version.

    Names in `values` select schemas; they never select code. Raises ValueError, TypeError or
    KeyError when `values` is not a training configuration.
    """
    values = migrate_config(values)
    node = OmegaConf.structured(schema.TrainConfig)
    for group, schemas in GROUP_SCHEMAS.items():
        name: Any = dict(values[group]).get("name")
        chosen = schemas[name] if len(schemas) > 1 else next(iter(schemas.values()))
        OmegaConf.update(node, group, OmegaConf.structured(chosen), merge=False)
    try:
        loaded = OmegaConf.to_object(OmegaConf.merge(node, escape_interpolation(values)))
    except OmegaConfBaseException as error:
        raise ValueError(first_line(error)) from error
    validate(loaded)
    return cast(schema.TrainConfig, loaded)


@dataclass(frozen=True)
class Difference:
    """A key that has two values; the key is empty if two plain values were compared."""

    key: str
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.key} was {self.before} and is {self.now}".lstrip()


def diff_configs(before: Any, now: Any, key: str = "") -> list[Difference]:
    """Return the differences of two configurations of plain values."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = [*before, *(name for name in now if name not in before)]
        return [
            difference
            for name in names
            for difference in diff_configs(
                before.get(name), now.get(name), f"{key}.{name}".lstrip(".")
            )
        ]
    return [] if before == now else [Difference(key, before, now)]

"""Convert a configuration to plain values for files, and back."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from csvision.config import schema
from csvision.config.baseline_schema import BaselineConfig, RunConfig
from csvision.config.quoting import escape_interpolation
from csvision.config.schema_registry import GROUP_SCHEMAS
from csvision.config.validate import validate
from csvision.errors import first_line
from csvision.legacy import migrate_config


def config_to_dict(config: Any) -> dict[str, Any]:
    """Return a configuration as plain dicts, lists, strings and numbers.

    A baseline is what `model` is to a training run, and has its name.
    """
    values = cast(dict[str, Any], json.loads(json.dumps(asdict(config))))
    if isinstance(config, BaselineConfig):
        values["model"] = values.pop("baseline")
    return values


def is_baseline(values: Any) -> bool:
    """Return whether a configuration of plain values is that of a baseline."""
    model = values.get("model") if isinstance(values, dict) else None
    name = model.get("name") if isinstance(model, dict) else None
    return isinstance(name, str) and name in GROUP_SCHEMAS["baseline"]


def run_config_from_dict(values: dict[str, Any]) -> RunConfig:
    """Return the configuration of a training run or of a baseline that `config_to_dict` wrote.

    Raises ValueError, TypeError or KeyError when `values` is neither.
    """
    if not is_baseline(values):
        return config_from_dict(values)
    renamed = {"baseline" if name == "model" else name: item for name, item in values.items()}
    return cast(BaselineConfig, load_values(BaselineConfig, renamed))


def config_from_dict(values: dict[str, Any]) -> schema.TrainConfig:
    """Return the training configuration that `config_to_dict` wrote, by this or an earlier version.

    Names in `values` select schemas; they never select code. Raises ValueError, TypeError or
    KeyError when `values` is not a training configuration.
    """
    return cast(schema.TrainConfig, load_values(schema.TrainConfig, values))


def load_values(config_type: type, values: dict[str, Any]) -> Any:
    """Return a validated dataclass with the values of a file."""
    node = OmegaConf.structured(config_type)
    groups = {entry.name for entry in fields(config_type)}
    migrated = migrate_config(values)
    # The entries that earlier versions did not have are those of training runs.
    values = {name: item for name, item in migrated.items() if name in values or name in groups}
    for group, schemas in GROUP_SCHEMAS.items():
        # The group `debug` is that of training runs.
        if group not in groups or (config_type is BaselineConfig and group == "debug"):
            continue
        name: Any = dict(values[group]).get("name")
        chosen = schemas[name] if len(schemas) > 1 else next(iter(schemas.values()))
        OmegaConf.update(node, group, OmegaConf.structured(chosen), merge=False)
    try:
        loaded = OmegaConf.to_object(OmegaConf.merge(node, escape_interpolation(values)))
    except OmegaConfBaseException as error:
        raise ValueError(first_line(error)) from error
    validate(loaded)
    return loaded


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

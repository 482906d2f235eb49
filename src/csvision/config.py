"""From conf/ and overrides to checked dataclasses and back; imports no torch."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from csvision import schema
from csvision.checks import check
from csvision.errors import ConfigError

CHOICES: dict[str, dict[str, type]] = {
    "data": {"csv": schema.Data},
    "model": {"mlp": schema.MLP, "cnn": schema.CNN, "custom": schema.Custom},
    "optimizer": {"sgd": schema.SGD, "adam": schema.Optimizer, "adamw": schema.Optimizer},
    "scheduler": {
        "none": schema.Scheduler,
        "cosine": schema.Cosine,
        "onecycle": schema.OneCycle,
        "step": schema.Step,
    },
    "accelerator": {"any": schema.Accelerator},
    "logger": {"any": schema.Logger},
    "debug": {"any": schema.Debug},
}
"""The schemas that conf/ names in its defaults lists as /csvision/GROUP/NAME."""

COMMANDS: dict[str, type] = {
    "train": schema.Train,
    "evaluate": schema.Evaluate,
    "predict": schema.Predict,
}


def conf_dir() -> Path:
    """The folder conf/: beside src/ in a checkout, inside the package when installed."""
    package = Path(__file__).parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parents[1] / "conf"


def register() -> None:
    """Make the schemas known to Hydra, in groups of their own so that none looks like a choice."""
    store = ConfigStore.instance()
    for command, node in COMMANDS.items():
        store.store(group="csvision", name=command, node=node)
    for group, nodes in CHOICES.items():
        for name, node in nodes.items():
            structured = OmegaConf.structured(node)
            if node is schema.Custom:
                # model.arguments.NAME=VALUE adds a name without Hydra's leading +.
                structured.arguments = {}
                OmegaConf.set_struct(structured.arguments, False)
            store.store(group=f"csvision/{group}", name=name, node=structured)


def compose(command: str, overrides: Sequence[str]) -> DictConfig:
    """Compose conf/COMMAND.yaml with overrides as on the command line, for use from Python.

    Raises ConfigError for a name or a type that does not fit.
    """
    register()
    # Inside another Hydra program: leave its state as it is.
    outer, job_name = GlobalHydra.instance().hydra, JobRuntime.instance().get("name")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_dir().resolve()), job_name, version_base="1.3"):
            return hydra_compose(command, overrides=list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error)) from error
    finally:
        GlobalHydra.instance().hydra = outer


def explain(error: Exception) -> str:
    """An error of Hydra's or OmegaConf's as one line: what is wrong, with which key, what to do."""
    first = str(error).partition("\n")[0]
    match error:
        case OverrideParseException():
            return f"{error.override}: cannot be read as KEY=VALUE; quote a value with signs in it"
        case MissingConfigException() if error.options:
            group, _, choice = str(error.missing_cfg_file).rpartition("/")
            return f"{group}={choice}: there is none; choose from {', '.join(error.options)}"
    if unknown := re.match(r"Could not override '(.+)'", first):
        return f"there is no key {unknown[1]}{close_to(unknown[1])}; --help lists the keys"
    reason = str(error.__cause__).partition("\n")[0] if error.__cause__ else ""
    if first.startswith("Ambiguous value"):
        return f"{first}: several values are a sweep, which needs -m, or a list, which needs [...]"
    missing = re.match(r"Error merging override (model\.stages\.\d+)\..+", first)
    if missing and "not a subclass" in reason:
        return f"there is no {missing[1]}; give another number of stages as a whole list"
    if merged := re.match(r"Error merging override (.+)", first):
        return f"{merged[1]}: {reason}"
    return ": ".join(filter(None, (first, reason)))


def close_to(name: str) -> str:
    """A hint at a key or group with nearly that name; empty without one."""
    known = [*CHOICES, *(f"{group}.{key}" for group, key in group_keys())]
    known += [entry.name for command in COMMANDS.values() for entry in fields(command)]
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"; did you mean {matches[0]}?" if matches else ""


def group_keys() -> list[tuple[str, str]]:
    """Every group with every key that one of its choices has."""
    return [
        (group, entry.name)
        for group, nodes in CHOICES.items()
        for node in nodes.values()
        for entry in fields(node)
    ]


def load(config: DictConfig) -> Any:
    """The dataclass of a composed configuration, its values checked.

    Raises ConfigError with every fault that can be seen without the data.
    """
    found = [f"there is no key {name}; --help lists the keys" for name in added_keys(config)]
    missing = sorted(OmegaConf.missing_keys(config))
    found += [f"{name} is missing: write {name}=VALUE" for name in missing]
    if found:
        raise ConfigError(found)
    loaded = OmegaConf.to_object(config)
    check(loaded)
    return loaded


def added_keys(node: DictConfig, prefix: str = "") -> Iterator[str]:
    """Keys that Hydra's +KEY=VALUE added to what the schema knows."""
    node_type = OmegaConf.get_type(node)
    if not is_dataclass(node_type):
        return
    known = {entry.name for entry in fields(node_type)}
    for name in map(str, node):
        if name not in known:
            yield f"{prefix}{name}"
        elif isinstance(node._get_node(name), DictConfig):
            yield from added_keys(node[name], f"{prefix}{name}.")


def plain(config: Any) -> dict[str, Any]:
    """A configuration as plain dicts, lists, strings and numbers, for files."""
    node = OmegaConf.structured(config)
    return cast(dict[str, Any], OmegaConf.to_container(node, resolve=True, enum_to_str=True))


def from_plain(values: dict[str, Any]) -> schema.Train:
    """The training configuration that `plain` wrote; names choose schemas, never code.

    Raises ValueError, TypeError or KeyError when the values are no such configuration.
    """
    node = OmegaConf.structured(schema.Train)
    for group, schemas in CHOICES.items():
        name = values[group].get("name")
        chosen = schemas[name] if len(schemas) > 1 else next(iter(schemas.values()))
        OmegaConf.update(node, group, OmegaConf.structured(chosen), merge=False)
    try:
        loaded = OmegaConf.to_object(OmegaConf.merge(node, values))
    except OmegaConfBaseException as error:
        raise ValueError(str(error).splitlines()[0]) from error
    check(loaded)
    return cast(schema.Train, loaded)


def quoted(value: str) -> str:
    """A string as Hydra reads it from a command line, whatever signs it has."""
    # A backslash counts only before a quote, where it must be doubled.
    escaped = re.sub(r"(\\*)('|$)", lambda run: run[1] * 2 + ("\\'" if run[2] else ""), value)
    return "'" + escaped.replace("${", "\\${") + "'"

"""From conf/ and overrides to checked dataclasses and back; imports no torch."""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from csvision import schema
from csvision.checks import check, faults
from csvision.errors import ConfigError

CHOICES: dict[str, dict[str, type]] = {
    "data": {"csv": schema.Data},
    "augmentation": {"any": schema.Augmentation},
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
    "resume": schema.Resume,
    "reproduce": schema.Reproduce,
    "inspect_data": schema.InspectData,
    "claims": schema.Claims,
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
    # Hydra itself answers GROUP=null and the index of no stage with Python's own two.
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
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
    reason = str(error.__cause__).partition("\n")[0] if error.__cause__ else ""
    if unknown := re.match(r"Could not override '(.+)'", first):
        name = unknown[1]
        inside = re.match(r"Key '(.+)' not in", reason)
        if inside and inside[1] not in name.split("."):
            name = f"{name}.{inside[1]}"
        return f"there is no key {name}{hint(name)}; --help lists the keys"
    if first.startswith("Ambiguous value"):
        return f"{first}: several values are a sweep, which needs -m, or a list, which needs [...]"
    missing = re.match(r"Error merging override (model\.stages\.\d+)\..+", first)
    if missing and "not a subclass" in reason:
        return f"there is no {missing[1]}; give another number of stages as a whole list"
    if merged := re.match(r"Error merging override (.+)", first):
        return f"{merged[1]}: {reason}"
    return ": ".join(filter(None, (getattr(error, "full_key", None), first, reason)))


def hint(name: str) -> str:
    """The choices that a key belongs to, else a key with nearly that name, else nothing."""
    stage = re.match(r"model\.stages\.(\d+\.)?", name)
    prefix = stage[0] if stage else ""
    known = keys_of_stages() if stage else keys_of_groups()
    word = name.removeprefix(prefix)
    if owners := known.pop(word, []):
        return f"; it belongs to {', '.join(owners)}"
    last = word.rpartition(".")[2]
    # A group in common makes two keys no more alike.
    alike = [key for key in known if difflib.get_close_matches(last, [key.rpartition(".")[2]])]
    matches = difflib.get_close_matches(word, alike, n=1, cutoff=0.75)
    return f"; did you mean {prefix}{matches[0]}?" if matches else ""


def keys_of_stages() -> dict[str, list[str]]:
    """Every key of a stage with the choice that it belongs to."""
    return {entry.name: ["model=cnn"] for entry in fields(schema.Stage)}


def keys_of_groups() -> dict[str, list[str]]:
    """Every key and group with the choices that it belongs to, where not all have it."""
    known: dict[str, list[str]] = {group: [] for group in CHOICES}
    known |= {entry.name: [] for command in COMMANDS.values() for entry in fields(command)}
    for group, nodes in CHOICES.items():
        for choice, node in nodes.items():
            for entry in fields(node):
                owners = known.setdefault(f"{group}.{entry.name}", [])
                owners += [f"{group}={choice}"] if len(nodes) > 1 else []
    return known


def load(config: DictConfig) -> Any:
    """The dataclass of a composed configuration, its values checked.

    Raises ConfigError with every fault that can be seen without the data.
    """
    found = [
        f"there is no key {name}{hint(name)}; --help lists the keys" for name in added_keys(config)
    ]
    try:
        missing = sorted({*OmegaConf.missing_keys(config), *deleted_keys(config)})
        found += [f"{name} is missing: write {name}=VALUE" for name in missing]
        if found:
            raise ConfigError(found)
        loaded = OmegaConf.to_object(config)
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error)) from error
    if found := [*misnamed_choices(loaded), *faults(loaded)]:
        raise ConfigError(found)
    return loaded


def misnamed_choices(config: Any) -> Iterator[str]:
    """Groups whose name was set to another choice than the one that their keys come from."""
    for group, nodes in CHOICES.items() if isinstance(config, schema.Train) else ():
        node = getattr(config, group)
        if len(nodes) > 1 and nodes[node.name] is not type(node):
            yield f"{group}.name={node.name} alone changes no {group}; write {group}={node.name}"


def deleted_keys(node: DictConfig) -> list[str]:
    """Keys that Hydra's ~KEY took away; only at the top does it let them go."""
    node_type = OmegaConf.get_type(node)
    assert is_dataclass(node_type)
    return [entry.name for entry in fields(node_type) if entry.name not in node]


def added_keys(node: DictConfig | ListConfig, prefix: str = "") -> Iterator[str]:
    """Keys that Hydra's +KEY=VALUE added to what the schema knows."""
    content = node._value()
    node_type = OmegaConf.get_type(node)
    if isinstance(content, dict) and is_dataclass(node_type):
        known = {entry.name for entry in fields(node_type)}
        children = list(content.items())
        yield from (f"{prefix}{name}" for name, _ in children if name not in known)
    elif isinstance(content, list):
        children = list(enumerate(content))
    else:
        return
    for name, child in children:
        if isinstance(child, DictConfig | ListConfig):
            yield from added_keys(child, f"{prefix}{name}.")


def plain(config: Any) -> dict[str, Any]:
    """A configuration as plain dicts, lists, strings and numbers, for files."""
    return cast(dict[str, Any], json.loads(json.dumps(asdict(config))))


def differences(before: Any, now: Any, name: str = "") -> list[str]:
    """How two plain configurations differ, a line a key."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [*before, *(key for key in now if key not in before)]
        return [
            line
            for key in keys
            for line in differences(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))
        ]
    return [] if before == now else [f"{name} was {before} and is {now}"]


def from_plain(values: dict[str, Any]) -> schema.Train:
    """The training configuration that `plain` wrote; names choose schemas, never code.

    Raises ValueError, TypeError or KeyError when the values are no such configuration.
    """
    node = OmegaConf.structured(schema.Train)
    for group, schemas in CHOICES.items():
        name: Any = dict(values[group]).get("name")
        chosen = schemas[name] if len(schemas) > 1 else next(iter(schemas.values()))
        OmegaConf.update(node, group, OmegaConf.structured(chosen), merge=False)
    try:
        loaded = OmegaConf.to_object(OmegaConf.merge(node, literal(values)))
    except OmegaConfBaseException as error:
        raise ValueError(str(error).splitlines()[0]) from error
    check(loaded)
    return cast(schema.Train, loaded)


def literal(value: Any) -> Any:
    """Plain values in which OmegaConf reads no interpolation."""
    match value:
        case str():
            # Backslashes count only before what they escape, where they must be doubled.
            return re.sub(r"(\\*)\$\{", lambda run: run[1] * 2 + "\\${", value)
        case list():
            return [literal(item) for item in value]
        case dict():
            return {name: literal(item) for name, item in value.items()}
        case _:
            return value


def quoted(value: str) -> str:
    """A string as Hydra reads it from a command line, whatever signs it has."""
    # A backslash counts only before a quote, where it must be doubled.
    escaped = re.sub(
        r"(\\*)('|$)", lambda run: run[1] * 2 + ("\\'" if run[2] else ""), literal(value)
    )
    return f"'{escaped}'"

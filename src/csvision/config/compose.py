"""Compose conf/ and overrides into a validated dataclass."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from csvision.config import launcher_schema, model_schema, schema
from csvision.config.hydra_errors import format_hydra_error, unknown_key
from csvision.config.hydra_private import child_nodes
from csvision.config.quoting import quote_paths
from csvision.config.ranges import empty_path_errors
from csvision.config.resolvers import register_resolvers
from csvision.config.schema_registry import COMMAND_SCHEMAS, GROUP_SCHEMAS
from csvision.config.validate import find_errors
from csvision.errors import ConfigError
from csvision.process_state import exclusive


def conf_dir() -> Path:
    """Return the folder conf/: next to src/ in a checkout, inside the package when installed."""
    package = Path(__file__).parents[1]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parents[1] / "conf"


def register_schemas() -> None:
    """Register resolvers and schemas with Hydra, unless they are registered already.

    The schemas are in groups of their own so that none looks like a choice.
    """
    register_resolvers()
    store = ConfigStore.instance()
    registered = store.repo.get("csvision", {})
    for command, node in COMMAND_SCHEMAS.items():
        if f"{command}.yaml" not in registered:
            store.store(
                group="csvision", name=command, node=train_node() if command == "train" else node
            )
    for group, nodes in GROUP_SCHEMAS.items():
        if group in registered:
            continue
        for name, node in nodes.items():
            structured = OmegaConf.structured(node)
            if node is model_schema.CustomModelConfig:
                open_kwargs(structured)
            if node is launcher_schema.SlurmLauncherConfig:
                structured.sbatch = {}
                OmegaConf.set_struct(structured.sbatch, False)
            store.store(group=f"csvision/{group}", name=name, node=structured)


def train_node() -> DictConfig:
    """Return the schema of conf/train.yaml."""
    node = OmegaConf.structured(schema.TrainConfig)
    for part in (node.loss, node.metric, node.transform):
        open_kwargs(part)
    return cast(DictConfig, node)


def open_kwargs(node: DictConfig) -> None:
    """Let kwargs.NAME=VALUE add a name without Hydra's leading +."""
    node.kwargs = {}
    OmegaConf.set_struct(node.kwargs, False)


def load_config(command: str, overrides: Sequence[str]) -> Any:
    """Return the validated dataclass of conf/COMMAND.yaml with overrides.

    Values of path keys are taken literally. Raises ConfigError for unknown keys, wrong types and
    values out of range.
    """
    return to_dataclass(compose_config(command, quote_paths(overrides)))


@exclusive()
def compose_config(command: str, overrides: Sequence[str]) -> DictConfig:
    """Compose conf/COMMAND.yaml with overrides as on the command line.

    Raises ConfigError for an unknown key or a wrong type.
    """
    register_schemas()
    # Inside another Hydra program, restore its state afterwards.
    outer, job_name = GlobalHydra.instance().hydra, JobRuntime.instance().get("name")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_dir().resolve()), job_name, version_base="1.3"):
            return compose(command, overrides=list(overrides))
    # Hydra raises ValueError and TypeError for GROUP=null and for a stage that does not exist.
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(format_hydra_error(error)) from error
    finally:
        GlobalHydra.instance().hydra = outer


def drop_hydra_node(config: DictConfig) -> DictConfig:
    """Return a copy of a configuration without Hydra's own part."""
    result = copy.deepcopy(config)
    with read_write(result), open_dict(result):
        del result["hydra"]
    return result


def to_dataclass(config: DictConfig) -> Any:
    """Return the dataclass of a composed configuration, its values validated.

    Raises ConfigError with every error that can be found without reading the data.
    """
    errors = [unknown_key(name) for name in added_keys(config)]
    try:
        missing = sorted({*OmegaConf.missing_keys(config), *deleted_keys(config)})
        errors += [missing_key(config, name) for name in missing]
        if errors:
            raise ConfigError(errors)
        loaded = OmegaConf.to_object(config)
    except OmegaConfBaseException as error:
        raise ConfigError(format_hydra_error(error)) from error
    if errors := [*group_name_errors(loaded), *empty_path_errors(loaded), *find_errors(loaded)]:
        raise ConfigError(errors)
    return loaded


def missing_key(config: DictConfig, name: str) -> str:
    """Say that a key has no value, and how to give it one."""
    parent, _, last = name.rpartition(".")
    if last == "name" and parent in GROUP_SCHEMAS:
        return f"{parent} is missing: write {parent}=CHOICE; --help lists the choices"
    node_type: Any = OmegaConf.get_type(OmegaConf.select(config, parent) if parent else config)
    examples = {entry.name: entry.metadata.get("example") for entry in fields(node_type)}
    return f"{name} is missing: write {name}={examples.get(last) or 'VALUE'}"


def group_name_errors(config: Any) -> Iterator[str]:
    """Yield an error for each group whose `name` is not that of the selected choice.

    An example is optimizer.name=sgd with optimizer=adam.
    """
    for group, nodes in GROUP_SCHEMAS.items():
        node, types = getattr(config, group, None), cast(Any, tuple(nodes.values()))
        # The commands on a run have other keys of the same name.
        if len(nodes) < 2 or not isinstance(node, types):
            continue
        if nodes[node.name] is not type(node):
            yield (
                f"{group}.name={node.name} does not select the keys of this choice; "
                f"write {group}={node.name}"
            )


def deleted_keys(node: DictConfig) -> list[str]:
    """Return the keys removed by Hydra's ~KEY, which it allows only at the top level."""
    node_type = OmegaConf.get_type(node)
    assert is_dataclass(node_type)
    return [entry.name for entry in fields(node_type) if entry.name not in node]


def added_keys(node: DictConfig | ListConfig, prefix: str = "") -> Iterator[str]:
    """Yield the keys that Hydra's +KEY=VALUE added and that are not in the schema."""
    children = child_nodes(node)
    node_type = OmegaConf.get_type(node)
    if isinstance(node, DictConfig):
        if not is_dataclass(node_type):
            return
        known = {entry.name for entry in fields(node_type)}
        yield from (f"{prefix}{name}" for name, _ in children if name not in known)
    for name, child in children:
        if isinstance(child, DictConfig | ListConfig):
            yield from added_keys(child, f"{prefix}{name}.")

"""The texts of `csvision --help` and `csvision COMMAND --help`."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from csvision.cli.commands import Command
from csvision.command_hints import command_line
from csvision.config.compose import compose_config, conf_dir
from csvision.config.hydra_private import hydra_argument_parser
from csvision.config.model_schema import Stage
from csvision.config.quoting import MULTIRUN, format_value, quote_override
from csvision.config.schema_registry import GROUP_SCHEMAS


def overview(commands: Sequence[tuple[str, str]]) -> str:
    """Return the help for `csvision` with its commands, given by name and description."""
    width = max(len(name) for name, _ in commands)
    return "\n".join(
        [
            "Train, sweep, inspect and understand networks on images stored as CSV.",
            "",
            "csvision COMMAND [KEY=VALUE ...]",
            "",
            "Commands:",
            *(f"    {name:<{width}}  {description}" for name, description in commands),
            "",
            "csvision COMMAND --help lists the keys of a command.",
            "csvision --version prints the version.",
        ]
    )


def command_help(command: Command, arguments: Sequence[str]) -> str:
    """Return the help for a command with the choices on its command line, except swept ones."""
    options, _ = hydra_argument_parser().parse_known_args(arguments)
    overrides = list(options.overrides)
    if set(MULTIRUN) & set(arguments):
        parsed = OverridesParser.create().parse_overrides(overrides)
        pairs = zip(overrides, parsed, strict=True)
        overrides = [word for word, override in pairs if not override.is_sweep_override()]
    if options.config_dir:
        folder = Path(options.config_dir).absolute()
        overrides.append(f"hydra.searchpath=[{quote_override(f'file://{folder}')}]")
    composed = compose_config(command.config_name, overrides)
    keys = [*key_lines(composed, "")]
    width = min(max(len(name) for name, _ in keys), 40)
    lines = [
        command.description,
        "",
        *usage_lines(command),
        *group_lines(composed),
        "",
        "Keys with their current values:",
        *(f"    {name:<{width}}  {help}" for name, help in keys),
    ]
    return "\n".join(lines)


def usage_lines(command: Command) -> Iterator[str]:
    """Yield how a command is written."""
    if command.name != "train":
        yield f"{command_line(command.name)} [KEY=VALUE ...]"
        yield "    --cfg job            print the configuration without running the command"
        return
    yield f"{command_line(command.name)} [-m] [GROUP=CHOICE ...] [KEY=VALUE ...]"
    yield "    -m                   sweep over values: -m seed=0,1,2 model=cnn,mlp"
    yield "    --cfg job            print the configuration without training"
    yield "    --config-dir FOLDER  add choices from FOLDER/GROUP/CHOICE.yaml"
    yield "    --shell-completion install=bash"
    yield "                         print a script for eval that completes groups and keys"


def group_lines(composed: DictConfig) -> Iterator[str]:
    """Yield a line for each group in conf/, for commands that have groups."""
    folders = sorted(path for path in conf_dir().iterdir() if path.is_dir())
    lines = []
    for folder in folders:
        if has_group(composed, folder.name):
            choices = sorted(file.stem for file in folder.glob("*.yaml"))
            lines.append(f"    {folder.name}={'|'.join(choices)}")
    if lines:
        yield ""
        yield "Groups and their choices (GROUP=CHOICE --help shows the keys of a choice):"
        yield from lines


def has_group(composed: DictConfig, group: str) -> bool:
    """Return whether a command has the choices of a group; experiments are those of train."""
    if group not in GROUP_SCHEMAS:
        return "optimizer" in composed
    node = composed.get(group)
    return node is not None and OmegaConf.get_type(node) in GROUP_SCHEMAS[group].values()


def key_lines(node: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield each key with its value, and its help text."""
    schema = OmegaConf.get_type(node)
    assert schema is not None
    for entry in fields(schema):
        name = f"{prefix}{entry.name}"
        if OmegaConf.is_missing(node, entry.name):
            yield f"{name}=???", describe(entry.metadata)
            continue
        value = node[entry.name]
        if isinstance(value, DictConfig) and is_dataclass(OmegaConf.get_type(value)):
            yield from key_lines(value, f"{name}.")
        elif name == "model.stages":
            yield f"{name}=[...]", describe(entry.metadata)
            yield from stage_lines(f"{name}.N.")
        else:
            yield f"{name}={format_value(value)}", describe(entry.metadata)


def stage_lines(prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the keys of a stage with their defaults."""
    for entry in fields(Stage):
        yield f"{prefix}{entry.name}={format_value(entry.default)}", describe(entry.metadata)


def describe(metadata: Any) -> str:
    """Return the help text of a key with its choices."""
    choices = metadata.get("choices")
    return f"{metadata['help']}{': ' + ', '.join(choices) if choices else ''}"

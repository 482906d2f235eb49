"""What --help says: the groups with their choices, the keys with meaning and value."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, ListConfig, OmegaConf

from csvision import config
from csvision.paths import MULTIRUN
from csvision.schema import Stage

ABOUT = {
    "train": "Train a network on images in a CSV file, test it, leave a run directory.",
    "resume": "Go on with an interrupted run or sweep.",
    "reproduce": "Run a finished run again and compare, bit by bit.",
    "inspect_data": "Tell what is in a file of images and what is wrong with it.",
    "claims": "Decide the claims of the course's notes by measurement.",
    "evaluate": "Test a finished run on its own test rows or on another file.",
    "predict": "Label the rows of a file with a finished run.",
}


def help_text(command: str, arguments: Sequence[str]) -> str:
    """The help for a command with the choices on its command line, those of a sweep left out."""
    overrides = [argument for argument in arguments if not argument.startswith("-")]
    if set(MULTIRUN) & set(arguments):
        parsed = OverridesParser.create().parse_overrides(overrides)
        pairs = zip(overrides, parsed, strict=True)
        overrides = [word for word, override in pairs if not override.is_sweep_override()]
    composed = config.compose(command, overrides)
    keys = [*key_lines(composed, "")]
    width = min(max(len(name) for name, _ in keys), 40)
    lines = [
        ABOUT[command],
        "",
        *usage_lines(command),
        *group_lines(composed),
        "",
        "Keys with the values that they have now; GROUP=CHOICE --help shows those of a choice:",
        *(f"    {name:<{width}}  {meaning}" for name, meaning in keys),
    ]
    return "\n".join(lines)


def usage_lines(command: str) -> list[str]:
    """How a command is written."""
    shown = "    --cfg job shows the configuration and does nothing"
    if command != "train":
        return [f"python scripts/{command}.py [KEY=VALUE ...]", shown]
    return [
        "python scripts/train.py [-m] [GROUP=CHOICE ...] [KEY=VALUE ...]",
        "    -m sweeps over values with commas: -m seed=0,1,2 model=cnn,mlp",
        shown,
    ]


def group_lines(composed: DictConfig) -> Iterator[str]:
    """A line for each group of conf/ that this command has."""
    groups = sorted(path for path in config.conf_dir().iterdir() if path.is_dir())
    shown = [path for path in groups if "optimizer" in composed]
    if shown:
        yield ""
        yield "Groups and their choices:"
    for path in shown:
        choices = sorted(file.stem for file in path.glob("*.yaml"))
        yield f"    {path.name}={'|'.join(choices)}"


def key_lines(node: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Each key with its value, and its meaning."""
    schema = OmegaConf.get_type(node)
    assert schema is not None
    for entry in fields(schema):
        name = f"{prefix}{entry.name}"
        if OmegaConf.is_missing(node, entry.name):
            yield f"{name}=???", meaning(entry.metadata)
            continue
        value = node[entry.name]
        if isinstance(value, DictConfig) and is_dataclass(OmegaConf.get_type(value)):
            yield from key_lines(value, f"{name}.")
        elif name == "model.stages":
            yield f"{name}=[...]", meaning(entry.metadata)
            yield from stage_lines(f"{name}.N.")
        else:
            yield f"{name}={shown(value)}", meaning(entry.metadata)


def stage_lines(prefix: str) -> Iterator[tuple[str, str]]:
    """The keys of a stage with their defaults."""
    for entry in fields(Stage):
        yield f"{prefix}{entry.name}={shown(entry.default)}", meaning(entry.metadata)


def shown(value: Any) -> str:
    """A value as it is written on the command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, ListConfig | DictConfig):
        return str(OmegaConf.to_container(value)).replace("'", "").replace(", ", ",")
    return str(value)


def meaning(metadata: Any) -> str:
    """What a key is for, with its choices."""
    choices = metadata.get("choices")
    return f"{metadata['meaning']}{': ' + ', '.join(choices) if choices else ''}"

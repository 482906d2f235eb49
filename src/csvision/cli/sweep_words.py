"""The arguments of `csvision resume` that are keys of train: other values for a sweep."""

from collections.abc import Sequence
from dataclasses import fields

from csvision.config.command_schema import ResumeConfig
from csvision.config.quoting import quote_override
from csvision.config.search_schema import ResumeSearchConfig

CODE = {"model", "loss", "metric", "transform"}

SEARCH_KEYS = {f"search.{entry.name}" for entry in fields(ResumeSearchConfig)}

CODE_KEYS = {f"{name}.path" for name in CODE}

OWN_KEYS = {entry.name for entry in fields(ResumeConfig)} - CODE | CODE_KEYS | SEARCH_KEYS


def collect_sweep_words(words: Sequence[str]) -> list[str]:
    """Return the arguments with all keys of train in a single one: sweep=[KEY=VALUE,...].

    Hydra refuses several values, as in seed=0,1,2, without its option -m.
    """
    sweep = [word for word in words if is_sweep_word(word)]
    if not sweep:
        return [*words]
    others = [word for word in words if word not in sweep]
    return [*others, f"sweep=[{','.join(map(quote_override, sweep))}]"]


def is_sweep_word(word: str) -> bool:
    """Return whether an argument is KEY=VALUE with a key of train."""
    key, equals, _ = word.lstrip("+").partition("=")
    if not equals or not key or word.startswith(("-", "~")):
        return False
    return key not in OWN_KEYS and not key.startswith("hydra")

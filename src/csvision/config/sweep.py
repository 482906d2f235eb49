"""The jobs of a sweep, expanded from its command line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from csvision.config.hydra_private import split_sweep


def expand_sweep(
    overrides: Sequence[str], params: Mapping[str, Any] | None = None
) -> Iterator[list[str]]:
    """Yield the overrides of each job; `params` are the values of hydra.sweeper.params.

    Raises Hydra's OverrideParseException for an argument that is not KEY=VALUE.
    """
    arguments = [f"{key}={value}" for key, value in (params or {}).items()]
    parsed = OverridesParser.create().parse_overrides([*arguments, *overrides])
    for job in split_sweep(parsed):
        yield list(job)

"""The jobs that a sweep's command line stands for, as Hydra's own sweeper forms them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
"""Of other sweepers no one knows the jobs before they are done."""


def job_overrides(
    overrides: Sequence[str], params: Mapping[str, Any] | None = None
) -> Iterator[list[str]]:
    """The overrides of each job; `params` are those that a configuration file sweeps over.

    Raises Hydra's OverrideParseException for what is no KEY=VALUE.
    """
    # Not at the top: importing it loads all of Hydra's sweeping.
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    arguments = [f"{key}={value}" for key, value in (params or {}).items()]
    parsed = OverridesParser.create().parse_overrides([*arguments, *overrides])
    for batch in BasicSweeper.split_arguments(parsed, None):
        yield from batch

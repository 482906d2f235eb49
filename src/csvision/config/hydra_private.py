"""Private APIs of Hydra and OmegaConf; no other module uses private APIs of these packages.

tests/config/test_hydra_private.py fails when one of them changes.
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, ListConfig

BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
"""The `_target_` of Hydra's default sweeper, whose jobs are known before the sweep starts."""


def hydra_argument_parser() -> argparse.ArgumentParser:
    """Return the parser of Hydra's own command line options."""
    from hydra._internal.utils import get_args_parser

    parser: argparse.ArgumentParser = get_args_parser()
    return parser


def split_sweep(overrides: list[Override]) -> Iterator[Sequence[str]]:
    """Yield the overrides of each job of a sweep, in the order of Hydra's default sweeper."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    for batch in BasicSweeper.split_arguments(overrides, None):
        yield from batch


def child_nodes(node: DictConfig | ListConfig) -> list[tuple[Any, Any]]:
    """Return keys and raw nodes of a container; interpolations and missing values unresolved."""
    content = node._value()
    if isinstance(content, dict):
        return list(content.items())
    if isinstance(content, list):
        return list(enumerate(content))
    return []

"""The frame of every entry point: arguments, Hydra, and the exit code."""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from csvision import config
from csvision.command_line.help import help_text
from csvision.errors import UserError
from csvision.paths import MULTIRUN, quote_paths

MODES = ("run", "multirun", "cfg", "info", "shell_completion")
"""Hydra's options that say what to do, of which it takes one."""


def run_command(command: str, task: Callable[[Any], Any]) -> None:
    """Compose conf/COMMAND.yaml with the command line and hand it to `task`.

    What a user can do wrong ends in a line each on stderr and exit code 2; Ctrl-C in 130.
    """
    config.register()
    # Hydra then raises its errors instead of printing them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # Hydra's parser takes overrides before or behind an option, not both.
    sys.argv[1:] = sorted(quote_paths(sys.argv[1:]), key=lambda word: word not in MULTIRUN)
    try:
        refuse_options(sys.argv[1:])
        if {"--help", "-h"} & set(sys.argv):
            print(help_text(command, sys.argv[1:]))
            return
        start(command, task)
    except UserError as error:
        end(error.faults)
    except (HydraException, OmegaConfBaseException) as error:
        end([config.explain(error)])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None


def start(command: str, task: Callable[[Any], Any]) -> None:
    """Let Hydra compose and call the task."""
    composing = True

    @functools.wraps(task)
    def reporting(composed: DictConfig) -> Any:
        nonlocal composing
        composing = False
        try:
            return task(composed)
        except UserError as error:
            # Hydra would print lines of its own about an error that passes through it.
            end(error.faults)

    try:
        hydra.main(str(config.conf_dir().resolve()), command, version_base="1.3")(reporting)()
    except (ValueError, TypeError, OSError) as error:
        # So Hydra answers GROUP=null and a folder that it cannot make; the task's own errors are
        # faults and keep their traceback.
        if not composing or isinstance(error, UserError):
            raise
        end([config.explain(error)])


def refuse_options(arguments: list[str]) -> None:
    """Raise UserError for options that are none, exclude each other or execute a file."""
    known, unknown = get_args_parser().parse_known_args(arguments)
    if unknown and not unknown[0].startswith("-"):
        raise UserError(f"{unknown[0]}: an option parts it from other KEY=VALUE; write it last")
    if unknown:
        raise UserError(f"there is no option {unknown[0]}; --help lists what there is")
    modes = [f"--{name}" for name in MODES if getattr(known, name)]
    if len(modes) > 1:
        raise UserError(f"{' and '.join(modes)} exclude each other")
    if known.experimental_rerun is not None:
        raise UserError("--experimental-rerun would execute a pickle; give the overrides instead")
    for override in known.overrides:
        if override.startswith("="):
            raise UserError(f"{override}: there is no key before the =")


def end(faults: list[str]) -> NoReturn:
    """Print what is wrong and leave with exit code 2."""
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    raise SystemExit(2)

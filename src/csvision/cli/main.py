"""The entry point: choose the command, let Hydra compose its configuration, set the exit code."""

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, NoReturn

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from csvision.cli.commands import Command, command_names, find_command, list_commands
from csvision.cli.completion import complete_command, is_completion_query
from csvision.cli.console import use_safe_console
from csvision.cli.environment import check_environment, limit_error, remove_library_variables
from csvision.cli.help import command_help, overview
from csvision.cli.sweep_session import sweep_session
from csvision.cli.sweep_words import collect_sweep_words
from csvision.cli.sweep_worker import run_in_worker
from csvision.config.compose import conf_dir, register_schemas, to_dataclass
from csvision.config.hydra_errors import format_hydra_error
from csvision.config.hydra_private import hydra_argument_parser
from csvision.config.quoting import MULTIRUN, quote_paths
from csvision.errors import DivergedError, UserError
from csvision.garbage_collection import short_process
from csvision.run.launch_environment import is_other_rank
from csvision.run.processor_load import start_load_measurement
from csvision.signals import ReportedInterrupt
from csvision.wording import did_you_mean

MODES = ("run", "multirun", "cfg", "info", "shell_completion")
"""Hydra's options of which only one can be used."""


NO_DIRECTORY = ("hydra.run.dir=.", "hydra.output_subdir=null")


def run_process(arguments: Sequence[str] | None = None) -> None:
    """Run main() as the only work of this process."""
    start_load_measurement()
    with short_process():
        main(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `csvision ARGUMENTS` (default: those of this process).

    User errors end with one line each on stderr and exit code 2, a diverged run with 1, Ctrl-C
    with 130. Other exceptions keep their traceback.
    """
    remove_library_variables()
    with use_safe_console():
        dispatch(list(sys.argv[1:] if arguments is None else arguments))


def dispatch(words: list[str]) -> None:
    """Run the command named by the first word, or print help."""
    names = command_names()
    if is_completion_query(words):
        words = complete_command(names, words)
    if not words or words[0] in ("--help", "-h"):
        print(overview(list_commands()))
    elif words[0] == "--version":
        print(f"csvision {version('csvision')}")
    elif words[0] not in names:
        exit_with_errors([unknown_command(words[0], names)])
    else:
        try:
            check_environment()
            run_command(find_command(words[0]), words[1:])
        except UserError as error:
            exit_with_errors(error.messages)
        except Exception as error:
            if message := limit_error(error):
                exit_with_errors([message])
            raise


def unknown_command(word: str, names: Sequence[str]) -> str:
    """Say that a command does not exist, and which one is probably meant."""
    hint = did_you_mean(word.replace("_", "-"), names) or f"choose from {', '.join(names)}"
    return f"{word}: unknown command; {hint}"


def run_command(command: Command, arguments: Sequence[str]) -> None:
    """Compose the configuration of a command and run it."""
    command.register()
    register_schemas()
    # Let Hydra raise its errors instead of printing them.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        # Hydra accepts overrides before or after its options, not both.
        words = sorted(quote_paths(arguments), key=lambda word: word not in MULTIRUN)
        if command.name == "resume":
            words = collect_sweep_words(words)
        validate_hydra_flags(words)
        if {"--help", "-h"} & set(words):
            print(command_help(command, words))
            return
        if is_other_rank():
            # Next to the other overrides; Hydra would create a directory in each process.
            first = next((n for n, word in enumerate(words) if "=" in word.lstrip("-")), len(words))
            words[first:first] = NO_DIRECTORY
        run_hydra(command, words)
    except UserError as error:
        exit_with_errors(error.messages)
    except (HydraException, OmegaConfBaseException) as error:
        exit_with_errors([format_hydra_error(error)])
    except KeyboardInterrupt as interrupt:
        if not isinstance(interrupt, ReportedInterrupt):
            print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None


def run_hydra(command: Command, arguments: Sequence[str]) -> None:
    """Let Hydra compose the configuration and call the command."""
    composing = True
    original = list(sys.argv)
    main_pid = os.getpid()

    # Hydra derives the name of the job from the task function.
    @functools.wraps(command.run)
    def task(composed: DictConfig) -> Any:
        nonlocal composing
        composing = False
        # Lightning starts the other processes of a distributed run by this command line.
        with replace_argv(original), run_in_worker(main_pid):
            return run_task(command, composed)

    app: Callable[[], Any] = hydra.main(
        str(conf_dir().resolve()), command.config_name, version_base="1.3"
    )(task)
    try:
        with replace_argv([original[0], *arguments]), sweep_session():
            app()
    except (ValueError, TypeError, OSError) as error:
        # Hydra raises these for GROUP=null and for a folder that it cannot create.
        if not composing or isinstance(error, UserError):
            raise
        if isinstance(error, OSError) and error.strerror:
            if error.filename is None:
                raise
            exit_with_errors(
                [
                    f"{error.filename}: cannot create this folder for the run: {error.strerror}; "
                    "choose another output_dir"
                ]
            )
        exit_with_errors([format_hydra_error(error)])


def run_task(command: Command, composed: DictConfig) -> Any:
    """Run a command; exit here on errors to which Hydra would add its own lines."""
    try:
        return command.run(to_dataclass(composed))
    except UserError as error:
        exit_with_errors(error.messages)
    except DivergedError as error:
        exit_with_errors([str(error)], code=1)


@contextmanager
def replace_argv(words: Sequence[str]) -> Iterator[None]:
    """Replace sys.argv, from which Hydra reads its arguments."""
    before, sys.argv = sys.argv, list(words)
    try:
        yield
    finally:
        sys.argv = before


def validate_hydra_flags(arguments: Sequence[str]) -> None:
    """Raise UserError for options that do not exist, exclude each other or execute a file."""
    known, unknown = hydra_argument_parser().parse_known_args(arguments)
    if unknown and not unknown[0].startswith("-"):
        raise UserError(f"{unknown[0]}: put options after all KEY=VALUE arguments")
    if unknown:
        raise UserError(
            f"{unknown[0]}: unknown option; write keys without dashes (KEY=VALUE); --help lists all"
        )
    modes = [f"--{name}" for name in MODES if getattr(known, name)]
    if len(modes) > 1:
        raise UserError(f"{' and '.join(modes)} exclude each other; use one of them")
    if known.experimental_rerun is not None:
        raise UserError("--experimental-rerun would execute a pickle file; give overrides instead")
    for override in known.overrides:
        if override.startswith("="):
            raise UserError(f"{override}: the key is missing; write KEY=VALUE")


def exit_with_errors(messages: Sequence[str], code: int = 2) -> NoReturn:
    """Print messages to stderr and end the process."""
    for message in messages:
        print(f"error: {message}", file=sys.stderr)
    raise SystemExit(code)

"""Searches and the learning-rate range test as Python functions."""

from pathlib import Path
from typing import TYPE_CHECKING

from csvision.arguments import resolve_config
from csvision.config.lr_find_schema import LRFindConfig, range_test_errors
from csvision.errors import ConfigError
from csvision.process_state import exclusive
from csvision.run.code_paths import CodePaths
from csvision.run.find_lr import LRFindResult
from csvision.run.find_lr import find_lr as run_range_test
from csvision.run.log import log_to_console
from csvision.run.prepare import prepare_run
from csvision.run.sweep_folder import default_sweep_dir
from csvision.search.installed import check_optuna

if TYPE_CHECKING:
    from csvision.search.report import SearchReport


@exclusive()
def run_search(*overrides: str, directory: str | Path | None = None) -> "SearchReport":
    """Search hyperparameters as `csvision train -m search=optuna OVERRIDES` does.

    At least one key has several values, as in "model=mlp,cnn" or "optimizer.lr=interval(1e-4,0.1)".
    `directory` is that of a new search (default: a new one in output_dir). Raises UserError for
    what the command refuses, and WorkerError if a worker process ends before the search.
    """
    check_optuna()
    from csvision.comparison.page import refresh_page
    from csvision.search.create import create_search, define_search, parse_words
    from csvision.search.run_search import run_search as run

    settings, parsed, output_dir = parse_words(overrides)
    definition, paths = define_search(settings, parsed)
    folder = default_sweep_dir(output_dir) if directory is None else Path(directory)
    create_search(folder.absolute(), definition)
    report = run(folder.absolute(), paths, refresh=refresh_page)
    refresh_page(folder, final=True)
    return report


@exclusive()
def search_report(search: str | Path) -> "SearchReport":
    """Return what a search, finished or running, has found; raises RunError for other folders.

    The report has the trials with states, values and parameters, the best one, and the importance
    of each key.
    """
    check_optuna()
    from csvision.search.report import search_report as report

    return report(search)


@exclusive()
def find_lr(*overrides: str | LRFindConfig) -> LRFindResult:
    """Find a learning rate as `csvision lr-find OVERRIDES` does.

    Takes overrides such as "model=cnn", or a single LRFindConfig instead. Raises UserError for what
    the command refuses.
    """
    config: LRFindConfig = resolve_config("lr_find", overrides)
    if errors := list(range_test_errors(config.lr_find)):
        raise ConfigError(errors)
    with log_to_console(config.quiet):
        return run_range_test(config, prepare_run(config))


def resume_search(folder: Path, paths: CodePaths) -> bool:
    """Run the trials that a search lacks; return whether a trial has finished."""
    check_optuna()
    from csvision.comparison.page import refresh_page
    from csvision.search.definition import UserPaths
    from csvision.search.run_search import run_search as run

    report = run(folder, UserPaths(paths), refresh=refresh_page)
    refresh_page(folder, final=True)
    return report.best is not None

"""Start or resume a search for hyperparameters on the command line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from csvision.cli.sweep_session import SESSION
from csvision.command_hints import resume_command
from csvision.config import command_schema
from csvision.errors import RunError
from csvision.search.installed import check_optuna

if TYPE_CHECKING:
    from csvision.search.definition import UserPaths


def start_search(config: DictConfig) -> None:
    """Run the search that Hydra has composed; exit with code 1 if no trial finishes."""
    check_optuna()
    from csvision.search.create import create_search, define_search, read_settings

    hydra = config.hydra
    words = [f"{key}={value}" for key, value in (hydra.sweeper.params or {}).items()]
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    definition, paths = define_search(
        read_settings(config),
        parser.parse_overrides([*words, *hydra.overrides.task]),
        hydra.job.config_name,
        [
            source.path
            for source in hydra.runtime.config_sources
            if source.schema == "file" and source.provider != "main"
        ],
    )
    folder = Path(hydra.sweep.dir).absolute()
    create_search(folder, definition)
    run(folder, paths)


def resume_search(config: command_schema.ResumeConfig) -> None:
    """Run the trials that a search lacks, beside other processes that may do the same."""
    check_optuna()
    if config.sweep:
        raise RunError(
            f"{config.sweep[0]}: run={config.run} is a search, whose keys are fixed; only "
            "search.n_trials and search.n_jobs can change"
        )
    from csvision.run.code_paths import CodePaths
    from csvision.search.definition import UserPaths
    from csvision.search.run_search import extend_search

    folder = Path(config.run)
    if config.search.n_trials is not None:
        extend_search(folder, config.search.n_trials)
    code = CodePaths(config.model.path, config.loss.path, config.metric.path, config.transform.path)
    run(folder, UserPaths(code), config.search.n_jobs)


def run(folder: Path, paths: "UserPaths", n_jobs: int | None = None) -> None:
    """Run trials; if they are interrupted, one line says how to resume the search."""
    from csvision.comparison.page import refresh_page
    from csvision.search.run_search import WorkerError, run_search

    SESSION.code = paths.code
    SESSION.run_here(folder)
    try:
        report = run_search(folder, paths, n_jobs, refresh_page)
        refresh_page(folder, final=True)
    except WorkerError as error:
        resume = resume_command(folder, paths.code.words())
        print(f"error: {error}; to resume the search: {resume}", file=sys.stderr)
        raise SystemExit(1) from error
    SESSION.finish()
    if report.best is None:
        raise SystemExit(1)

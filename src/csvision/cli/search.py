"""Start or resume a search for hyperparameters on the command line."""

import sys
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from csvision.cli.sweep_session import SESSION
from csvision.command_hints import resume_command
from csvision.config import command_schema
from csvision.search.installed import check_optuna


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
    run(folder, paths.model_path, paths.cache)


def resume_search(config: command_schema.ResumeConfig) -> None:
    """Run the trials that a search lacks, beside other processes that may do the same."""
    check_optuna()
    from csvision.search.run_search import extend_search

    folder = Path(config.run)
    if config.search.n_trials is not None:
        extend_search(folder, config.search.n_trials)
    run(folder, config.model.path, None, config.search.n_jobs)


def run(folder: Path, model_path: str | None, cache: str | None, n_jobs: int | None = None) -> None:
    """Run trials; if they are interrupted, one line says how to resume the search."""
    from csvision.search.definition import UserPaths
    from csvision.search.run_search import WorkerError, run_search

    SESSION.model_path = model_path
    SESSION.run_here(folder)
    try:
        report = run_search(folder, UserPaths(model_path, cache), n_jobs)
    except WorkerError as error:
        resume = resume_command(folder, model_path)
        print(f"error: {error}; to resume the search: {resume}", file=sys.stderr)
        raise SystemExit(1) from error
    SESSION.finish()
    if report.best is None:
        raise SystemExit(1)

"""The configuration of a search for hyperparameters: types, help texts and ranges of its keys."""

from dataclasses import dataclass
from enum import StrEnum

from csvision.config.limits import MAX_EPOCHS, MAX_JOBS, MAX_SEED, MAX_THREADS
from csvision.config.option import option

SEARCH_SWEEPER = "hydra_plugins.csvision_search.SearchSweeper"
"""The `_target_` of the sweeper in conf/search/optuna.yaml."""


class SearchName(StrEnum):
    """Choices of `search=`."""

    none = "none"
    optuna = "optuna"


@dataclass
class SearchConfig:
    """Keys of every search; `none` has no others."""

    name: SearchName = option("search for the best values of swept keys: optuna or none")


class PrunerName(StrEnum):
    """Choices of `search.pruner`."""

    none = "none"
    median = "median"
    hyperband = "hyperband"


@dataclass
class OptunaConfig(SearchConfig):
    """A search by Optuna's TPE sampler."""

    n_trials: int = option(
        "number of trials in total, pruned and failed ones included", ge=1, le=MAX_JOBS
    )
    n_jobs: int = option(
        "worker processes; if there are several, each has one thread", ge=1, le=MAX_THREADS
    )
    seed: int = option("seed of the sampler", ge=0, le=MAX_SEED)
    pruner: PrunerName = option("rule by which bad trials are stopped early")
    n_startup_trials: int = option("random trials before TPE chooses", ge=0, le=MAX_JOBS)
    n_warmup_epochs: int = option(
        "epochs after which a trial can be pruned at the earliest", ge=1, le=MAX_EPOCHS
    )


@dataclass
class ResumeSearchConfig:
    """Changes of a resumed search."""

    n_trials: int | None = option(
        "the new total number of trials of a search; null: unchanged", ge=1, le=MAX_JOBS
    )
    n_jobs: int | None = option(
        "worker processes of a search; null: unchanged", ge=1, le=MAX_THREADS
    )

"""The sweeper that Hydra calls for `csvision train -m search=optuna`."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SearchSweeper(Sweeper):
    """Starts the search of csvision; takes the keys of Hydra's default sweeper."""

    def __init__(self, max_batch_size: int | None = None, params: Any = None) -> None: ...

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep the configuration of the command."""
        self.config = config

    def sweep(self, arguments: list[str]) -> None:
        """Run the search; Hydra has written nothing before."""
        from csvision.cli.search import start_search

        assert self.config is not None
        start_search(self.config)

"""The Hydra callback of `csvision train`: prepare all runs first, summarize a sweep at the end."""

import copy
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict, read_write

from csvision.cli.environment import limit_error
from csvision.config.compose import compose_config, to_dataclass
from csvision.config.hydra_private import BASIC_SWEEPER
from csvision.config.sweep import expand_sweep
from csvision.errors import UserError


class TrainCallback(Callback):
    """Prepares every run before a directory is created; prints the table of a sweep.

    Hydra turns exceptions of callbacks into warnings, so errors end the process by SystemExit.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Prepare a single run."""
        prepare_all([drop_hydra_node(config)])

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Prepare every job of a sweep."""
        prepare_all(sweep_configs(config), sweep=True)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the table of a sweep, write sweep.csv, and fail if a job failed."""
        from csvision.run.sweep_table import summarize_sweep

        if not summarize_sweep(Path(config.hydra.sweep.dir)):
            raise SystemExit(1)


def drop_hydra_node(config: DictConfig) -> DictConfig:
    """Return a copy of a configuration without Hydra's own part."""
    result = copy.deepcopy(config)
    with read_write(result), open_dict(result):
        del result["hydra"]
    return result


def sweep_configs(config: DictConfig) -> Iterator[DictConfig]:
    """Yield the configuration of each job, unless the sweeper chooses the jobs while it runs."""
    sweeper = config.hydra.sweeper
    if sweeper._target_ == BASIC_SWEEPER:
        for job in expand_sweep(config.hydra.overrides.task, sweeper.params):
            yield compose_config(config.hydra.job.config_name, job)


def prepare_all(configs: Iterable[DictConfig], sweep: bool = False) -> None:
    """Prepare runs; print the errors of all of them, each once, and exit with code 2."""
    from csvision.cli.prepared_runs import PREPARED_RUNS

    PREPARED_RUNS.clear()
    messages: dict[str, None] = {}
    try:
        for composed in configs:
            try:
                config = to_dataclass(composed)
                if sweep and config.accelerator.devices > 1:
                    raise UserError(
                        f"accelerator.devices={config.accelerator.devices}: each job of a sweep "
                        "uses one device; write accelerator.devices=1"
                    )
                PREPARED_RUNS.get_or_prepare(config)
            except UserError as error:
                messages |= dict.fromkeys(error.messages)
    except UserError as error:
        messages |= dict.fromkeys(error.messages)
    except Exception as error:
        if message := limit_error(error):
            messages[message] = None
        else:
            traceback.print_exc()
            raise SystemExit(1) from None
    if messages:
        for message in messages:
            print(f"error: {message}", file=sys.stderr)
        raise SystemExit(2)

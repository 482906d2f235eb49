"""What Hydra calls around training: a check of everything before, the table of a sweep after."""

import copy
import os
import sys
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict, read_write

from csvision import config, schema
from csvision.checks import check
from csvision.errors import ConfigError, UserError
from csvision.multirun import BASIC_SWEEPER, job_overrides


class TrainCallback(Callback):
    """Refuses what cannot work before a directory is made, and sums a sweep up.

    Hydra turns an ordinary exception of a callback into a warning, so it leaves by SystemExit.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the one configuration."""
        refuse([without_hydra(config)])

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check every point of the sweep before the first job trains."""
        refuse(points(config), sweep=True)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the table, write it to sweep.csv, and fail if a job did."""
        from csvision.run.sweep import sum_up

        if not sum_up(Path(config.hydra.sweep.dir)):
            raise SystemExit(1)


def without_hydra(composed: DictConfig) -> DictConfig:
    """A copy of the configuration without Hydra's own part."""
    result = copy.deepcopy(composed)
    with read_write(result), open_dict(result):
        del result["hydra"]
    return result


def points(composed: DictConfig) -> Iterator[DictConfig]:
    """The configuration of each job of a sweep; of no job for a sweeper that decides as it goes."""
    sweeper = composed.hydra.sweeper
    if sweeper._target_ == BASIC_SWEEPER:
        for job in job_overrides(composed.hydra.overrides.task, sweeper.params):
            yield config.compose(composed.hydra.job.config_name, job)


def refuse(configurations: Iterable[DictConfig], sweep: bool = False) -> None:
    """End with exit code 2, telling every fault once, if one of the configurations cannot work."""
    faults: dict[str, None] = {}
    try:
        for composed in configurations:
            try:
                settings = config.load(composed)
                if sweep and settings.accelerator.devices > 1:
                    raise UserError("accelerator.devices: a sweep trains each job on one device")
                check_with_data(settings)
            except UserError as error:
                faults |= dict.fromkeys(error.faults)
    except UserError as error:
        faults |= dict.fromkeys(error.faults)
    except Exception:
        traceback.print_exc()
        raise SystemExit(1) from None
    if faults:
        for fault in faults:
            print(f"error: {fault}", file=sys.stderr)
        raise SystemExit(2)


def check_with_data(settings: schema.Train) -> None:
    """Raise UserError when data, network, machine and the place of the run do not go together."""
    from csvision.arrangement import arranged_shape
    from csvision.data.split import read_parts

    require_writable(settings.outputs)
    parts = read_parts(settings.data, settings.debug.rows)
    table = parts.train.table
    shape = arranged_shape(table.image_shape, settings.data)
    check(settings, shape, len(table.classes))
    parts.require_rows(settings.accelerator.devices)
    if isinstance(settings.model, schema.Custom):
        from csvision.models.build import build_network

        build_network(settings.model, shape, len(table.classes), settings.seed)
    accelerator = settings.accelerator
    if accelerator.name is not schema.AcceleratorName.cpu and accelerator.name != "auto":
        from csvision.run import device

        device.require(accelerator.name, accelerator.devices)


def require_writable(outputs: str) -> None:
    """Raise ConfigError when no directory can be made below `outputs`."""
    path = Path(outputs).absolute()
    try:
        nearest = next(place for place in (path, *path.parents) if place.exists())
    except OSError as error:
        raise ConfigError(f"outputs={outputs}: {error.strerror}; name another folder") from error
    if not nearest.is_dir():
        raise ConfigError(f"outputs={outputs}: {nearest} is no folder; name another")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"outputs={outputs}: {nearest} cannot be written to; name another folder")

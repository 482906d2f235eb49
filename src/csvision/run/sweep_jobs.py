"""Read the jobs of a sweep from the file that Hydra wrote into its folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from csvision.config import schema
from csvision.config.compose import load_config
from csvision.config.hydra_private import BASIC_SWEEPER
from csvision.config.sweep import expand_sweep
from csvision.errors import RunError, first_line
from csvision.legacy import migrate_override
from csvision.models.custom import split_model_path
from csvision.run.directory import (
    SWEEP_FILE,
    RunDirectory,
    with_absolute_paths,
    with_default_cache,
    with_model_path,
)


@dataclass(frozen=True)
class SweepJob:
    """A job of a sweep; its run directory may not exist yet."""

    directory: Path
    overrides: list[str]
    config: schema.TrainConfig

    @property
    def finished(self) -> bool:
        """Whether the job has finished."""
        if not self.started:
            return False
        return RunDirectory(self.directory).read_manifest().get("state") == "finished"

    @property
    def started(self) -> bool:
        """Whether the job has a run directory that can be resumed."""
        return RunDirectory(self.directory).manifest.exists()


def read_sweep(folder: Path, model_path: str | None) -> list[SweepJob]:
    """Return the jobs of a sweep in the order of its command line.

    Raises RunError if the sweep's file is damaged or its jobs are not known in advance.
    """
    if model_path is not None:
        split_model_path(model_path)
    file = folder / SWEEP_FILE
    try:
        content: Any = OmegaConf.to_container(OmegaConf.load(file))
        hydra = content["hydra"]
        if hydra["sweeper"]["_target_"] != BASIC_SWEEPER:
            raise RunError(f"{file}: only sweeps of Hydra's default sweeper can be resumed")
        cwd = Path(hydra["runtime"]["cwd"])
        overrides = map(migrate_override, hydra["overrides"]["task"])
        jobs = [*expand_sweep([*overrides], hydra["sweeper"]["params"])]
    except (OmegaConfBaseException, HydraException, YAMLError, KeyError, TypeError) as error:
        raise RunError(f"{file} is damaged: {first_line(error)}") from error
    return [sweep_job(folder, cwd, number, job, model_path) for number, job in enumerate(jobs)]


def sweep_job(
    folder: Path, cwd: Path, number: int, overrides: list[str], model_path: str | None
) -> SweepJob:
    """Return a job of a sweep that was started in the folder `cwd`."""
    config: schema.TrainConfig = load_config("train", overrides)
    config = with_default_cache(with_absolute_paths(config, cwd))
    config = with_model_path(config, RunDirectory(folder), model_path)
    # The name that conf/train.yaml gives the folder.
    name = f"{number}_{config.model.name}_seed{config.seed}"
    return SweepJob(folder / name, overrides, config)

"""Interrupted runs and sweeps taken up again, from what their directories say."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from csvision import config, schema
from csvision.data.split import Parts, read_parts
from csvision.errors import RunError
from csvision.models.build import import_network
from csvision.multirun import BASIC_SWEEPER, job_overrides
from csvision.run import provenance
from csvision.run.directory import (
    SWEEP_FILE,
    RunDirectory,
    with_absolute_paths,
)
from csvision.run.log import log
from csvision.run.recorded_config import read_config, with_code, without_folders


@dataclass(frozen=True)
class Job:
    """A job of a sweep: its folder, which may not be there yet, and its overrides."""

    folder: Path
    overrides: list[str]
    settings: schema.Train

    @property
    def run(self) -> RunDirectory:
        """The job's run."""
        return RunDirectory(self.folder)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.begun and self.run.read_manifest().get("state") == "finished"

    @property
    def begun(self) -> bool:
        """Whether there is something to go on with."""
        return self.run.manifest.exists()


def settings_of(run: RunDirectory, model_path: str | None) -> schema.Train:
    """A run's own configuration, on the accelerator and with the threads that it had.

    A run of model=custom needs its code named again. Raises RunError for what is damaged or
    missing, ConfigError for code that is not there.
    """
    require_code(model_path)
    settings = with_code(read_config(run), run, model_path)
    manifest = run.read_manifest()
    accelerator = settings.accelerator
    if kind := manifest.get("accelerator"):
        names = {"cuda": schema.AcceleratorName.gpu, "mps": schema.AcceleratorName.mps}
        accelerator = replace(accelerator, name=names.get(kind, schema.AcceleratorName.cpu))
    threads = manifest.get("threads")
    if isinstance(threads, int) and threads > 0:
        accelerator = replace(accelerator, threads=threads)
    return replace(settings, accelerator=accelerator)


def require_code(model_path: str | None) -> None:
    """Raise ConfigError when the command line names code that is not there."""
    if model_path is not None:
        import_network(model_path)


def parts_of(run: RunDirectory, settings: schema.Train) -> Parts:
    """The rows of a run; raises RunError when its files are not what they were."""
    parts = read_parts(settings.data, settings.debug.rows)
    recorded = run.read_manifest().get("data", {})
    now = provenance.data_hashes(parts)
    if any(recorded.get(name, value) != value for name, value in now.items()):
        raise RunError(f"run={run.path}: its data have changed since ({settings.data.csv})")
    return parts


def tell_changes(run: RunDirectory, settings: schema.Train) -> None:
    """Warn of code and versions that are not those that a run began with: its weights may be
    others than without the interruption."""
    manifest = run.read_manifest()
    for name, now in (
        ("code", provenance.code_hashes(settings.model)),
        ("versions", provenance.versions()),
    ):
        for change in config.differences(manifest.get(name, now), now):
            log.warning("%s: %s", name, provenance.shortened(change))


def is_sweep(folder: Path) -> bool:
    """Whether a folder holds a sweep."""
    return (folder / SWEEP_FILE).is_file()


def read_sweep(folder: Path, model_path: str | None) -> list[Job]:
    """The jobs of a sweep in their order, as its command line gave them.

    Raises RunError when the sweep's file is damaged or no list of jobs.
    """
    require_code(model_path)
    file = folder / SWEEP_FILE
    try:
        content: Any = OmegaConf.to_container(OmegaConf.load(file))
        hydra = content["hydra"]
        if hydra["sweeper"]["_target_"] != BASIC_SWEEPER:
            raise RunError(f"{file}: only a sweep of Hydra's own sweeper can go on")
        home = Path(hydra["runtime"]["cwd"])
        jobs = [*job_overrides(hydra["overrides"]["task"], hydra["sweeper"]["params"])]
    except (OmegaConfBaseException, HydraException, YAMLError, KeyError, TypeError) as error:
        raise RunError(f"{file} is damaged: {str(error).partition(chr(10))[0]}") from error
    return [job_of(folder, home, number, job, model_path) for number, job in enumerate(jobs)]


def job_of(
    folder: Path, home: Path, number: int, overrides: list[str], model_path: str | None
) -> Job:
    """A job of a sweep that was started in the folder `home`."""
    settings: schema.Train = config.load(config.compose("train", overrides))
    settings = without_folders(with_absolute_paths(settings, home))
    settings = with_code(settings, RunDirectory(folder), model_path)
    # As conf/train.yaml forms it for Hydra.
    name = f"{number}_{settings.model.name}_seed{settings.seed}"
    return Job(folder / name, overrides, settings)

"""Read the jobs of a sweep: from sweep.json, or for an older sweep from the file of Hydra."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from csvision.config import schema
from csvision.config.baseline_schema import RunConfig
from csvision.config.compose import load_config
from csvision.config.hydra_private import BASIC_SWEEPER
from csvision.config.resolvers import JOB_NAME, job_name, swept_keys
from csvision.config.sweep import expand_sweep
from csvision.errors import RunError, UserError, first_line
from csvision.legacy import migrate_override
from csvision.run.code_paths import CodePaths, paths_of, with_code_paths
from csvision.run.directory import RunDirectory, with_absolute_paths, with_default_cache
from csvision.run.sweep_folder import SWEEP_FILE, is_sweep
from csvision.run.sweep_record import has_record, read_record


@dataclass(frozen=True)
class SweepJob:
    """A job of a sweep; its run directory may not exist yet."""

    directory: Path
    overrides: list[str]
    config: RunConfig

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


@contextmanager
def lock_sweep(folder: Path) -> Iterator[None]:
    """Exclude other processes from a sweep; raises RunError if one runs or resumes it."""
    if not folder.is_dir():
        raise RunError(f"run={folder}: this folder does not exist")
    with RunDirectory(folder).lock():
        yield


def read_sweep(
    folder: Path, model_path: str | None, paths: CodePaths | None = None
) -> list[SweepJob]:
    """Return the jobs of a sweep in the order of its command line.

    Sweeps with a custom network need `model_path`, those with other code of the user `paths`.
    Raises RunError if the folder is no sweep or its record is damaged, or if its jobs were not
    known in advance.
    """
    paths = paths or CodePaths(model_path)
    paths.check_files()
    if not is_sweep(folder):
        raise RunError(f"run={folder} is not a sweep: it has no {SWEEP_FILE}")
    jobs = read_recorded_jobs(folder) if has_record(folder) else expand_jobs(folder)
    check_one_path_each(folder, jobs)
    owner = RunDirectory(folder)
    return [replace(job, config=with_code_paths(job.config, owner, paths)) for job in jobs]


def check_one_path_each(folder: Path, jobs: Sequence[SweepJob]) -> None:
    """Raise RunError if jobs have different code for a part, of which the command line names one.

    The jobs of one network may not be trained with another one.
    """
    for part in CodePaths.PARTS:
        if len({vars(paths_of(job.config))[part] for job in jobs} - {None}) > 1:
            name = "network" if part == "model" else part
            raise RunError(
                f"run={folder}: the jobs have different custom {name} classes, but {part}.path "
                f"names one; resume each job by run=JOB {part}.path=FILE.py:CLASS"
            )


def read_recorded_jobs(folder: Path) -> list[SweepJob]:
    """Return the jobs in sweep.json; raises RunError if it is damaged."""
    return [
        SweepJob(folder / job.directory, job.overrides, job.config) for job in read_record(folder)
    ]


def expand_jobs(folder: Path) -> list[SweepJob]:
    """Return the jobs of a sweep of an earlier version, expanded from multirun.yaml.

    Raises RunError if the file is damaged or if another sweeper has chosen the jobs.
    """
    file = folder / SWEEP_FILE
    try:
        content: Any = OmegaConf.to_container(OmegaConf.load(file))
        hydra = content["hydra"]
        if hydra["sweeper"]["_target_"] != BASIC_SWEEPER:
            raise RunError(f"{file}: only sweeps of Hydra's default sweeper can be resumed")
        cwd = Path(hydra["runtime"]["cwd"])
        overrides = map(migrate_override, hydra["overrides"]["task"])
        words, params = [*overrides], hydra["sweeper"]["params"]
        jobs = expand_sweep(words, params)
        swept = swept_keys([*(f"{key}={value}" for key, value in (params or {}).items()), *words])
        named = JOB_NAME in str(hydra.get("sweep", {}).get("subdir"))
    except RunError:
        raise
    except (
        OmegaConfBaseException,
        HydraException,
        YAMLError,
        UserError,
        OSError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
    ) as error:
        raise RunError(f"{file} is damaged: {first_line(error)}") from error
    return [
        expand_job(folder, cwd, number, job, swept if named else None)
        for number, job in enumerate(jobs)
    ]


def expand_job(
    folder: Path, cwd: Path, number: int, overrides: list[str], swept: list[str] | None
) -> SweepJob:
    """Return a job of a sweep that was started in the folder `cwd`.

    `swept` has the keys in the names of the folders; None for names of earlier versions.
    """
    config: schema.TrainConfig = load_config("train", overrides)
    config = with_default_cache(with_absolute_paths(config, cwd))
    if swept is None:
        name = f"{number}_{config.model.name}_seed{config.seed}"
    else:
        name = job_name(number, overrides, swept)
    return SweepJob(folder / name, overrides, config)

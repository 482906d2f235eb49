"""The user's own code of a run: named again on the command line, never taken from the run."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, TypedDict, Unpack

from csvision.config import schema
from csvision.config.baseline_schema import RunConfig
from csvision.errors import RunError
from csvision.run.directory import AnyConfig, RunDirectory, custom_model_path, with_model_path


class OtherCode(TypedDict, total=False):
    """FILE.py:CLASS of the parts besides the network, as arguments of csvision's functions."""

    loss_path: str | None
    metric_path: str | None
    transform_path: str | None


@dataclass(frozen=True)
class CodePaths:
    """FILE.py:CLASS of each part that a run defines in the user's own files."""

    PARTS: ClassVar = ("model", "loss", "metric", "transform")

    model: str | None = None
    loss: str | None = None
    metric: str | None = None
    transform: str | None = None

    @classmethod
    def of(cls, model_path: str | None, **code: Unpack[OtherCode]) -> "CodePaths":
        """Return the paths that a function of csvision got as arguments."""
        return cls(
            model_path,
            code.get("loss_path"),
            code.get("metric_path"),
            code.get("transform_path"),
        )

    @property
    def others(self) -> OtherCode:
        """The paths of the parts besides the network."""
        return {
            "loss_path": self.loss,
            "metric_path": self.metric,
            "transform_path": self.transform,
        }

    def words(self) -> list[str]:
        """Return the arguments KEY=FILE.py:CLASS that name the code on a command line."""
        return [f"{name}.path={path}" for name, path in vars(self).items() if path is not None]

    def check_files(self) -> None:
        """Raise ConfigError if a path is no FILE.py:CLASS or its file does not exist."""
        # Not at the top: torch takes seconds to import.
        from csvision.models.custom import split_model_path

        for name, path in vars(self).items():
            if path is not None:
                split_model_path(path, f"{name}.path")


def with_code_paths(
    config: AnyConfig,
    run_dir: RunDirectory,
    paths: CodePaths,
    needed: tuple[str, ...] = ("loss", "metric", "transform"),
) -> AnyConfig:
    """Return the configuration of a run with the code from the command line.

    The paths in run.json are never used; parts that are not `needed` have no path. Raises RunError
    if the path of a custom network or of a needed part is missing.
    """
    config = with_model_path(config, run_dir, paths.model)
    if not isinstance(config, schema.TrainConfig):
        return config
    changes = {}
    for name in ("loss", "metric", "transform"):
        part = getattr(config, name)
        if part.path is None:
            continue
        path = getattr(paths, name)
        if name not in needed:
            path = None
        elif path is None:
            raise RunError(f"{run_dir.path} has a custom {name}; write {name}.path=FILE.py:CLASS")
        changes[name] = replace(part, path=path)
    return replace(config, **changes)


def check_needed(config: RunConfig, run_dir: RunDirectory, paths: CodePaths) -> None:
    """Raise RunError for the path of a part that the run does not have in the user's own code."""
    own = paths_of(config)
    unused = [name for name, path in vars(paths).items() if path and not getattr(own, name)]
    if unused:
        raise RunError(
            f"{name}.path={getattr(paths, name)} is not for run={run_dir.path}, which was trained "
            + (f"with model={config.model.name}" if name == "model" else f"without {name}.path")
            + f"; leave out {name}.path"
            for name in unused
        )


def paths_of(config: RunConfig) -> CodePaths:
    """Return the paths of the user's own code in a configuration.

    Those that were read from a file must not be imported.
    """
    if not isinstance(config, schema.TrainConfig):
        return CodePaths()
    others = (config.loss.path, config.metric.path, config.transform.path)
    return CodePaths(custom_model_path(config), *others)


def paths_of_jobs(configs: Iterable[RunConfig]) -> CodePaths:
    """Return the paths that a sweep of runs needs to be resumed: the first one of each part."""
    found: dict[str, str] = {}
    for config in configs:
        for name, path in vars(paths_of(config)).items():
            if path is not None:
                found.setdefault(name, path)
    return CodePaths(**found)

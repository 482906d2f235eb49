"""search.json: what a search varies and how; written before its first trial starts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from optuna.distributions import distribution_to_json, json_to_distribution

from csvision.config import schema
from csvision.config.compose import compose_config, to_dataclass
from csvision.config.limits import MAX_EPOCHS
from csvision.config.quoting import quote_override
from csvision.config.search_schema import OptunaConfig, SearchConfig, SearchName
from csvision.config.validate import validate
from csvision.errors import RunError, first_line
from csvision.files import write_json
from csvision.run.code_paths import CodePaths, with_code_paths
from csvision.run.directory import RunDirectory, with_absolute_paths, with_default_cache
from csvision.run.manifest import is_integer, is_text, is_text_list, read_json_object
from csvision.run.sweep_folder import SEARCH_RECORD
from csvision.search.space import Space, format_value

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class SearchDefinition:
    """The fixed overrides of all trials, the space, the settings, and where Hydra finds files.

    `monitor` is the validation metric that decides, in Optuna's `direction`. `max_epochs` is the
    largest number of epochs of a trial, `cwd` the folder of relative paths in the overrides;
    `config_dirs` are those with configuration files of the user.
    """

    settings: OptunaConfig
    space: Space
    overrides: list[str]
    monitor: str
    direction: Direction
    max_epochs: int
    cwd: str
    config_name: str = "train"
    config_dirs: tuple[str, ...] = ()

    def trial_overrides(self, params: Mapping[str, Any]) -> list[str]:
        """Return all overrides of a trial with these values of the searched keys."""
        searched = [
            f"{key}={format_value(distribution, params[key])}"
            for key, distribution in self.space.items()
        ]
        return [*self.overrides, *searched]

    def search_path(self) -> list[str]:
        """Return the override by which Hydra finds the files of the user, if there are any."""
        folders = ",".join(quote_override(f"file://{folder}") for folder in self.config_dirs)
        return [f"hydra.searchpath=[{folders}]"] if folders else []

    def compose(self, overrides: list[str]) -> schema.TrainConfig:
        """Return the configuration of a trial; raises ConfigError if it cannot be composed."""
        words = [*self.search_path(), *overrides]
        config: schema.TrainConfig = to_dataclass(compose_config(self.config_name, words))
        config = replace(config, search=SearchConfig(SearchName.none))
        return with_absolute_paths(config, Path(self.cwd))


@dataclass(frozen=True)
class UserPaths:
    """Paths that only the command line gives, never a file in the folder of the search."""

    code: CodePaths = field(default_factory=CodePaths)
    cache: str | None = None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "UserPaths":
        """Return the paths of which `dataclasses.asdict` made a dictionary."""
        return cls(CodePaths(**values["code"]), values["cache"])

    def apply(self, folder: Path, config: schema.TrainConfig) -> schema.TrainConfig:
        """Return the configuration of a trial of the search in `folder` with these paths."""
        config = with_code_paths(config, RunDirectory(folder), self.code)
        if self.cache is None:
            return with_default_cache(config)
        return replace(config, data=replace(config.data, cache=self.cache))


def write_definition(folder: Path, definition: SearchDefinition) -> None:
    """Write search.json; raises OSError if it cannot be written."""
    space = {key: distribution_to_json(each) for key, each in definition.space.items()}
    write_json(folder / SEARCH_RECORD, asdict(definition) | {"space": space})


def read_definition(folder: Path) -> SearchDefinition:
    """Return the content of search.json; it selects no code.

    Raises RunError if the file is missing or damaged.
    """
    file = folder / SEARCH_RECORD
    try:
        return parse_definition(read_json_object(file))
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror}") from error
    except (AttributeError, KeyError, TypeError, ValueError, OmegaConfBaseException) as error:
        reason = first_line(error) or type(error).__name__
        reason = reason if str(file) in reason else f"{file} is damaged: {reason}"
        raise RunError(f"{reason}; resume its trials one by one: run={folder}/TRIAL") from error


def parse_definition(content: dict[str, Any]) -> SearchDefinition:
    """Return the definition in the content of a file; raises what Python raises for others."""
    for name in ("overrides", "config_dirs"):
        if not is_text_list(content[name]):
            raise ValueError(f"{name} must be a list of strings")
    if not (is_text(content["cwd"]) and is_text(content["config_name"])):
        raise ValueError("cwd and config_name must be strings")
    if not is_integer(content["max_epochs"], 1, MAX_EPOCHS):
        raise ValueError(f"max_epochs must be an integer from 1 to {MAX_EPOCHS}")
    values = dict(content["settings"])
    monitor, direction = parse_monitor(content, values.pop("metric", None))
    settings: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(OptunaConfig), values))
    validate(settings)
    return SearchDefinition(
        settings,
        {key: json_to_distribution(text) for key, text in content["space"].items()},
        content["overrides"],
        monitor,
        direction,
        content["max_epochs"],
        content["cwd"],
        content["config_name"],
        tuple(content["config_dirs"]),
    )


def parse_monitor(content: dict[str, Any], metric: Any) -> tuple[str, Direction]:
    """Return the metric that decides, and its direction; raises ValueError for other content.

    Searches of earlier versions have it as `metric` in their settings, without a direction.
    """
    monitor = content.get("monitor", metric)
    larger = "maximize" if str(metric).endswith("acc") else "minimize"
    direction = content.get("direction", larger)
    if not is_text(monitor) or direction not in get_args(Direction):
        raise ValueError("monitor must be a metric, and direction one of maximize and minimize")
    return monitor, direction

"""What is explained: a network with the shape of its images, configured or of a run."""

from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from csvision.config import schema
from csvision.config.compose import load_config
from csvision.config.explain_schema import ExplainConfig
from csvision.config.model_schema import CustomModelConfig, ModelConfig
from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape, transformed_shape

FASHION_MNIST_SHAPE = (1, 28, 28)


@dataclass(frozen=True)
class Subject:
    """A network; `image_shape` (C, H, W) is that of its input, after `data.pad`."""

    model: ModelConfig
    image_shape: Shape
    num_classes: int


def find_subject(config: ExplainConfig) -> Subject:
    """Return the network to explain; raises UserError if there is none.

    A data file is read only if it is the user's own and `data.image_shape` or `num_classes` is not
    given.
    """
    return configured_subject(config) if config.run is None else run_subject(config)


def configured_subject(config: ExplainConfig) -> Subject:
    """Return the network that the keys of model and data configure."""
    data = config.data
    shape, classes = data.image_shape, config.num_classes
    if data.name is schema.DataName.csv and (shape is None or classes is None):
        table = read_images(data)
        shape, classes = list(table.image_shape), classes or len(table.classes)
    classes = classes or len(data.classes)
    image_shape = tuple(shape or FASHION_MNIST_SHAPE)
    return Subject(config.model, transformed_shape(image_shape, data), classes)


def read_images(data: schema.DataConfig) -> ImageTable:
    """Return the images of data.csv."""
    return read_table(data.csv, ReadOptions.from_config(data))


def run_subject(config: ExplainConfig) -> Subject:
    """Return the network of a run; raises UserError for other keys that would have no effect."""
    # Not at the top: runs need torch, which takes seconds to import.
    from csvision.run.code_paths import CodePaths, check_needed
    from csvision.run.directory import RunDirectory, with_model_path
    from csvision.run.run_data import read_data_spec

    assert config.run is not None
    check_run_keys(config)
    run_dir = RunDirectory(Path(config.run))
    trained = run_dir.read_config()
    check_needed(trained, run_dir, CodePaths(run_model_path(config)))
    trained = with_model_path(trained, run_dir, run_model_path(config))
    spec = read_data_spec(run_dir)
    shape = transformed_shape(spec.image_shape, trained.data)
    return Subject(trained.model, shape, len(spec.classes))


def run_model_path(config: ExplainConfig) -> str | None:
    """Return the code of the custom network of a run; None if it is not given."""
    return config.model.path if isinstance(config.model, CustomModelConfig) else None


def check_run_keys(config: ExplainConfig) -> None:
    """Raise ConfigError for keys that a run decides.

    Accepted are the code of a custom network and, with `row`, the current path of the data file.
    """
    default: ExplainConfig = load_config("explain", [])
    data = config.data if config.row is None else without_file(config.data, default.data)
    keys: dict[str, tuple[Any, Any]] = {"data": (data, default.data)}
    keys["seed"] = (config.seed, default.seed)
    keys["num_classes"] = (config.num_classes, default.num_classes)
    if not isinstance(config.model, CustomModelConfig):
        keys["model"] = (config.model, default.model)
    given = [key for name, pair in keys.items() for key in changed_keys(name, *pair)]
    if given:
        raise ConfigError(
            f"run={config.run}: the run has its own {' and '.join(given)}; remove "
            f"{', '.join(f'{key}=' for key in given)} or remove run="
        )


def without_file(data: schema.DataConfig, default: schema.DataConfig) -> schema.DataConfig:
    """Return the keys of data as if no file was given, neither by data.csv=FILE nor data=csv."""
    if data.name is schema.DataName.csv and data.classes is None:
        data = replace(data, name=default.name, classes=default.classes)
    return replace(data, csv=default.csv)


def changed_keys(name: str, value: Any, usual: Any) -> list[str]:
    """Return the keys below `name` that are not the usual ones; `name` for another choice."""
    if value == usual:
        return []
    if type(value) is not type(usual) or not is_dataclass(value):
        return [name]
    changed = [
        entry.name
        for entry in fields(value)
        if getattr(value, entry.name) != getattr(usual, entry.name)
    ]
    return [name] if "name" in changed else [f"{name}.{key}" for key in changed]

"""Validate a run once, before anything is written."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from csvision.config import model_schema, schema
from csvision.config.search_schema import SearchName
from csvision.config.validate import validate
from csvision.data.splits import Splits, load_splits
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape, transformed_shape
from csvision.run.last_batch import check_last_batch
from csvision.run.launch_environment import count_nodes, validate_launch_environment
from csvision.run.memory import check_training_memory


@dataclass(frozen=True)
class PreparedRun:
    """A validated configuration with its data; `image_shape` (C, H, W) is that of the network."""

    config: schema.TrainConfig
    splits: Splits
    image_shape: Shape

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.splits.train.table.classes)


def prepare_run(
    config: schema.TrainConfig, splits: Splits | None = None, directory: Path | None = None
) -> PreparedRun:
    """Validate values, data, network, device, memory and folder; return what training needs.

    `splits` are read from the configured files if not given. `directory` is the existing run into
    which results will be written (default: a new one in output_dir). Raises UserError if the run
    cannot work.
    """
    check_no_search(config)
    validate_launch_environment(config.accelerator.devices)
    if directory is None:
        check_writable(Path(config.output_dir))
    else:
        check_writable(directory, f"run={directory}", "copy the run to a writable folder")
    if splits is None:
        splits = load_splits(config.data, config.debug.limit_rows)
    table = splits.train.table
    image_shape = input_shape(config, table.image_shape)
    prepared = PreparedRun(config, splits, image_shape)
    validate(config, image_shape, prepared.num_classes)
    check_monitor(prepared)
    splits.validate_world_size(config.accelerator.devices)
    check_last_batch(config, image_shape, prepared.num_classes, len(splits.train))
    check_device(config.accelerator)
    check_training_memory(config, image_shape, prepared.num_classes, len(splits.train))
    check_custom_parts(prepared)
    check_custom_model(prepared)
    check_initial_weights(prepared)
    return prepared


def check_no_search(config: schema.TrainConfig) -> None:
    """Raise ConfigError if a single run is asked to search."""
    if config.search.name is not SearchName.none:
        raise ConfigError(
            f"search={config.search.name} needs -m and a key to search, for example "
            "-m 'optimizer.lr=tag(log, interval(1e-4, 1e-1))'; in Python: csvision.run_search"
        )


def check_writable(
    folder: Path, setting: str | None = None, fix: str = "choose another one"
) -> None:
    """Raise ConfigError if no directory can be created in `folder`.

    `setting` is what the user wrote (default: output_dir), `fix` what to do.
    """
    setting = setting or f"output_dir={folder}"
    path = folder.absolute()
    try:
        # A symbolic link to nowhere exists, too: no folder can be created in its place.
        nearest = next(
            parent for parent in (path, *path.parents) if parent.exists() or parent.is_symlink()
        )
    except OSError as error:
        raise ConfigError(f"{setting}: {error.strerror}; {fix}") from error
    if not nearest.is_dir():
        raise ConfigError(f"{setting}: {nearest} is not a folder; {fix}")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"{setting}: {nearest} is not writable; {fix}")


def input_shape(config: schema.TrainConfig, image_shape: Shape) -> Shape:
    """Return the shape (C, H, W) of the images that the network gets."""
    if config.transform.path is None:
        return transformed_shape(image_shape, config.data)
    from csvision.run.transform import build_transform

    return build_transform(config.data, config.transform, image_shape)[1]


def check_custom_parts(prepared: PreparedRun) -> None:
    """Raise ConfigError if the user's own loss or metric cannot be used."""
    config = prepared.config
    if config.loss.path is not None or config.metric.path is not None:
        from csvision.run.custom_parts import build_custom_loss, build_custom_metric

        if config.loss.path is not None:
            build_custom_loss(config.loss, prepared.num_classes)
        if config.metric.path is not None:
            build_custom_metric(config.metric, prepared.num_classes)


def check_monitor(prepared: PreparedRun) -> None:
    """Raise ConfigError if something needs a validation split and there is none."""
    config = prepared.config
    users = {
        f"early_stopping.patience={config.early_stopping.patience}": (
            config.early_stopping.patience is not None
        ),
        "scheduler=plateau": isinstance(config.scheduler, schema.PlateauConfig),
    }
    if not len(prepared.splits.val):
        raise_errors = [
            f"{name} needs validation rows for monitor={config.monitor}; set data.val_size above 0"
            for name, used in users.items()
            if used
        ]
        if raise_errors:
            raise ConfigError(raise_errors)


def check_device(accelerator: schema.AcceleratorConfig) -> None:
    """Raise ConfigError if the accelerator, its devices or a compiler are not available."""
    if accelerator.compile:
        check_compiler()
    names = schema.AcceleratorName
    if accelerator.name is names.cpu or (
        accelerator.name is names.auto and accelerator.devices == 1
    ):
        return
    # Not at the top: torch takes seconds to import, and most errors are found before.
    from csvision.run.device import validate_accelerator

    nodes = count_nodes(accelerator.devices)
    validate_accelerator(accelerator.name, accelerator.devices // nodes)


def check_compiler() -> None:
    """Raise ConfigError if torch.compile would find no C++ compiler."""
    default = "clang++" if sys.platform == "darwin" else "g++"
    compiler = os.environ.get("CXX", default)
    if shutil.which(compiler) is None:
        raise ConfigError(
            f"accelerator.compile=true needs the C++ compiler {compiler}, which is not installed; "
            "install it, or write accelerator.compile=false"
        )


def check_custom_model(prepared: PreparedRun) -> None:
    """Raise ConfigError if the user's own network cannot be built, trained, saved or loaded."""
    config = prepared.config
    if isinstance(config.model, model_schema.CustomModelConfig):
        from csvision.run.check_model import check_custom_network

        shape, classes = prepared.image_shape, prepared.num_classes
        check_custom_network(config, config.model, shape, classes, len(prepared.splits.train))


def check_initial_weights(prepared: PreparedRun) -> None:
    """Raise ConfigError if init_from or freeze does not fit the network."""
    config = prepared.config
    if config.init_from is not None or config.freeze:
        from csvision.models.build import build_model
        from csvision.run.initial_weights import initialize

        initialize(build_model(config.model, prepared.image_shape, prepared.num_classes, 0), config)

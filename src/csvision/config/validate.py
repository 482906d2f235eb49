"""Validate the values of a configuration: types, ranges, rules between keys, fit to the data.

Hydra has checked names before. All errors found here are reported together.
"""

from collections.abc import Iterator, Mapping
from math import log
from typing import Any

from csvision.config import baseline_schema, command_schema, explain_schema, model_schema, schema
from csvision.config.limits import MAX_LAYERS, MAX_LR
from csvision.config.pixel_range import AUTO, parse_pixel_range
from csvision.config.ranges import range_errors
from csvision.config.training_rules import training_errors, warmup_errors
from csvision.config.value_types import shorten_value, type_errors
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape, layer_table, resolve_padding

DATA_COMMANDS = (
    command_schema.InspectDataConfig
    | command_schema.ConvertConfig
    | explain_schema.ExplainConfig
    | baseline_schema.BaselineConfig
)
"""The configurations of commands on a data set that train no network."""

MODEL_COMMANDS = schema.TrainConfig | explain_schema.ExplainConfig
"""The configurations of commands with a network."""


def validate(config: Any, image_shape: Shape | None = None, num_classes: int | None = None) -> None:
    """Raise ConfigError with all errors of a configuration and, if given, of its fit to the data.

    `image_shape` is (C, H, W) after transforms.
    """
    if errors := find_errors(config, image_shape, num_classes):
        raise ConfigError(errors)


def find_errors(
    config: Any, image_shape: Shape | None = None, num_classes: int | None = None
) -> list[str]:
    """Return one line for each error of a configuration."""
    if errors := list(type_errors(config)):
        return errors
    errors = list(range_errors(config, ""))
    if isinstance(config, schema.TrainConfig | DATA_COMMANDS):
        of_run = getattr(config, "run", None) is not None
        errors += data_errors(config.data, of_run)
        errors += class_errors(config.data.classes)
        if not errors:
            errors += fold_errors(config.data)
    if isinstance(config, command_schema.ExportConfig):
        errors += export_errors(config)
    if hasattr(getattr(config, "data", None), "header"):
        errors += [
            *header_errors(config.data.header),
            *pixel_range_errors(config.data.pixel_range),
        ]
    if isinstance(config, explain_schema.ExplainConfig):
        errors += position_errors(config.position)
        errors += explain_schema.output_errors(config)
    if isinstance(config, schema.TrainConfig):
        errors += optimizer_errors(config.optimizer)
    if isinstance(config, MODEL_COMMANDS):
        errors += padding_errors(config.model)
        if not errors:
            errors += residual_errors(config.model)
    if isinstance(config, schema.TrainConfig):
        errors += training_errors(config, num_classes)
        if not errors:
            errors += [*scheduler_errors(config), *warmup_errors(config)]
        if image_shape is not None and num_classes is not None and not errors:
            try:
                layer_table(config.model, image_shape, num_classes)
            except ConfigError as error:
                errors += error.messages
    return errors


def export_errors(config: command_schema.ExportConfig) -> Iterator[str]:
    """Yield an error for a format that cannot be quantized."""
    names = command_schema.ExportFormat
    if config.quantize is command_schema.Quantization.int8 and config.format is not names.onnx:
        yield f"quantize=int8 is for format=onnx, not format={config.format}; remove one of them"


def data_errors(data: schema.DataConfig, of_run: bool = False) -> Iterator[str]:
    """Yield errors of rules between the keys of data; a run has its own names of classes."""
    is_bundled = data.csv in ("", schema.BUNDLED)
    if data.name is schema.DataName.fmnist_small and not is_bundled and not of_run:
        yield (
            f"data.csv={data.csv} needs data=csv, because data={data.name} names the classes of "
            f"another file; write data=csv data.csv={data.csv}"
        )
    shape = data.image_shape
    if shape is not None and (len(shape) != 3 or min(shape) < 1):
        yield f"data.image_shape={shorten_value(shape)} must be [channels,height,width]"


def fold_errors(data: schema.DataConfig) -> Iterator[str]:
    """Yield errors of rules between the keys of cross-validation."""
    fold, folds = data.fold, data.folds
    if folds is None:
        if fold is not None:
            yield f"data.fold={fold} needs the number of folds; write data.folds=5"
        return
    if fold is None:
        yield (
            f"data.folds={folds} needs the fold used for validation; write data.fold=0, or train "
            f"with all of them: -m 'data.fold=range({folds})'"
        )
    elif fold >= folds:
        yield (
            f"data.fold={fold} must be < data.folds={folds}; folds are numbered from 0 to "
            f"{folds - 1}"
        )
    if data.val_size != schema.DEFAULT_VAL_SIZE:
        yield (
            f"data.val_size={data.val_size:g} contradicts data.folds={folds}, which chooses the "
            f"validation rows; leave out one of them (data.val_size="
            f"{schema.DEFAULT_VAL_SIZE:g} is the default, data.folds=null data.fold=null is none)"
        )


def pixel_range_errors(pixel_range: Any) -> Iterator[str]:
    """Yield an error if data.pixel_range is neither auto, a number, nor two increasing numbers."""
    try:
        parse_pixel_range(pixel_range)
    except ConfigError as error:
        yield from error.messages


def position_errors(position: list[int] | None) -> Iterator[str]:
    """Yield an error if a position is not two numbers."""
    if position is not None and len(position) != 2:
        yield f"position={shorten_value(position)} must be [row,column]"


def header_errors(header: Any) -> Iterator[str]:
    """Yield an error if data.header is neither auto, true nor false."""
    if header != AUTO and not isinstance(header, bool):
        yield f"data.header={shorten_value(header)} must be auto, true or false"


def class_errors(classes: Any) -> Iterator[str]:
    """Yield an error if data.classes is neither null, a list of names, nor a mapping to names."""
    names = list(classes.values()) if isinstance(classes, Mapping) else classes
    if names is None:
        return
    if not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
        yield f"data.classes={shorten_value(classes)} must be null, [name,name] or {{label: name}}"


def optimizer_errors(optimizer: schema.OptimizerConfig) -> Iterator[str]:
    """Yield errors of rules between the keys of optimizer."""
    if isinstance(optimizer, schema.SGDConfig) and optimizer.nesterov and not optimizer.momentum:
        yield "optimizer.nesterov=true needs optimizer.momentum > 0"


def scheduler_errors(config: schema.TrainConfig) -> Iterator[str]:
    """Yield an error if the scheduler lets the learning rate grow without a sensible limit."""
    scheduler, lr = config.scheduler, config.optimizer.lr
    if not isinstance(scheduler, schema.StepConfig) or scheduler.gamma <= 1:
        return
    changes = (config.epochs - 1) // scheduler.step_size
    if log(lr) + changes * log(scheduler.gamma) > log(MAX_LR):
        yield (
            f"scheduler.gamma={scheduler.gamma} would raise the learning rate above {MAX_LR:g} "
            f"in {changes} changes; reduce it, or increase scheduler.step_size"
        )


def residual_errors(model: model_schema.ModelConfig) -> Iterator[str]:
    """Yield an error if all stages together have too many residual blocks."""
    if isinstance(model, model_schema.CNNConfig):
        blocks = sum(stage.residual for stage in model.stages)
        if blocks > MAX_LAYERS:
            yield (
                f"model.stages: the stages have {blocks} residual blocks in total; "
                f"use at most {MAX_LAYERS}"
            )


def padding_errors(model: model_schema.ModelConfig) -> Iterator[str]:
    """Yield errors of invalid paddings, and of `same` with a stride, which torch rejects too."""
    for index, stage in enumerate(
        model.stages if isinstance(model, model_schema.CNNConfig) else []
    ):
        key = f"model.stages.{index}"
        try:
            resolve_padding(stage.padding, stage.kernel_size, stage.dilation)
        except ValueError as error:
            yield f"{key}.{error}"
        if stage.padding == "same" and stage.stride != 1:
            yield (
                f"{key}.padding=same needs {key}.stride=1, not {shorten_value(stage.stride)}; "
                "give the padding as a number"
            )

"""Refuse a last batch of one image if batch normalization cannot be trained on it.

Batch normalization needs two values per channel; in a 1x1 map, an image has one.
"""

from math import prod

from csvision.config import model_schema, schema
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape, cnn_table


def check_last_batch(
    config: schema.TrainConfig, image_shape: Shape, num_classes: int, train_rows: int
) -> None:
    """Raise ConfigError if a CNN cannot be trained on its last batch."""
    if last_batch_size(config, train_rows) > 1 or not isinstance(
        config.model, model_schema.CNNConfig
    ):
        return
    if layer := single_value_normalization(config.model, image_shape, num_classes):
        raise one_image_error(config, train_rows, f"model.{layer}")


def last_batch_size(config: schema.TrainConfig, train_rows: int) -> int:
    """Return the number of images in the last training batch of each process."""
    rows = train_rows // config.accelerator.devices
    return rows % config.batch_size or config.batch_size


def single_value_normalization(
    model: model_schema.CNNConfig, image_shape: Shape, num_classes: int
) -> str:
    """Return the name of the first batch normalization of a 1x1 map; empty if there is none."""
    for layer in cnn_table(model, image_shape, num_classes):
        if layer.name.endswith(".normalization") and prod(layer.output_shape[1:]) == 1:
            stage = model.stages[int(layer.name.split(".")[1])]
            if stage.normalization is model_schema.Normalization.batch:
                return layer.name
    return ""


def one_image_error(config: schema.TrainConfig, train_rows: int, layer: str) -> ConfigError:
    """Return the error that batch normalization in `layer` cannot be trained on one image."""
    devices = config.accelerator.devices
    rows = train_rows // devices
    larger = (size for size in range(config.batch_size + 1, rows + 1) if rows % size != 1)
    fix = f"write batch_size={next(larger)}" if rows > 1 else "add training rows"
    return ConfigError(
        f"batch_size={config.batch_size}: the last batch of the {rows} training rows"
        f"{f' on each of {devices} devices' if devices > 1 else ''} has one image; batch "
        f"normalization in {layer} needs two values per channel; {fix}"
    )

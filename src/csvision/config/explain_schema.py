"""The configuration of `csvision explain`: types, help texts and ranges of its keys."""

from dataclasses import dataclass, field
from enum import StrEnum

from csvision.config.limits import MAX_PIXELS, MAX_ROWS, MAX_SEED, MAX_UNITS
from csvision.config.model_schema import ModelConfig
from csvision.config.option import option
from csvision.config.schema import DataConfig


class ExplainFormat(StrEnum):
    """Choices of `format=` of explain."""

    text = "text"
    json = "json"
    svg = "svg"


@dataclass
class ExplainConfig:
    """The arithmetic of a network, or of one filter at one position."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    run: str | None = option("run directory whose network to explain, instead of model and data")
    num_classes: int | None = option(
        "number of classes; null: that of the data set", ge=2, le=MAX_UNITS
    )
    batch_size: int = option("images per batch, for the memory", ge=1, le=MAX_ROWS)
    row: int | None = option(
        "explain one filter on the image in this row of data.csv, from 0; null: explain the layers",
        ge=0,
        le=MAX_ROWS,
    )
    layer: str | None = option(
        "convolution to explain, such as stages.1.convolution; null: the first"
    )
    filter: int | None = option(
        "filter of the convolution, from 0; null: the first", ge=0, le=MAX_UNITS
    )
    position: list[int] | None = option(
        "[row,column] of the output, from 0; null: where the output is largest",
        ge=0,
        le=100 * MAX_PIXELS,
    )
    seed: int = option("seed of the initial weights, as of train", ge=0, le=MAX_SEED)
    format: ExplainFormat = option("text, json or svg")
    output: str | None = option("file to write; null: print")

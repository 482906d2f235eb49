"""The configuration of `csvision explain`: types, help texts and ranges of its keys."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath

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


SUFFIXES = {
    ExplainFormat.text: (".txt", ".md"),
    ExplainFormat.json: (".json",),
    ExplainFormat.svg: (".svg",),
}
OTHER_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".pdf", ".html", ".csv")
"""Suffixes of formats that explain cannot write."""


def output_errors(config: ExplainConfig) -> Iterator[str]:
    """Yield an error if the suffix of `output` is that of another format."""
    path = PurePath(config.output or "")
    suffix = path.suffix.lower()
    found = [form for form, suffixes in SUFFIXES.items() if suffix in suffixes]
    if config.format in found or not (found or suffix in OTHER_SUFFIXES):
        return
    formats = "".join(f"format={form} or " for form in found)
    yield (
        f"output={path} is not the name of a file with format={config.format}; write {formats}"
        f"output={path.with_suffix(SUFFIXES[config.format][0])}"
    )

"""The configuration of the commands that write public data sets as CSV files."""

from dataclasses import dataclass
from enum import StrEnum

from csvision.config.option import option


class ExampleDataName(StrEnum):
    """Choices of `name=` of example-data."""

    digits = "digits"
    photos = "photos"


@dataclass
class ExampleDataConfig:
    """A small example data set."""

    name: ExampleDataName = option("digits: 8x8 grayscale; photos: 16x16 color")
    output: str | None = option(".csv or .csv.gz file; null: outputs/data/NAME.csv")


@dataclass
class PrepareFashionMNISTConfig:
    """The CSV files of Fashion-MNIST."""

    output_dir: str = option("folder for train.csv and test.csv; data=fmnist reads the default")
    source_dir: str | None = option(
        "folder with the official IDX files; null: Debian's package, else a download"
    )
    bundled_csv: str | None = option("also write the first 6,000 images to this .csv.gz file")

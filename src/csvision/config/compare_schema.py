"""The configuration of `csvision compare`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from csvision.config.option import option


class CompareTest(StrEnum):
    """Choices of `test=` of compare."""

    chosen = "chosen"
    all = "all"


@dataclass
class CompareConfig:
    """A comparison of the settings of sweeps and runs."""

    run: str = option(
        "sweep, folder of runs, or [DIR,DIR]; two runs: their predictions", example="DIR"
    )
    by: Any = option("keys to compare, as model or [model,lr]; others: the best; []: all keys")
    over: Any = option("keys that only repeat a setting")
    metric: str | None = option(
        "metric that chooses and is compared, such as val/loss; null: monitor of a search, else "
        "val/acc"
    )
    reference: str | None = option(
        "setting that others are compared with, such as mlp or lr=0.01, or the directory of a run; "
        "null: each with each"
    )
    test: CompareTest = option("chosen: test figures of the chosen setting only; all: of all")
    dataset: str | None = option(
        "use only the runs of one data file, such as digits.csv; null: all runs"
    )
    output_dir: str | None = option(
        "folder for the results; null: that of a single sweep, else one in outputs/comparisons"
    )
    quiet: bool = option("print only the path of the results")

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
    metric: str = option("metric that chooses and is compared, such as val/acc or val/loss")
    reference: str | None = option(
        "setting that others are compared with, such as mlp or lr=0.01, or a run directory; null: "
        "each with each"
    )
    test: CompareTest = option("chosen: test figures of the chosen setting only; all: of all")
    output_dir: str | None = option(
        "folder for the results; null: the sweep, or outputs/comparisons for several"
    )
    quiet: bool = option("print only the path of the results")

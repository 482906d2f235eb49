"""The result of a comparison: plain data, and the tables made of it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from csvision.comparison.metric import Mode
from csvision.comparison.statistics import McNemarTest, MeanInterval, PairedTest


@dataclass(frozen=True)
class SettingResult:
    """A setting with the intervals of its metrics; `candidates` counts those it was chosen from."""

    label: str
    values: dict[str, Any]
    metrics: dict[str, MeanInterval]
    runs: list[str]
    seconds: float | None
    candidates: int = 1


@dataclass(frozen=True)
class Difference:
    """A paired difference of two settings in a metric: `setting` minus `reference`.

    `pairs` is shared seeds and folds; 0 if the reference has a single run, with which each run is
    compared. `test` is None without two pairs; `p_corrected` is the p-value of its t-test,
    corrected for all differences.
    """

    setting: str
    reference: str
    metric: str
    pairs: int
    test: PairedTest | None
    p_corrected: float | None


@dataclass(frozen=True)
class NetworkGain:
    """The best network minus the best baseline, the difference that a network makes.

    Each has the best mean of the metric `chosen_by` among so many of its kind; the others with the
    same mean are `tied_networks` and `tied_baselines`. `predictions` is the test of single runs,
    for which `difference` has none; `problem` says why there is no test.
    """

    difference: Difference
    chosen_by: str
    mode: Mode
    networks: int
    baselines: int
    tied_networks: list[str]
    tied_baselines: list[str]
    predictions: McNemarTest | None
    problem: str


@dataclass(frozen=True)
class ComparisonResult:
    """Settings and their differences.

    `chosen` is the label of the setting with the best mean of `metric`, a validation metric; `mode`
    says whether smaller values are better. It is None if no setting can be chosen. Test metrics are
    those of the chosen setting, or of all with `test="all"`. `predictions` compares the predictions
    of two single runs, and `network_gain` the best network with the best baseline, if there are
    both.
    """

    sources: list[str]
    metric: str
    mode: Mode
    over: list[str]
    by: list[str]
    test: str
    baseline: str | None
    chosen: str | None
    settings: list[SettingResult]
    differences: list[Difference]
    correction: str
    states: dict[str, int]
    notes: list[str]
    predictions: McNemarTest | None = None
    network_gain: NetworkGain | None = None
    directory: Path | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        content = asdict(self)
        del content["directory"]
        return content

    @property
    def table(self) -> pd.DataFrame:
        """One row per setting: n, and mean, std and interval of each metric."""
        return pd.DataFrame([*self.rows()])

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the table."""
        for setting in self.settings:
            row: dict[str, Any] = {
                "setting": setting.label,
                **setting.values,
                "chosen": setting.label == self.chosen,
                "n": len(setting.runs),
            }
            for name, interval in setting.metrics.items():
                row |= {
                    name: interval.mean,
                    f"{name} std": interval.std,
                    f"{name} low": interval.low,
                    f"{name} high": interval.high,
                }
            yield row | {"seconds": setting.seconds}

    @property
    def difference_table(self) -> pd.DataFrame:
        """One row per difference: its interval, p-values, and power."""
        return pd.DataFrame([*map(difference_row, self.differences)])


def difference_row(difference: Difference) -> dict[str, Any]:
    """Return a difference as the row of a table."""
    row: dict[str, Any] = {
        "setting": difference.setting,
        "reference": difference.reference,
        "metric": difference.metric,
        "pairs": difference.pairs,
    }
    if (test := difference.test) is None:
        return row
    return row | {
        "difference": test.difference.mean,
        "low": test.difference.low,
        "high": test.difference.high,
        "p (t)": test.p_t,
        "p (permutation)": test.p_permutation,
        "p (corrected)": difference.p_corrected,
        "detectable": test.detectable,
        "runs needed": test.needed,
    }

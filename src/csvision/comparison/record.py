"""What a comparison needs of a run, read from its folder without importing torch."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from csvision.config.flatten import Values, flatten_config
from csvision.config.labels import parse_override
from csvision.config.serialize import is_baseline
from csvision.errors import RunError
from csvision.run.manifest import STATES, read_json_object

MISSING_STATE = "not started"

DAMAGED_STATE = "damaged"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: its folder, state, metrics, duration, and its configuration.

    `words` are the overrides of its command. `changes` has the values that differ from `base`,
    which many runs share. A job of a sweep that has not started has no configuration. `reason` says
    why a run failed. `data` is the hash of its data files, "" if it has not recorded one.
    """

    directory: str
    state: str
    words: tuple[str, ...]
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float | None = None
    reason: str = ""
    changes: Values = field(default_factory=dict)
    base: Values = field(default_factory=dict)
    data: str = ""

    @property
    def finished(self) -> bool:
        """Whether the run has results."""
        return self.state == "finished"

    @property
    def is_baseline(self) -> bool:
        """Whether the run is that of a baseline."""
        return is_baseline({"model": {"name": self.get("model.name")}})

    @property
    def overrides(self) -> dict[str, str]:
        """The overrides by key, as texts; the last value of a key counts."""
        return dict(map(parse_override, self.words))

    def get(self, key: str) -> Any:
        """Return the value of a configuration key; None if the run does not have it."""
        return self.changes[key] if key in self.changes else self.base.get(key)


def read_run(folder: Path, base: Values) -> RunRecord:
    """Read a run; one whose files cannot be read is damaged.

    `base` is filled with the configuration if it is empty.
    """
    try:
        content = read_json_object(folder / "run.json")
        state = content["state"] if content["state"] in STATES else DAMAGED_STATE
        values = flatten_config(content["config"])
        words = tuple(map(str, content.get("overrides", [])))
        metrics = read_metrics(folder) if state == "finished" else {}
        seconds = run_seconds(folder, content)
        reason = str(content.get("reason") or "")
        data = data_hash(content)
    except FileNotFoundError:
        return RunRecord(str(folder), MISSING_STATE, (), base=base)
    except (OSError, RunError, KeyError, TypeError, ValueError, AttributeError):
        return RunRecord(str(folder), DAMAGED_STATE, (), base=base)
    if not base:
        base.update(values)
    changes = changed_values(values, base)
    return RunRecord(str(folder), state, words, metrics, seconds, reason, changes, base, data)


def data_hash(content: Mapping[str, Any]) -> str:
    """Return the hash of the data files of a run, that of the test file appended if it differs."""
    data = content.get("data") or {}
    hashes = dict.fromkeys(str(data.get(name) or "") for name in ("sha256", "test_sha256"))
    return sys.intern("+".join(filter(None, hashes)))


def changed_values(values: Values, base: Values) -> Values:
    """Return the values that differ from those in `base`; None for keys that only `base` has."""
    changes = {key: value for key, value in values.items() if key not in base or base[key] != value}
    return changes | {key: None for key in base if key not in values}


def read_metrics(folder: Path) -> dict[str, float]:
    """Return the final metrics of a run, without those by class."""
    return finite_numbers(read_json_object(folder / "metrics.json"))


def finite_numbers(content: Mapping[str, Any]) -> dict[str, float]:
    """Return the entries that are finite numbers."""
    return {
        sys.intern(name): float(value)
        for name, value in content.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    }


def run_seconds(folder: Path, content: Mapping[str, Any]) -> float | None:
    """Return the duration of a run; for a resumed one, the sum of its epochs."""
    if content.get("resumed"):
        return sum_epochs(folder / "history.csv")
    if "started" not in content or "ended" not in content:
        return None
    started, ended = (datetime.fromisoformat(content[name]) for name in ("started", "ended"))
    return round((ended - started).total_seconds(), 3)


def sum_epochs(history: Path) -> float | None:
    """Return the seconds of all epochs in history.csv; None if the file cannot be used."""
    try:
        with history.open(encoding="utf-8", newline="") as file:
            return round(sum(float(row["seconds"]) for row in csv.DictReader(file)), 3)
    except (OSError, KeyError, ValueError, TypeError):
        return None


def to_line(record: RunRecord, stamp: Sequence[int], root: Path) -> str:
    """Return a record as one line of JSON; `stamp` identifies the version of its run.json."""
    content = {
        "directory": str(Path(record.directory).relative_to(root)),
        "stamp": list(stamp),
        "state": record.state,
        "words": record.words,
        "metrics": record.metrics,
        "seconds": record.seconds,
        "reason": record.reason,
        "changes": record.changes,
        "data": record.data,
    }
    return json.dumps(content, separators=(",", ":"))


def from_line(content: Mapping[str, Any], root: str, base: Values) -> RunRecord:
    """Return the record of a line; raises KeyError or TypeError for another content."""
    return RunRecord(
        f"{root}/{content['directory']}",
        sys.intern(content["state"]),
        tuple(content["words"]),
        finite_numbers(content["metrics"]),
        content["seconds"],
        content["reason"],
        {sys.intern(name): value for name, value in content["changes"].items()},
        base,
        sys.intern(str(content["data"])),
    )

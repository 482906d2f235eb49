"""The space of a search: swept keys in Hydra's syntax as distributions of Optuna."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from csvision.errors import ConfigError, first_line

Space = Mapping[str, BaseDistribution]
"""The distribution of each searched key."""

MAX_CHOICES = 100
"""Values of one key that are listed or in a range of floats; each is validated before the start."""

LOG = "log"
"""The tag of an interval whose logarithm is uniform."""

FIXED_KEYS = (
    "search",
    "launcher",
    "output_dir",
    "quiet",
    "data.cache",
    "accelerator.devices",
    "monitor",
    "model.path",
    "loss.path",
    "metric",
    "transform.path",
)
"""Keys, and groups of keys, that have one value in all trials."""


def split_overrides(overrides: Sequence[Override]) -> tuple[list[Override], list[Override]]:
    """Return the fixed and the swept overrides; of several for one key, the last one counts."""
    last = {override.get_key_element(): override for override in overrides}
    swept = [override for override in last.values() if override.is_sweep_override()]
    fixed = [override for override in last.values() if not override.is_sweep_override()]
    return fixed, swept


def parse_space(swept: Sequence[Override]) -> dict[str, BaseDistribution]:
    """Return the distribution of each swept key.

    Raises ConfigError with the errors of all keys, or if there is no key.
    """
    if not swept:
        raise ConfigError(
            "search=optuna: no key to search; write values or an interval, for example "
            "'optimizer.lr=tag(log, interval(1e-4, 1e-1))'"
        )
    space, errors = {}, []
    for override in swept:
        try:
            space[str(override.get_key_element())] = parse_distribution(override)
        except ConfigError as error:
            errors += [f"{override.input_line}: {message}" for message in error.messages]
    if errors:
        raise ConfigError(errors)
    return space


def parse_distribution(override: Override) -> BaseDistribution:
    """Return the distribution of a swept key; raises ConfigError, without the key in its message.

    Values of a list or of glob(...) are strings as on the command line, and have no order.
    """
    key = str(override.key_or_group)
    if any(key == fixed or key.startswith(f"{fixed}.") for fixed in FIXED_KEYS):
        raise ConfigError("this key has one value in all trials of a search; write one")
    value: Any = override.value()
    match value:
        case IntervalSweep():
            return parse_interval(value, has_log_tag(value.tags))
        case RangeSweep():
            return parse_range(value, has_log_tag(value.tags))
    if getattr(value, "tags", None):
        raise ConfigError("tag(...) is for interval(...) and range(...); leave it out")
    return parse_choices(override)


def has_log_tag(tags: set[str]) -> bool:
    """Return whether the tags are `log`; raises ConfigError for another tag."""
    if others := sorted(tags - {LOG}):
        raise ConfigError(f"unknown tag {', '.join(others)}; the only one is {LOG}")
    return LOG in tags


def parse_interval(interval: IntervalSweep, log: bool) -> BaseDistribution:
    """Return the distribution of interval(low, high), both ends included."""
    low, high = interval.start, interval.end
    assert low is not None
    assert high is not None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ConfigError("the ends must be finite numbers")
    if low >= high:
        raise ConfigError(f"the interval from {low} to {high} is empty; write the lower end first")
    check_positive(low, log)
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


def parse_range(swept: RangeSweep, log: bool) -> BaseDistribution:
    """Return the distribution of range(start, stop, step), without `stop` as in Python."""
    try:
        values: Any = swept.range()
        if not isinstance(values, range):
            values = list(islice(values, MAX_CHOICES + 1))
            if len(values) > MAX_CHOICES:
                raise ConfigError(f"over {MAX_CHOICES} values; write interval(low, high)")
    except (ValueError, ArithmeticError, HydraException) as error:
        raise ConfigError(first_line(error)) from error
    if not len(values):
        raise ConfigError("the range is empty; write range(start, stop, step) with start < stop")
    low, high = min(values[0], values[-1]), max(values[0], values[-1])
    step = abs(swept.step)
    check_positive(low, log)
    if log and step != 1:
        raise ConfigError("tag(log, ...) of a range needs step 1; write tag(log, interval(...))")
    if isinstance(values, range):
        return IntDistribution(low, high, log=log, step=int(step))
    return FloatDistribution(low, high, step=None if log else float(step))


def check_positive(low: float, log: bool) -> None:
    """Raise ConfigError if a logarithm has no value at the lower end."""
    if log and low <= 0:
        raise ConfigError(f"tag(log, ...) needs a lower end above 0, not {low}")


def parse_choices(override: Override) -> CategoricalDistribution:
    """Return the distribution of listed values."""
    try:
        values = list(islice(override.sweep_string_iterator(), MAX_CHOICES + 1))
    except (ValueError, HydraException) as error:
        raise ConfigError(first_line(error)) from error
    if not values:
        raise ConfigError("no such value or choice exists; write other values")
    if len(values) > MAX_CHOICES:
        raise ConfigError(f"over {MAX_CHOICES} values; write interval(low, high) or fewer values")
    return CategoricalDistribution(list(dict.fromkeys(values)))


def format_value(distribution: BaseDistribution, value: Any) -> str:
    """Return a value as it is written after KEY= on the command line.

    Floats have six significant digits, unless these are outside of the interval.
    """
    if not isinstance(distribution, FloatDistribution):
        return str(value)
    rounded = float(f"{value:.6g}")
    return repr(min(max(rounded, distribution.low), distribution.high))


def probe_points(space: Space) -> Iterator[dict[str, str]]:
    """Yield points that together have every listed value and both ends of each interval."""
    values = {key: probe_values(distribution) for key, distribution in space.items()}
    first = {key: probed[0] for key, probed in values.items()}
    yield first
    for key, probed in values.items():
        yield from (first | {key: value} for value in probed[1:])


def probe_values(distribution: BaseDistribution) -> list[str]:
    """Return the values of a key to validate before the search starts."""
    match distribution:
        case CategoricalDistribution(choices=choices):
            values: list[Any] = list(choices)
        case IntDistribution(low=low, high=high) | FloatDistribution(low=low, high=high):
            values = [low, high]
        case _:
            raise TypeError(f"{type(distribution).__name__} is no distribution of a search")
    return list(dict.fromkeys(format_value(distribution, value) for value in values))

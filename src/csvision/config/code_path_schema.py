"""The paths of the user's own code, in the configuration of commands on a run."""

from dataclasses import dataclass

from csvision.config.option import option


@dataclass
class ModelPathConfig:
    """The code of a custom network; no code is imported from a run directory."""

    path: str | None = option("FILE.py:CLASS, required for a run with model=custom")


@dataclass
class LossPathConfig:
    """The code of the user's own loss."""

    path: str | None = option("FILE.py:CLASS, required for a run with loss.path")


@dataclass
class MetricPathConfig:
    """The code of the user's own metric."""

    path: str | None = option("FILE.py:CLASS, required for a run with metric.path")


@dataclass
class TransformPathConfig:
    """The code of the user's own transform."""

    path: str | None = option("FILE.py:CLASS, required for a run with transform.path")

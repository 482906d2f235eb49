"""Train, sweep, inspect and understand networks on images stored as CSV, reproducibly."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csvision.api import decide as decide
    from csvision.api import evaluate as evaluate
    from csvision.api import load as load
    from csvision.api import predict as predict
    from csvision.api import reproduce as reproduce
    from csvision.api import resume as resume
    from csvision.api import resume_sweep as resume_sweep
    from csvision.api import train as train
    from csvision.classifier import Classifier as Classifier
    from csvision.data.module import CSVDataModule as CSVDataModule
    from csvision.data.split import read_parts as read_parts
    from csvision.data.table import read_table as read_table
    from csvision.errors import UserError as UserError
    from csvision.models.cnn import CNN as CNN
    from csvision.models.mlp import MLP as MLP
    from csvision.schema import Stage as Stage

HOMES = {
    "train": "csvision.api",
    "load": "csvision.api",
    "decide": "csvision.api",
    "evaluate": "csvision.api",
    "predict": "csvision.api",
    "reproduce": "csvision.api",
    "resume": "csvision.api",
    "resume_sweep": "csvision.api",
    "Classifier": "csvision.classifier",
    "CSVDataModule": "csvision.data.module",
    "read_parts": "csvision.data.split",
    "read_table": "csvision.data.table",
    "UserError": "csvision.errors",
    "CNN": "csvision.models.cnn",
    "MLP": "csvision.models.mlp",
    "Stage": "csvision.schema",
}
"""Where each public name lives; loaded when first used, so that importing csvision is quick."""

__all__ = sorted(HOMES)


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'csvision' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})

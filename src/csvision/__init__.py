"""Train, sweep, inspect and understand networks on images stored as CSV, reproducibly."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csvision.api import demo as demo
    from csvision.api import evaluate as evaluate
    from csvision.api import explain as explain
    from csvision.api import inspect as inspect
    from csvision.api import inspect_data as inspect_data
    from csvision.api import load as load
    from csvision.api import read as read
    from csvision.api import reproduce as reproduce
    from csvision.api import resume as resume
    from csvision.api import resume_sweep as resume_sweep
    from csvision.api import sweep as sweep
    from csvision.api import train as train
    from csvision.arithmetic.explanation import Explanation as Explanation
    from csvision.augmentation import impulse_noise as impulse_noise
    from csvision.baseline_api import baseline as baseline
    from csvision.baseline_api import load_baseline as load_baseline
    from csvision.baselines.fit import BaselineResult as BaselineResult
    from csvision.baselines.fitted import FittedBaseline as FittedBaseline
    from csvision.classifier import Classifier as Classifier
    from csvision.comparison.command import compare as compare
    from csvision.comparison.comparison import Comparison as Comparison
    from csvision.config.baseline_schema import BaselineConfig as BaselineConfig
    from csvision.config.compose import load_config as load_config
    from csvision.config.model_schema import CNNConfig as CNNConfig
    from csvision.config.model_schema import MLPConfig as MLPConfig
    from csvision.config.model_schema import Pool as Pool
    from csvision.config.model_schema import Stage as Stage
    from csvision.config.option import option as option
    from csvision.config.schema import TrainConfig as TrainConfig
    from csvision.config.serialize import config_from_dict as config_from_dict
    from csvision.config.serialize import config_to_dict as config_to_dict
    from csvision.data.datamodule import CSVDataModule as CSVDataModule
    from csvision.data.open_source import resolve_path as resolve_path
    from csvision.data.read_options import ReadOptions as ReadOptions
    from csvision.data.source import file_sha256 as file_sha256
    from csvision.data.splits import Splits as Splits
    from csvision.data.splits import Subset as Subset
    from csvision.data.splits import load_splits as load_splits
    from csvision.data.table import ImageTable as ImageTable
    from csvision.data.table import read_table as read_table
    from csvision.errors import ConfigError as ConfigError
    from csvision.errors import DataError as DataError
    from csvision.errors import DivergedError as DivergedError
    from csvision.errors import RunError as RunError
    from csvision.errors import UserError as UserError
    from csvision.evaluation import EvalResult as EvalResult
    from csvision.exporting.export import ExportResult as ExportResult
    from csvision.files import write_json as write_json
    from csvision.inference import export as export
    from csvision.inference import predict as predict
    from csvision.inference import predict_to_file as predict_to_file
    from csvision.launch.start_sweep import SweepResult as SweepResult
    from csvision.layer_shapes import layer_table as layer_table
    from csvision.layer_shapes import output_size as output_size
    from csvision.models.build import build_model as build_model
    from csvision.models.cnn import CNN as CNN
    from csvision.models.layers import pooling_layer as pooling_layer
    from csvision.models.mlp import MLP as MLP
    from csvision.models.summary import profile_layers as profile_layers
    from csvision.rng import derive_seed as derive_seed
    from csvision.run.find_lr import LRFindResult as LRFindResult
    from csvision.run.log import log_to_console as log_to_console
    from csvision.run.provenance import machine_info as machine_info
    from csvision.run.provenance import package_versions as package_versions
    from csvision.run.threads import limit_threads as limit_threads
    from csvision.run.train import TrainResult as TrainResult
    from csvision.search_api import find_lr as find_lr
    from csvision.search_api import run_search as run_search
    from csvision.search_api import search_report as search_report
    from csvision.transforms import PadAndPermute as PadAndPermute

_EXPORTS = {
    "BaselineConfig": "csvision.config.baseline_schema",
    "BaselineResult": "csvision.baselines.fit",
    "CNN": "csvision.models.cnn",
    "CNNConfig": "csvision.config.model_schema",
    "CSVDataModule": "csvision.data.datamodule",
    "Classifier": "csvision.classifier",
    "Comparison": "csvision.comparison.comparison",
    "ConfigError": "csvision.errors",
    "DataError": "csvision.errors",
    "DivergedError": "csvision.errors",
    "EvalResult": "csvision.evaluation",
    "Explanation": "csvision.arithmetic.explanation",
    "FittedBaseline": "csvision.baselines.fitted",
    "ExportResult": "csvision.exporting.export",
    "ImageTable": "csvision.data.table",
    "LRFindResult": "csvision.run.find_lr",
    "MLP": "csvision.models.mlp",
    "MLPConfig": "csvision.config.model_schema",
    "PadAndPermute": "csvision.transforms",
    "Pool": "csvision.config.model_schema",
    "ReadOptions": "csvision.data.read_options",
    "RunError": "csvision.errors",
    "Splits": "csvision.data.splits",
    "Stage": "csvision.config.model_schema",
    "Subset": "csvision.data.splits",
    "SweepResult": "csvision.launch.start_sweep",
    "TrainConfig": "csvision.config.schema",
    "TrainResult": "csvision.run.train",
    "UserError": "csvision.errors",
    "baseline": "csvision.baseline_api",
    "build_model": "csvision.models.build",
    "compare": "csvision.comparison.command",
    "config_from_dict": "csvision.config.serialize",
    "config_to_dict": "csvision.config.serialize",
    "derive_seed": "csvision.rng",
    "demo": "csvision.api",
    "evaluate": "csvision.api",
    "explain": "csvision.api",
    "export": "csvision.inference",
    "file_sha256": "csvision.data.source",
    "find_lr": "csvision.search_api",
    "impulse_noise": "csvision.augmentation",
    "inspect": "csvision.api",
    "inspect_data": "csvision.api",
    "layer_table": "csvision.layer_shapes",
    "limit_threads": "csvision.run.threads",
    "load": "csvision.api",
    "load_baseline": "csvision.baseline_api",
    "load_config": "csvision.config.compose",
    "load_splits": "csvision.data.splits",
    "log_to_console": "csvision.run.log",
    "machine_info": "csvision.run.provenance",
    "option": "csvision.config.option",
    "output_size": "csvision.layer_shapes",
    "package_versions": "csvision.run.provenance",
    "pooling_layer": "csvision.models.layers",
    "predict": "csvision.inference",
    "predict_to_file": "csvision.inference",
    "profile_layers": "csvision.models.summary",
    "read": "csvision.api",
    "read_table": "csvision.data.table",
    "reproduce": "csvision.api",
    "resolve_path": "csvision.data.open_source",
    "resume": "csvision.api",
    "resume_sweep": "csvision.api",
    "run_search": "csvision.search_api",
    "search_report": "csvision.search_api",
    "sweep": "csvision.api",
    "train": "csvision.api",
    "write_json": "csvision.files",
}
"""The module of each public name; loaded on first use, so that `import csvision` is fast."""

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'csvision' has no attribute {name!r}")
    import sys
    from importlib import import_module

    module = _EXPORTS[name]
    if module in ("csvision.api", "csvision.inference"):
        # Lightning, which these modules import, raises for ranks that are no numbers.
        import_module("csvision.run.launch_environment").read_launch_variables()
    if module not in sys.modules:
        from csvision.process_state import isolate_import

        with isolate_import():
            import_module(module)
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})

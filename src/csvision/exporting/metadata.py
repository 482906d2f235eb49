"""What an exported file says about itself, and what it needs to be written."""

import json
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from csvision.config.command_schema import ExportFormat
from csvision.errors import ConfigError
from csvision.run.directory import RunDirectory
from csvision.run.run_data import read_data_spec

PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def check_packages(export_format: ExportFormat) -> None:
    """Raise ConfigError if a package that a format needs is not installed."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if export_format is ExportFormat.onnx and missing:
        raise ConfigError(
            f"format=onnx needs {', '.join(missing)}; install with: pip install 'csvision[export]'"
        )


def describe_run(run_dir: RunDirectory) -> dict[str, Any]:
    """Return what a user of the file must know, as plain values.

    `run` is the name of the run directory. `pixel_range` has the values of black and white in the
    training file, which are 0 and 255 in the images that the network takes.
    """
    spec = read_data_spec(run_dir)
    assert spec.pixel_range is not None
    return {
        "run": run_dir.path.absolute().name,
        "weights_sha256": run_dir.read_manifest().get("weights_sha256"),
        "csvision_version": version("csvision"),
        "classes": spec.classes,
        "label_values": spec.label_values,
        "image_shape": list(spec.image_shape),
        "pixel_range": list(spec.pixel_range),
    }


def to_strings(metadata: dict[str, Any]) -> dict[str, str]:
    """Return metadata as JSON texts by name, for formats that store strings only."""
    return {name: json.dumps(value) for name, value in metadata.items()}

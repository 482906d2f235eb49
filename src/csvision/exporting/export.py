"""Export the network of a run: write the file, compare it with the run, and keep it if equal."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from csvision.config import command_schema, schema
from csvision.config.command_schema import ExportFormat, Quantization
from csvision.config.model_schema import CustomModelConfig
from csvision.data.splits import Subset
from csvision.errors import DivergedError, RunError, UserError, first_line
from csvision.exporting import quantize
from csvision.exporting.metadata import check_packages, describe_run
from csvision.exporting.network import ExportedNetwork
from csvision.exporting.onnx_file import Predict, open_onnx, write_onnx
from csvision.exporting.torch_files import (
    load_pt2,
    load_state_dict,
    module_predict,
    trace,
    write_pt2,
    write_state_dict,
)
from csvision.exporting.verify import (
    BATCH_SIZES,
    expected_probabilities,
    largest_difference,
    select_batches,
)
from csvision.files import new_dir, timestamp, write_json
from csvision.run.load import load
from csvision.run.loaded_run import LoadedRun
from csvision.run.run_data import load_run_splits, load_test_subset

FILE_NAMES = {
    ExportFormat.onnx: "model.onnx",
    ExportFormat.pt2: "model.pt2",
    ExportFormat.state_dict: "model.pt",
}


INT8_NAME = "model_int8.onnx"

MAX_LOSS = 0.01
"""The accuracy that an int8 file can lose without a warning."""


@dataclass(frozen=True)
class ExportResult:
    """An exported file: its path, what it says about itself, and how it was checked.

    `max_difference` is the largest difference from a probability of the run. With quantize=int8,
    `int8_path` is the other file, and `scores` has accuracy, images per second and size of both.
    """

    path: Path
    format: ExportFormat
    max_difference: float
    metadata: dict[str, Any] = field(repr=False)
    int8_path: Path | None = None
    scores: dict[str, dict[str, float]] = field(default_factory=dict, repr=False)


def export(config: command_schema.ExportConfig) -> ExportResult:
    """Export the network of a run into a new folder; nothing remains if the check fails.

    Raises RunError, DataError or ConfigError for what cannot be exported.
    """
    check_packages(config.format)
    run = LoadedRun.open(config, "exports", schema.AcceleratorName.cpu)
    train, test = read_rows(run, config)
    metadata = describe_run(run.directory)
    folder = run.results / timestamp()
    with run.use_network(schema.AcceleratorName.cpu), new_dir(folder) as unfinished:
        path = unfinished / FILE_NAMES[config.format]
        difference = write_and_compare(run, config, metadata, test, path)
        scores = {}
        if train is not None:
            scores = quantize_and_measure(path, unfinished / INT8_NAME, metadata, train, test)
        content = {"format": config.format.value, "max_difference": difference, "scores": scores}
        write_json(unfinished / "export.json", content | {"metadata": metadata})
    return ExportResult(
        path=folder / path.name,
        format=config.format,
        max_difference=difference,
        metadata=metadata,
        int8_path=folder / INT8_NAME if scores else None,
        scores=scores,
    )


def read_rows(run: LoadedRun, config: command_schema.ExportConfig) -> tuple[Subset | None, Subset]:
    """Return the training rows, if the network is to be quantized, and the test rows of the run.

    Raises RunError if a data file has changed or does not exist.
    """
    fix = "if it was moved: data.csv=FILE"
    if config.quantize is Quantization.none:
        test = load_test_subset(run.directory, run.trained, config.data.csv, fix)
        return None, test
    trained = run.trained
    if config.data.csv is not None:
        trained = replace(trained, data=replace(trained.data, csv=config.data.csv))
    splits = load_run_splits(run.directory, trained, fix)
    return splits.train, splits.test


def write_and_compare(
    run: LoadedRun,
    config: command_schema.ExportConfig,
    metadata: dict[str, Any],
    test: Subset,
    path: Path,
) -> float:
    """Write a file in the chosen format; return its largest difference from the run."""
    batches = select_batches(test)
    expected = expected_probabilities(run.classifier, batches)
    where = f"run={config.run}: format={config.format}"
    with refuse_untraceable(run, where):
        predict = write(run, config, metadata, path)
        return largest_difference(where, predict, batches, expected)


def write(
    run: LoadedRun, config: command_schema.ExportConfig, metadata: dict[str, Any], path: Path
) -> Predict:
    """Write a file; return a function that computes probabilities with it."""
    network = ExportedNetwork(run.classifier)
    if config.format is ExportFormat.state_dict:
        write_state_dict(network, metadata, path)
        transform_path = config.transform.path
        other = load(run.directory.path, config.model.path, False, transform_path)
        return module_predict(load_state_dict(path, ExportedNetwork(other)))
    program = trace(network, tuple(metadata["image_shape"]))
    if config.format is ExportFormat.pt2:
        write_pt2(program, metadata, path)
        return module_predict(load_pt2(path))
    write_onnx(program, metadata, path)
    return open_onnx(path)


@contextmanager
def refuse_untraceable(run: LoadedRun, where: str) -> Iterator[None]:
    """Raise RunError, which starts with `where`, if a custom network cannot be exported.

    The networks of csvision can be; their errors keep their traceback.
    """
    try:
        yield
    except (UserError, DivergedError):
        raise
    # torch and ONNX Runtime raise any exception for code and operators that they do not support.
    except Exception as error:
        if not isinstance(run.trained.model, CustomModelConfig):
            raise
        raise RunError(
            f"{where}: this custom network cannot be exported: {first_line(root_cause(error))}; "
            "write format=state_dict"
        ) from error


def root_cause(error: BaseException) -> BaseException:
    """Return the exception from which others were raised."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def quantize_and_measure(
    fp32: Path, int8: Path, metadata: dict[str, Any], train: Subset, test: Subset
) -> dict[str, dict[str, float]]:
    """Write an int8 version of an ONNX file; return the scores of both on the test rows."""
    rows = quantize.select_rows(len(train), quantize.CALIBRATION_ROWS)
    quantize.write_int8(fp32, int8, train.table.images[train.indices[rows]], metadata)
    images = test.table.images[test.indices]
    return {
        name: quantize.measure(path, images, test.labels)
        for name, path in (("fp32", fp32), ("int8", int8))
    }


def report(result: ExportResult) -> Iterator[str]:
    """Yield lines about an exported file."""
    yield (
        f"probabilities of {sum(BATCH_SIZES)} test rows differ by at most "
        f"{result.max_difference:.2g} from those of predict"
    )
    for name, scores in result.scores.items():
        yield (
            f"{name}: accuracy {scores['accuracy']:.4f} on the test rows, "
            f"{scores['images_per_second']:,.0f} images/s, {scores['bytes'] / 1e6:.2f} MB"
        )


def int8_warning(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Say that the int8 file is less accurate by more than MAX_LOSS; empty if it is not."""
    loss = scores["fp32"]["accuracy"] - scores["int8"]["accuracy"] if scores else 0.0
    if loss <= MAX_LOSS:
        return ""
    return (
        f"int8: {100 * loss:.1f} points of accuracy are lost on the test rows; use "
        f"{FILE_NAMES[ExportFormat.onnx]}, which is not quantized"
    )

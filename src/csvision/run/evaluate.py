"""Load a finished run, test it on other rows, predict the labels of a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from csvision.classifier import Classifier
from csvision.config import command_schema, schema
from csvision.data.read_options import ReadOptions
from csvision.data.splits import Subset
from csvision.data.table import ImageTable, read_table
from csvision.evaluation import (
    EVALUATION_SEED,
    EvalResult,
    check_finite,
    evaluate_split,
    prediction_table,
    write_results,
)
from csvision.files import make_dir, result_name, timestamp
from csvision.layer_shapes import transformed_shape
from csvision.models.build import build_model
from csvision.models.user_code import refuse_exit
from csvision.process import use_threads
from csvision.rng import derive_seed, isolate_rng, seeded_generators
from csvision.run.checkpoints import check_weights_hash, load_weights
from csvision.run.device import limit_threads, torch_device, validate_accelerator
from csvision.run.directory import RunDirectory, with_model_path
from csvision.run.launch_environment import (
    hide_trainer_defaults,
    validate_launch_environment,
)
from csvision.run.log import ignore_known_warnings, log
from csvision.run.memory import check_weights_memory
from csvision.run.prepare import check_writable
from csvision.run.resume import recorded_threads
from csvision.run.run_data import load_test_subset, read_data_spec, recorded_splits
from csvision.run.trainer import build_eval_trainer
from csvision.signals import handle_signals
from csvision.transforms import PadAndPermute


def load(path: Path, model_path: str | None = None, check_weights: bool = True) -> Classifier:
    """Return the classifier of a run, on the CPU and in eval mode.

    A run with model=custom needs `model_path`; no code is imported from a run directory. Raises
    RunError if this is not a run directory, has no suitable checkpoint or, with `check_weights`, if
    the weights of a finished run have changed.
    """
    use_threads()
    run_dir = RunDirectory(path)
    config = with_model_path(run_dir.read_config(), run_dir, model_path)
    spec = read_data_spec(run_dir)
    image_shape = transformed_shape(spec.image_shape, config.data)
    check_weights_memory(config, image_shape, len(spec.classes))
    # Equal seeds give equal constants, such as buffers that no checkpoint contains.
    seed = derive_seed(config.seed, "weights")
    network = build_model(config.model, image_shape, len(spec.classes), seed)
    channels = spec.image_shape[0]
    # The checkpoint contains the values of mean and std.
    classifier = Classifier(
        network,
        spec.classes,
        mean=[0.0] * channels,
        std=[1.0] * channels,
        transform=PadAndPermute(config.data, spec.image_shape),
    )
    if config.accelerator.precision == "64-true":
        classifier.double()
    checkpoint = run_dir.checkpoint(config.test_checkpoint)
    load_weights(classifier, checkpoint)
    if check_weights:
        check_weights_hash(run_dir, classifier, checkpoint)
    return classifier.eval()


def warn_if_unfinished(run_dir: RunDirectory) -> None:
    """Warn that the weights of an unfinished run are those of its last checkpoint."""
    state = run_dir.read_manifest().get("state")
    if state != "finished":
        log.warning("run=%s is %s; using its last checkpoint", run_dir.path, state)


def evaluate(config: command_schema.EvaluateConfig) -> tuple[EvalResult, Path]:
    """Test a run on its own test rows or on a file; return the result and its folder.

    Raises RunError, DataError or ConfigError for what cannot be evaluated.
    """
    validate_launch_environment(devices=1)
    validate_accelerator(config.device, key="device")
    run_dir = RunDirectory(Path(config.run))
    parent = results_parent(config.output_dir, run_dir.evaluations)
    warn_if_unfinished(run_dir)
    classifier = load(run_dir.path, config.model.path, config.check_weights)
    trained = with_model_path(run_dir.read_config(), run_dir, config.model.path)
    subset = eval_subset(run_dir, trained, config)
    threads = limit_threads(recorded_threads(run_dir) or trained.accelerator.num_threads)
    with (
        isolate_rng(),
        ignore_known_warnings(),
        hide_trainer_defaults(),
        threads,
        handle_signals(),
    ):
        trainer = build_eval_trainer(trained.accelerator, config.device)
        with refuse_exit(trained.model):
            result = evaluate_split(trainer, classifier, subset, trained.batch_size)
    folder = make_dir(parent / timestamp())
    write_results(result, result.metrics, folder)
    return result, folder


def results_parent(output_dir: str | None, default: Path) -> Path:
    """Return the folder in which results are written; raises ConfigError if it is not writable."""
    if output_dir is not None:
        check_writable(Path(output_dir))
        return Path(output_dir)
    check_writable(default, f"run={default.parent}", "write output_dir=FOLDER")
    return default


def eval_subset(
    run_dir: RunDirectory, trained: schema.TrainConfig, config: command_schema.EvaluateConfig
) -> Subset:
    """Return the test rows of the run, or all rows of a file."""
    csv = config.data.csv
    if csv is None or config.rows is command_schema.EvalRows.test:
        return load_test_subset(run_dir, trained, moved_to=csv)
    table = read_matching_table(csv, run_dir, other_file_options(trained.data, config.data))
    warn_if_trained_on(run_dir, csv, table)
    return Subset.full(table)


def warn_if_trained_on(run_dir: RunDirectory, csv: str, table: ImageTable) -> None:
    """Warn if rows of a file were used for training."""
    recorded = recorded_splits(run_dir)
    if recorded is None:
        return
    count = int(np.isin(table.hashes, recorded.train.images).sum())
    if count:
        log.warning(
            "%s: %d of %d images also occur in the training set of the run; test accuracy will be "
            "inflated",
            csv,
            count,
            len(table.images),
        )


def other_file_options(
    trained: schema.DataConfig,
    other: command_schema.EvalDataConfig | command_schema.PredictDataConfig,
) -> ReadOptions:
    """Return how to read another file than that of the run.

    Its pixel range is the given one, or compared with that of the run.
    """
    options = ReadOptions.from_config(trained)
    return replace(options, labels_csv=None, pixel_range=other.pixel_range)


def read_for_run(run_dir: RunDirectory, data: command_schema.PredictDataConfig) -> ImageTable:
    """Read a file, with or without labels, for the network of a run."""
    options = other_file_options(run_dir.read_config().data, data)
    return read_matching_table(data.csv, run_dir, replace(options, allow_missing_labels=True))


def read_matching_table(csv: str, run_dir: RunDirectory, options: ReadOptions) -> ImageTable:
    """Read a file whose image shape, columns, labels and pixel range must match those of the run.

    Logs what was decided while it was read.
    """
    table = read_table(csv, options, reference=read_data_spec(run_dir))
    if table.notices:
        log.info("%s: %s", csv, "; ".join(table.notices))
    return table


def predict(config: command_schema.PredictConfig) -> tuple[pd.DataFrame, Path]:
    """Predict the labels of a file; return the table and the path of predictions.csv.

    Raises RunError, DataError or ConfigError for what cannot be predicted.
    """
    validate_accelerator(config.device, key="device")
    run_dir = RunDirectory(Path(config.run))
    parent = results_parent(config.output_dir, run_dir.predictions)
    warn_if_unfinished(run_dir)
    classifier = load(run_dir.path, config.model.path, config.check_weights)
    classifier.to(torch_device(config.device))
    trained = with_model_path(run_dir.read_config(), run_dir, config.model.path)
    table = read_for_run(run_dir, config.data)
    batches = torch.split(torch.from_numpy(table.images), trained.batch_size)
    with seeded_generators(EVALUATION_SEED), refuse_exit(trained.model):
        probabilities = torch.cat([classifier.predict_proba(images).cpu() for images in batches])
    check_finite(probabilities.numpy())
    predictions = prediction_table(Subset.full(table), probabilities.numpy(), table.labels)
    path = make_dir(parent) / result_name(config.data.csv, ".csv")
    predictions.to_csv(path, index=False)
    return predictions, path

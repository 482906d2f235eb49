"""A finished run looked at again: its classifier, its figures on other rows, its predictions."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from lightning import Trainer
from lightning.pytorch.utilities.seed import isolate_rng

from csvision import schema
from csvision.arrangement import Arrangement, arranged_shape
from csvision.classifier import Classifier
from csvision.data.parsed import LabelValues
from csvision.data.split import Part, read_parts, whole
from csvision.data.table import ImageTable, read_table
from csvision.errors import ConfigError, RunError
from csvision.models.build import build_network
from csvision.run import device
from csvision.run.checkpoints import load_weights
from csvision.run.directory import RunDirectory, new_folder
from csvision.run.interruption import interruptible
from csvision.run.log import known_warnings_ignored
from csvision.run.recorded_config import read_config, with_code
from csvision.run.results import Evaluation, evaluate_part, prediction_table, write_results
from csvision.stamp import stamp


@dataclass(frozen=True)
class DataFacts:
    """What run.json says of the images that a run was trained on."""

    image_shape: tuple[int, ...]
    label_values: LabelValues
    classes: list[str]


def read_facts(run: RunDirectory) -> DataFacts:
    """The facts of a run's data; raises RunError when the run did not get that far."""
    data = run.read_manifest().get("data")
    if data is None:
        raise RunError(f"run={run.path}: its training did not begin")
    try:
        return DataFacts(tuple(data["image_shape"]), list(data["label_values"]), data["classes"])
    except (KeyError, TypeError) as error:
        raise RunError(f"{run.manifest}: its data is damaged: {error}") from error


def load(run: Path, model_path: str | None = None) -> Classifier:
    """The classifier of a run, on the CPU and in eval mode.

    A run of model=custom needs its code named again by `model_path`; nothing in a run directory
    is executed. Raises RunError when this is no run, or one without a checkpoint that fits.
    """
    directory = RunDirectory(run)
    settings = with_code(read_config(directory), directory, model_path)
    facts = read_facts(directory)
    shape = arranged_shape(facts.image_shape, settings.data)
    network = build_network(settings.model, shape, len(facts.classes), seed=0)
    channels = facts.image_shape[0]
    classifier = Classifier(
        network,
        facts.classes,
        mean=[0.0] * channels,
        deviation=[1.0] * channels,
        arrangement=Arrangement(settings.data, facts.image_shape),
    )
    if settings.accelerator.precision == "64-true":
        classifier.double()
    load_weights(classifier, directory.checkpoint(settings.weights))
    return classifier.eval()


def evaluate(settings: schema.Evaluate) -> tuple[Evaluation, Path]:
    """Test a run on its own test rows or on those of another file; the outcome and its folder.

    Raises RunError, DataError or ConfigError for what cannot be evaluated.
    """
    device.require(settings.device)
    run = RunDirectory(Path(settings.run))
    classifier = load(run.path, settings.model.path)
    trained = read_config(run)
    part = part_to_evaluate(run, trained, settings.data.csv)
    threads = device.threads(trained.accelerator.threads)
    with isolate_rng(), known_warnings_ignored(), threads, interruptible():
        trainer = testing_trainer(trained.accelerator, settings.device)
        evaluation = evaluate_part(trainer, classifier, part, trained.batch_size)
    folder = new_folder(run.evaluations / stamp())
    write_results(evaluation, evaluation.metrics, folder)
    return evaluation, folder


def part_to_evaluate(run: RunDirectory, trained: schema.Train, csv: str | None) -> Part:
    """All rows of a file, or the rows that the run was tested on."""
    if csv is None:
        return read_parts(trained.data, trained.debug.rows).test
    return whole(read_like(csv, run, trained))


def read_like(
    csv: str, run: RunDirectory, trained: schema.Train, unlabelled: bool = False
) -> ImageTable:
    """Read a file as the run read its own; its shape and labels must be the run's."""
    facts = read_facts(run)
    return read_table(
        csv,
        label=trained.data.label,
        image_shape=facts.image_shape,
        layout=trained.data.layout,
        classes=facts.classes,
        label_values=facts.label_values,
        unlabelled=unlabelled,
        cache=trained.data.cache,
        unpacked_gib=trained.data.unpacked_gib,
    )


def testing_trainer(trained: schema.Accelerator, where: schema.AcceleratorName) -> Trainer:
    """A Trainer that only tests, silently, with the arithmetic of the training."""
    return Trainer(
        accelerator=where.value,
        devices=1,
        precision=trained.precision,  # type: ignore[arg-type]
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def predict(settings: schema.Predict) -> tuple[pd.DataFrame, Path]:
    """Label the rows of a file; the table and the file that it was written to.

    Raises RunError, DataError or ConfigError for what cannot be predicted.
    """
    device.require(settings.device)
    if settings.data.csv is None:
        raise ConfigError("data.csv is null; write data.csv=FILE, whose rows are to be labelled")
    run = RunDirectory(Path(settings.run))
    classifier = load(run.path, settings.model.path)
    classifier.to(device.torch_device(settings.device))
    trained = read_config(run)
    table = read_like(settings.data.csv, run, trained, unlabelled=True)
    batches = torch.split(torch.from_numpy(table.images), trained.batch_size)
    probabilities = torch.cat([classifier.probabilities(images).cpu() for images in batches])
    result = prediction_table(whole(table), probabilities.numpy(), table.labels)
    path = (
        new_folder(run.predictions) / f"{Path(settings.data.csv).name.split('.')[0]}_{stamp()}.csv"
    )
    result.to_csv(path, index=False)
    return result, path

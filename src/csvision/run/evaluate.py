"""A finished run looked at again: its classifier, its figures on other rows, its predictions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning import Trainer
from lightning.pytorch.utilities.seed import isolate_rng

from csvision import schema
from csvision.classifier import Classifier
from csvision.data.split import Part, read_parts
from csvision.data.table import read_images, read_table
from csvision.errors import RunError
from csvision.models.build import build_network
from csvision.run import device
from csvision.run.directory import RunDirectory, read_config, stamp
from csvision.run.log import known_warnings_ignored
from csvision.run.results import Evaluation, evaluate_part, prediction_table, write_results
from csvision.run.train import load_weights


@dataclass(frozen=True)
class DataFacts:
    """What run.json says of the images that a run was trained on."""

    image_shape: tuple[int, ...]
    label_values: list[int]
    classes: list[str]


def read_facts(run: RunDirectory) -> DataFacts:
    """The facts of a run's data; raises RunError when the run did not get that far."""
    data = run.read_manifest().get("data")
    if data is None:
        raise RunError(f"run={run.path}: its training did not begin")
    return DataFacts(tuple(data["image_shape"]), data["label_values"], data["classes"])


def load(run: Path, model_path: str | None = None) -> Classifier:
    """The classifier of a run, on the CPU and in eval mode.

    A run of model=custom needs its code named again by `model_path`; nothing in a run directory
    is executed. Raises RunError when this is no run, or one without a checkpoint.
    """
    directory = RunDirectory(run)
    settings = read_config(directory)
    if isinstance(settings.model, schema.Custom):
        if model_path is None:
            raise RunError(f"{run} holds an own network; name its code: model.path=FILE.py:CLASS")
        settings.model.path = model_path
    facts = read_facts(directory)
    network = build_network(settings.model, facts.image_shape, len(facts.classes), seed=0)
    classifier = Classifier(network, facts.classes)
    if settings.accelerator.precision == "64-true":
        classifier.double()
    load_weights(classifier, directory.checkpoint())
    return classifier.eval()


def evaluate(settings: schema.Evaluate) -> tuple[Evaluation, Path]:
    """Test a run on its own test rows or on those of another file; the outcome and its folder.

    Raises RunError, DataError or ConfigError for what cannot be evaluated.
    """
    device.require(settings.accelerator)
    run = RunDirectory(Path(settings.run))
    classifier = load(run.path, settings.model.path)
    trained = read_config(run)
    part = part_to_evaluate(run, trained, settings.data.csv)
    with isolate_rng(), known_warnings_ignored():
        trainer = testing_trainer(trained.accelerator, settings.accelerator)
        evaluation = evaluate_part(trainer, classifier, part, trained.batch_size)
    folder = run.evaluations / stamp()
    folder.mkdir(parents=True)
    write_results(evaluation, evaluation.metrics, folder)
    return evaluation, folder


def part_to_evaluate(run: RunDirectory, trained: schema.Train, csv: str | None) -> Part:
    """All rows of a file, or the rows that the run was tested on."""
    if csv is None:
        return read_parts(trained.data, trained.debug.rows).test
    facts = read_facts(run)
    table = read_table(csv, facts.image_shape, facts.classes, facts.label_values)
    return Part(table, np.arange(len(table.images)))


def testing_trainer(trained: schema.Accelerator, where: schema.AcceleratorName) -> Trainer:
    """A Trainer that only tests, silently, with the arithmetic of the training."""
    if trained.threads is not None:
        torch.set_num_threads(trained.threads)
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
    device.require(settings.accelerator)
    assert settings.data.csv is not None
    run = RunDirectory(Path(settings.run))
    classifier = load(run.path, settings.model.path)
    classifier.to(device.torch_device(settings.accelerator))
    facts = read_facts(run)
    table = read_images(settings.data.csv, facts.image_shape, facts.label_values, facts.classes)
    batches = torch.split(torch.from_numpy(table.images), read_config(run).batch_size)
    probabilities = torch.cat([classifier.probabilities(images).cpu() for images in batches])
    part = Part(table, np.arange(len(table.images)))
    result = prediction_table(part, probabilities.numpy(), table.labels)
    run.predictions.mkdir(exist_ok=True)
    path = run.predictions / f"{Path(settings.data.csv).name.split('.')[0]}_{stamp()}.csv"
    result.to_csv(path, index=False)
    return result, path

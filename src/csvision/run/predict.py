"""Predict the labels of a file with a finished run."""

from pathlib import Path

import pandas as pd
import torch

from csvision.config import command_schema
from csvision.data.splits import Subset
from csvision.evaluation import EVALUATION_SEED, check_finite, prediction_table
from csvision.files import make_dir, result_name
from csvision.rng import seeded_generators
from csvision.run.device import torch_device
from csvision.run.loaded_run import LoadedRun, read_for_run


def predict(config: command_schema.PredictConfig) -> tuple[pd.DataFrame, Path]:
    """Predict the labels of a file; return the table and the path of predictions.csv.

    Raises RunError, DataError or ConfigError for what cannot be predicted.
    """
    run = LoadedRun.open(config, "predictions", config.device)
    table = read_for_run(run.directory, config.data)
    batches = torch.split(torch.from_numpy(table.images), run.trained.batch_size)
    classifier = run.classifier.to(torch_device(config.device))
    with (
        run.use_network(config.device) as trainer,
        seeded_generators(EVALUATION_SEED),
        trainer.precision_plugin.forward_context(),
    ):
        logits = torch.cat([classifier.predict_logits(images).cpu() for images in batches])
    probabilities = logits.float().softmax(dim=1).numpy()
    check_finite(probabilities)
    predicted = logits.argmax(dim=1).numpy()
    predictions = prediction_table(Subset.full(table), probabilities, predicted, table.labels)
    path = make_dir(run.results) / result_name(config.data.csv, ".csv")
    predictions.to_csv(path, index=False)
    return predictions, path

"""Log a finished run to TensorBoard: hyperparameters, configuration, graph and figures."""

import logging
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from csvision.classifier import Classifier
from csvision.config import schema
from csvision.config.serialize import config_to_dict
from csvision.errors import first_line
from csvision.evaluation import EvalResult
from csvision.plots import plot_confusion_matrix, plot_predictions

log = logging.getLogger("csvision")

EXCLUDED_HPARAMS = ("output_dir", "quiet", "logger", "debug")


def log_to_tensorboard(
    folder: Path,
    config: schema.TrainConfig,
    metrics: dict[str, float],
    evaluation: EvalResult,
    classifier: Classifier,
) -> None:
    """Add the results of a run to its event files."""
    values = config_to_dict(config)
    with SummaryWriter(folder) as writer:
        for name, value in metrics.items():
            if name.startswith("test/"):
                writer.add_scalar(name, value, config.epochs)
        write_hparams(writer, values, metrics)
        writer.add_text("config", f"```yaml\n{OmegaConf.to_yaml(values)}```")
        classes = evaluation.subset.table.classes
        confusion_matrix = plot_confusion_matrix(evaluation.confusion_matrix, classes)
        writer.add_figure("confusion matrix", confusion_matrix, config.epochs)
        writer.add_figure("test images", plot_predictions(evaluation), config.epochs)
        write_graph(writer, classifier, evaluation)


def write_hparams(writer: SummaryWriter, config: dict[str, Any], metrics: dict[str, float]) -> None:
    """Add a row to the HParams tab, in the event file of the run, where it finds the scalars."""
    # Without the list of columns, TensorBoard shows the columns of all runs.
    _, start, end = hparams(flatten_config(config), metrics)
    writer._get_file_writer().add_summary(start)
    writer._get_file_writer().add_summary(end)


def flatten_config(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return dotted keys with values of the types that TensorBoard accepts."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if not prefix and name in EXCLUDED_HPARAMS:
            continue
        if isinstance(value, dict):
            flat |= flatten_config(value, f"{prefix}{name}.")
        elif isinstance(value, bool | int | float | str):
            flat[f"{prefix}{name}"] = value
        else:
            flat[f"{prefix}{name}"] = str(value)
    return flat


def write_graph(writer: SummaryWriter, classifier: Classifier, evaluation: EvalResult) -> None:
    """Add the graph of the network, traced with one image; warn if it cannot be traced."""
    images = torch.from_numpy(evaluation.subset.table.images[:1])
    classifier.eval()
    transformed = classifier.transform(images)
    try:
        writer.add_graph(classifier.network, transformed.to(classifier.dtype) / 255)
    except OSError:
        # The file cannot be written.
        raise
    # Tracing executes the code of a custom network, which may raise any exception.
    except Exception as error:
        log.warning("TensorBoard has no graph of the network: %s", first_line(error))

"""Log a finished run to TensorBoard: hyperparameters, configuration, graph and figures."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from PIL import Image
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from csvision.classifier import Classifier
from csvision.config import schema
from csvision.config.baseline_schema import BaselineConfig, RunConfig
from csvision.config.serialize import config_to_dict
from csvision.errors import first_line
from csvision.evaluation import EvalResult
from csvision.hparams import group_name, hparam_values
from csvision.plots import CONFUSION_MATRIX, plot_predictions

log = logging.getLogger("csvision")

PICTURES = "visualizations"
"""The group of pictures; TensorBoard sorts groups by name and opens the first two."""


def log_to_tensorboard(
    folder: Path,
    config: schema.TrainConfig,
    metrics: dict[str, float],
    evaluation: EvalResult,
    classifier: Classifier,
    swept: Mapping[str, str],
) -> None:
    """Add the results of a run to its event files.

    `swept` has the keys that the sweep of the run varies, with their values as text.
    """
    with SummaryWriter(folder) as writer:
        for name, value in metrics.items():
            if name.startswith("test/"):
                writer.add_scalar(name, value, config.epochs)
        write_config(writer, config, swept)
        write_pictures(writer, folder, evaluation, config.epochs)
        write_graph(writer, classifier, evaluation)


def log_baseline(
    folder: Path,
    config: BaselineConfig,
    metrics: dict[str, float],
    evaluation: EvalResult,
    swept: Mapping[str, str],
) -> None:
    """Write the results of a baseline into an event file."""
    with SummaryWriter(folder) as writer:
        for name, value in metrics.items():
            writer.add_scalar(name, value)
        write_config(writer, config, swept)
        write_pictures(writer, folder, evaluation, step=0)


def write_pictures(writer: SummaryWriter, folder: Path, evaluation: EvalResult, step: int) -> None:
    """Add confusion_matrix.png of the run directory, and test images with their predictions."""
    with Image.open(folder / CONFUSION_MATRIX) as image:
        pixels = np.asarray(image.convert("RGB"))
    writer.add_image(f"{PICTURES}/confusion matrix", pixels, step, dataformats="HWC")
    writer.add_figure(f"{PICTURES}/test images", plot_predictions(evaluation), step)


def write_config(writer: SummaryWriter, config: RunConfig, swept: Mapping[str, str]) -> None:
    """Add the configuration as text, and a row to the HParams tab.

    The row is in the event file of the run, where TensorBoard finds the scalars. Without a list of
    columns, it shows the keys and the metrics of all runs.
    """
    writer.add_text("config", f"```yaml\n{OmegaConf.to_yaml(config_to_dict(config))}```")
    _, start, end = hparams(hparam_values(config, swept), {})
    plugin_data = start.value[0].metadata.plugin_data
    content = HParamsPluginData.FromString(plugin_data.content)
    content.session_start_info.group_name = group_name(config, swept)
    plugin_data.content = content.SerializeToString()
    writer._get_file_writer().add_summary(start)
    writer._get_file_writer().add_summary(end)


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

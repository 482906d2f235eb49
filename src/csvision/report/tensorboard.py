"""What TensorBoard shows of a run besides its curves."""

from typing import Any

import torch
from omegaconf import OmegaConf
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from csvision import config
from csvision.report.figures import confusion_figure, prediction_sheet
from csvision.run.log import known_warnings_ignored
from csvision.run.train import Trained

NOT_HYPERPARAMETERS = ("outputs", "quiet", "logger", "debug")


def write_pages(trained: Trained) -> None:
    """Add hyper-parameters with final metrics, config, graph and pictures to a run's events."""
    settings = config.plain(trained.config)
    epochs = trained.config.epochs
    evaluation = trained.evaluation
    with SummaryWriter(trained.directory) as writer, known_warnings_ignored():
        for name, value in trained.metrics.items():
            if name.startswith("test/"):
                writer.add_scalar(name, value, epochs)
        write_hyperparameters(writer, settings, trained.metrics)
        writer.add_text("config", f"```yaml\n{OmegaConf.to_yaml(settings)}```")
        confusion = confusion_figure(evaluation.confusion, evaluation.part.table.classes)
        writer.add_figure("confusion matrix", confusion, epochs)
        writer.add_figure("test images", prediction_sheet(evaluation), epochs)
        write_graph(writer, trained)


def write_hyperparameters(
    writer: SummaryWriter, settings: dict[str, Any], metrics: dict[str, float]
) -> None:
    """A row of the HParams tab; in the run's own events, where its scalars are looked up."""
    # Of several runs' lists of columns TensorBoard takes any one; without, it unites all rows'.
    _, start, end = hparams(flattened(settings), metrics)
    writer._get_file_writer().add_summary(start)
    writer._get_file_writer().add_summary(end)


def flattened(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Keys as on the command line, values as TensorBoard takes them."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if not prefix and name in NOT_HYPERPARAMETERS:
            continue
        if isinstance(value, dict):
            flat |= flattened(value, f"{prefix}{name}.")
        elif isinstance(value, bool | int | float | str):
            flat[f"{prefix}{name}"] = value
        else:
            flat[f"{prefix}{name}"] = str(value)
    return flat


def write_graph(writer: SummaryWriter, trained: Trained) -> None:
    """The network's graph, traced with one image."""
    images = torch.from_numpy(trained.evaluation.part.table.images[:1])
    classifier = trained.classifier
    classifier.eval()
    shown = classifier.arrangement(images)
    writer.add_graph(classifier.network, shown.to(classifier.dtype) / 255)

"""The pictures of a finished run."""

from pathlib import Path

from csvision.report.figures import confusion_figure
from csvision.report.tensorboard import write_pages
from csvision.run.results import Evaluation
from csvision.run.train import Trained
from csvision.schema import LoggerName


def draw_run(trained: Trained) -> None:
    """Draw what training left behind, into its directory and for TensorBoard."""
    draw_evaluation(trained.evaluation, trained.directory)
    if trained.config.logger.name is LoggerName.tensorboard:
        write_pages(trained)


def draw_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Draw confusion_matrix.png."""
    figure = confusion_figure(evaluation.confusion, evaluation.part.table.classes)
    figure.savefig(folder / "confusion_matrix.png", dpi=100)

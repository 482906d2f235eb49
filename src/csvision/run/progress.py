"""What one epoch leaves behind: a line on the console, a row of history.csv, points of curves."""

import csv
import time
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm
from torch.utils.tensorboard import SummaryWriter

from csvision.run.directory import RunDirectory
from csvision.run.log import log

COLUMNS = ("epoch", "lr", "train/loss", "val/loss", "val/acc", "seconds")


class EpochRecorder(Callback):
    """Records each epoch's learning rate, losses and accuracy, all of them over the whole epoch.

    Checkpoints hold the rows of history.csv, from which a fit that goes on writes it, and the
    curves, anew: no epoch stands there twice.
    """

    def __init__(self, run: RunDirectory, curves: bool) -> None:
        self.run = run
        self.with_curves = curves
        self.curves: SummaryWriter | None = None
        self.rows: list[dict[str, Any]] = []
        self.rate = 0.0
        self.started = time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, and what is known of the epoch under way."""
        seconds = time.perf_counter() - self.started
        return {"rows": self.rows, "rate": self.rate, "seconds": seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there; the time between does not count."""
        self.rows, self.rate = state_dict["rows"], state_dict["rate"]
        self.started = time.perf_counter() - state_dict["seconds"]

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin history.csv and the curves with the rows so far."""
        if not trainer.is_global_zero:
            return
        with self.run.history.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(COLUMNS)
        if self.with_curves:
            for events in self.run.path.glob("events.out.tfevents.*"):
                events.unlink()
            self.curves = SummaryWriter(self.run.path)
        for row in self.rows:
            self.write(row)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock, and note the rate with which the epoch begins."""
        self.started = time.perf_counter()
        self.rate = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the epoch; Lightning has validated by now."""
        values: dict[str, Any] = {"epoch": trainer.current_epoch + 1, "lr": self.rate}
        values |= {
            name: float(trainer.callback_metrics[name])
            for name in COLUMNS
            if name in trainer.callback_metrics
        }
        values["seconds"] = round(time.perf_counter() - self.started, 3)
        self.rows.append(values)
        if trainer.is_global_zero:
            self.write(values)
            log.info(epoch_line(values, trainer.max_epochs or 0))

    def write(self, row: dict[str, Any]) -> None:
        """Add an epoch to history.csv and to the curves."""
        with self.run.history.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([row.get(column, "") for column in COLUMNS])
        if self.curves is not None:
            for name in row.keys() - {"epoch"}:
                self.curves.add_scalar(name, row[name], row["epoch"])
            self.curves.flush()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the curves; an open writer keeps a thread."""
        if self.curves is not None:
            self.curves.close()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Close the curves of a fit that broke off."""
        self.on_fit_end(trainer, pl_module)


def epoch_line(values: dict[str, Any], epochs: int) -> str:
    """One line that tells of one epoch."""
    scores = [f"{name} {values[name]:.4f}" for name in COLUMNS[2:5] if name in values]
    return "  ".join([f"epoch {values['epoch']}/{epochs}", *scores, f"{values['seconds']:.1f} s"])


class EpochBar(TQDMProgressBar):
    """A bar an epoch, counted from 1 as its line is; no bar stays when it is done."""

    def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
        """Begin an epoch's bar."""
        super().on_train_epoch_start(trainer, *args)
        self.train_progress_bar.set_description(f"epoch {trainer.current_epoch + 1}")

    def init_train_tqdm(self) -> Tqdm:
        """The bar of training."""
        return passing(super().init_train_tqdm())

    def init_validation_tqdm(self) -> Tqdm:
        """The bar of validation."""
        return passing(super().init_validation_tqdm())

    def init_test_tqdm(self) -> Tqdm:
        """The bar of testing."""
        return passing(super().init_test_tqdm())

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Lightning's metrics without the version of its logger."""
        metrics: dict[str, Any] = dict(super().get_metrics(trainer, pl_module))
        metrics.pop("v_num", None)
        return metrics


def passing(bar: Tqdm) -> Tqdm:
    """A bar that goes when it is closed."""
    bar.leave = False
    return bar

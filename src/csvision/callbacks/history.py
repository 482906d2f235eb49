"""Record each epoch: a log line, a row of history.csv, points of TensorBoard curves."""

import csv
import logging
import time
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch.utils.tensorboard import SummaryWriter

log = logging.getLogger("csvision")

CURVES = "curves"
"""The group of the curves in TensorBoard, which sorts groups by name."""


class HistoryCallback(Callback):
    """Records the learning rate, all train/ and val/ metrics and the duration of each epoch.

    Checkpoints contain the rows of `history_csv`. A resumed run rewrites the file and the curves
    from them, so no epoch occurs twice. Curves go to `tensorboard_dir`, if given.
    """

    def __init__(self, history_csv: Path, tensorboard_dir: Path | None) -> None:
        self.history_csv = history_csv
        self.tensorboard_dir = tensorboard_dir
        self.writer: SummaryWriter | None = None
        self.rows: list[dict[str, Any]] = []
        self.columns: list[str] = []
        self.lr = 0.0
        self.started = time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far, and the learning rate and duration of the current epoch."""
        seconds = time.perf_counter() - self.started
        # Checkpoints of version 0.1 have the key "rate", too.
        return {"rows": self.rows, "rate": self.lr, "seconds": seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state; the time between save and resume does not count."""
        self.rows, self.lr = state_dict["rows"], state_dict["rate"]
        self.started = time.perf_counter() - state_dict["seconds"]

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write history.csv and the curves from the rows so far."""
        if not trainer.is_global_zero:
            return
        if self.tensorboard_dir is not None:
            for events in self.tensorboard_dir.glob("events.out.tfevents.*"):
                events.unlink()
            self.writer = SummaryWriter(self.tensorboard_dir)
        self.write_csv()
        for row in self.rows:
            self.write_curves(row)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock and keep the learning rate at the start of the epoch."""
        self.started = time.perf_counter()
        self.lr = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the epoch; Lightning has run the validation before."""
        row: dict[str, Any] = {"epoch": trainer.current_epoch + 1, "lr": self.lr}
        for split in ("train/", "val/"):
            row |= {
                name: float(value)
                for name, value in trainer.callback_metrics.items()
                if name.startswith(split)
            }
        row["seconds"] = round(time.perf_counter() - self.started, 3)
        self.rows.append(row)
        if trainer.is_global_zero:
            self.append_csv(row)
            self.write_curves(row)
            log.info(format_epoch(row, trainer.max_epochs or 0))

    def write_csv(self) -> None:
        """Write all epochs; a column for each metric that any epoch has."""
        self.columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with self.history_csv.open("w", encoding="utf-8", newline="") as file:
            if self.columns:
                writer = csv.DictWriter(file, self.columns, lineterminator="\n")
                writer.writeheader()
                writer.writerows(self.rows)

    def append_csv(self, row: dict[str, Any]) -> None:
        """Append an epoch, or write all epochs if it has other metrics than those before."""
        if list(row) != self.columns:
            self.write_csv()
            return
        with self.history_csv.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)

    def write_curves(self, row: dict[str, Any]) -> None:
        """Add the metrics of an epoch to the curves.

        TensorBoard would show rate and duration of the last epoch in the table of hyperparameters.
        """
        if self.writer is not None:
            for name, value in row.items():
                if "/" in name:
                    self.writer.add_scalar(f"{CURVES}/{name}", value, row["epoch"])
            self.writer.flush()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the writer and its thread."""
        if self.writer is not None:
            self.writer.close()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Close the writer after an error."""
        self.on_fit_end(trainer, pl_module)


def format_epoch(row: dict[str, Any], epochs: int) -> str:
    """Format the row of one epoch as one line."""
    metrics = [f"{name} {value:.4f}" for name, value in row.items() if "/" in name]
    return "  ".join([f"epoch {row['epoch']}/{epochs}", *metrics, f"{row['seconds']:.1f} s"])

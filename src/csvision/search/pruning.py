"""Report each epoch of a trial to Optuna, and stop the trial if others are better."""

from collections.abc import Iterable

from lightning import Callback, LightningModule, Trainer
from optuna import Trial
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner

from csvision.callbacks.history import HistoryCallback
from csvision.config.search_schema import OptunaConfig, PrunerName
from csvision.errors import PrunedError

MEDIAN_STARTUP_TRIALS = 4
"""Finished trials before the median rule stops a trial."""


def build_pruner(settings: OptunaConfig, max_epochs: int) -> BasePruner:
    """Return the pruner of a search whose trials have at most `max_epochs`."""
    match settings.pruner:
        case PrunerName.median:
            return MedianPruner(
                n_startup_trials=MEDIAN_STARTUP_TRIALS, n_warmup_steps=settings.n_warmup_epochs
            )
        case PrunerName.hyperband:
            return HyperbandPruner(
                min_resource=min(settings.n_warmup_epochs, max_epochs), max_resource=max_epochs
            )
        case PrunerName.none:
            return NopPruner()


PRUNED_AFTER = "pruned_after"
"""The attribute of a trial that the pruner has stopped: the epoch."""


class PruningCallback(Callback):
    """Reports the metric of each epoch, numbered from 1; raises PrunedError for a bad trial.

    The checkpoint of the epoch has been saved before, so the trial can still be resumed as a run.
    The last epoch is reported, but prunes nothing.
    """

    def __init__(self, trial: Trial, metric: str, reported: Iterable[int]) -> None:
        self.trial = trial
        self.metric = metric
        self.reported = set(reported)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report what a trial did not report before it was interrupted; stop it if it was bad."""
        if (epoch := self.trial.user_attrs.get(PRUNED_AFTER)) is not None:
            raise pruned_error(epoch)
        self.report_history(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report the epoch; Lightning has run the validation before."""
        value = float(trainer.callback_metrics[self.metric])
        self.report(trainer, trainer.current_epoch + 1, value)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report the last epoch of a trial that was killed after the checkpoint of this epoch.

        Lightning, which has nothing to train then, calls none of the methods above.
        """
        self.report_history(trainer)

    def report_history(self, trainer: Trainer) -> None:
        """Report the epochs in the history of the run that were not reported."""
        callbacks = trainer.callbacks  # type: ignore[attr-defined]
        (history,) = (each for each in callbacks if isinstance(each, HistoryCallback))
        for row in history.rows:
            self.report(trainer, row["epoch"], row[self.metric])

    def report(self, trainer: Trainer, epoch: int, value: float) -> None:
        """Report an epoch once, and ask whether the trial must stop.

        An epoch may be trained again, with the same result, if the process was killed in it.
        """
        if epoch in self.reported:
            return
        self.trial.report(value, epoch)
        self.reported.add(epoch)
        if epoch < (trainer.max_epochs or 0) and self.trial.should_prune():
            self.trial.set_user_attr(PRUNED_AFTER, epoch)
            raise pruned_error(epoch)


def pruned_error(epoch: int) -> PrunedError:
    """Return the error that ends a trial."""
    return PrunedError(f"pruned after epoch {epoch}, because other trials have better values")

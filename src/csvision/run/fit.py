"""Fit the network of a run, from the start or from a checkpoint."""

from pathlib import Path

from lightning import Trainer

from csvision.callbacks.rng_state import RNGStateCallback
from csvision.classifier import Classifier
from csvision.data.datamodule import CSVDataModule
from csvision.errors import RunError, first_line
from csvision.rng import derive_process_seed, derive_seed, seed_global_generators
from csvision.run.directory import RunDirectory
from csvision.run.log import log
from csvision.run.prepare import PreparedRun
from csvision.run.training_state import latest_checkpoint


def fit(
    trainer: Trainer,
    classifier: Classifier,
    prepared: PreparedRun,
    resume_from: RunDirectory | None,
) -> None:
    """Fit the classifier, starting at the latest checkpoint of a resumed run.

    Raises RunError if the state in the checkpoint cannot be restored.
    """
    config = prepared.config
    data = CSVDataModule(
        prepared.splits,
        config.batch_size,
        derive_seed(config.seed, "batches"),
        config.data.balanced_sampling,
    )
    # Dropout draws from the global generator of torch.
    seed = derive_process_seed(config.seed, "dropout", trainer.global_rank)
    seed_global_generators(config.seed, torch_seed=seed)
    if resume_from is None:
        trainer.fit(classifier, data)
        return
    checkpoint = latest_checkpoint(resume_from, trainer, classifier, data)
    if checkpoint is None:
        log.info("the run has no checkpoint; training from the beginning")
        trainer.fit(classifier, data)
        return
    log.info("resuming from %s", checkpoint)
    try:
        trainer.fit(classifier, data, ckpt_path=checkpoint, weights_only=True)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if was_restored(trainer):
            raise
        raise invalid_state_error(checkpoint, error) from error


def was_restored(trainer: Trainer) -> bool:
    """Return whether the training has started after the state of a checkpoint was restored."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    return any(
        isinstance(callback, RNGStateCallback) and callback.was_restored for callback in callbacks
    )


def invalid_state_error(path: Path, error: Exception) -> RunError:
    """Return the error of a checkpoint whose structure is right, but not its values."""
    return RunError(
        f"{path} has a state that cannot be restored ({first_line(error)}); move it away to resume "
        "from the checkpoint before it"
    )

"""Find a learning rate: a range test on the training rows, with a table and a figure."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
from lightning import Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment

from csvision.callbacks.progress_bar import EpochProgressBar
from csvision.callbacks.range_test import (
    CLEAR_DESCENT,
    RangeTestCallback,
    is_clear_descent,
    suggest_lr,
)
from csvision.config import schema
from csvision.config.lr_find_schema import LRFindConfig
from csvision.config.serialize import config_to_dict
from csvision.data.datamodule import CSVDataModule
from csvision.errors import ConfigError
from csvision.files import make_dir, timestamp, write_json
from csvision.models.user_code import refuse_exit
from csvision.plots import plot_range_test
from csvision.process_state import use_threads
from csvision.rng import derive_process_seed, derive_seed, isolate_rng, seed_global_generators
from csvision.run.build_classifier import build_classifier
from csvision.run.launch_environment import hide_trainer_defaults, restore_launch_variables
from csvision.run.log import is_terminal, log
from csvision.run.prepare import PreparedRun
from csvision.run.threads import choose_num_threads, limit_threads
from csvision.run.trainer import deterministic
from csvision.signals import handle_signals


@dataclass(frozen=True)
class LRFindResult:
    """A finished range test: the suggestion, the directory, and one value per step.

    `suggestion` is None if the loss does not decrease before it rises. `losses` are those of the
    batches before each step, `smoothed` their exponential moving average.
    """

    suggestion: float | None
    directory: Path
    lrs: list[float] = field(repr=False)
    losses: list[float] = field(repr=False)
    smoothed: list[float] = field(repr=False)


def find_lr(config: LRFindConfig, prepared: PreparedRun) -> LRFindResult:
    """Train while the learning rate grows, and write the results; only training rows are used.

    Raises ConfigError for several devices, and RunError if the folder cannot be created.
    """
    test = RangeTestCallback(config.lr_find)
    run_test(config, prepared, test)
    suggestion = suggest_lr(test.lrs, test.smoothed)
    folder = make_dir(
        Path(config.output_dir).absolute()
        / "lr_find"
        / f"{timestamp()}_{config.model.name}_seed{config.seed}"
    )
    result = LRFindResult(suggestion, folder, test.lrs, test.losses, test.smoothed)
    write_result(result, config)
    ended = "the loss diverged" if test.diverged else "the largest rate"
    log.info("%d steps, up to learning rate %.3g: %s", len(test.lrs), test.lrs[-1], ended)
    if suggestion is None:
        log.warning("no suggestion: the loss does not decrease; see %s", folder / "lr_find.png")
    else:
        if not is_clear_descent(test.smoothed):
            log.warning(
                "no clear descent: the loss decreases by less than %.0f %% before it rises; look "
                "at %s before you use the suggestion",
                100 * CLEAR_DESCENT,
                folder / "lr_find.png",
            )
        log.info("suggested learning rate; to use it: optimizer.lr=%.2g", suggestion)
    return result


def run_test(config: LRFindConfig, prepared: PreparedRun, test: RangeTestCallback) -> None:
    """Train with the callback of the range test; everything else is as in a run."""
    if config.accelerator.devices > 1:
        raise ConfigError(
            f"accelerator.devices={config.accelerator.devices}: lr-find uses one device; write "
            "accelerator.devices=1"
        )
    use_threads()
    show_bar = is_terminal() and not config.quiet
    with (
        handle_signals(),
        isolate_rng(),
        limit_threads(choose_num_threads(config, prepared.image_shape, prepared.num_classes)),
        restore_launch_variables(),
        hide_trainer_defaults(),
        refuse_exit(config.model),
    ):
        classifier = build_classifier(replace(prepared, config=without_scheduler(config)))
        seed_global_generators(config.seed, derive_process_seed(config.seed, "dropout", 0))
        data = CSVDataModule(
            prepared.splits, config.batch_size, derive_seed(config.seed, "batches")
        )
        Trainer(
            accelerator=config.accelerator.name.value,
            devices=1,
            plugins=[LightningEnvironment()],
            precision=config.accelerator.precision,  # type: ignore[arg-type]
            deterministic=deterministic(config.accelerator.name),
            max_steps=config.lr_find.num_steps,
            limit_val_batches=0,
            num_sanity_val_steps=0,
            callbacks=[test, *([EpochProgressBar()] if show_bar else [])],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=show_bar,
            enable_model_summary=False,
        ).fit(classifier, data)


def without_scheduler(config: LRFindConfig) -> LRFindConfig:
    """Return the configuration with a constant schedule: the callback sets the rate."""
    return replace(config, scheduler=schema.SchedulerConfig(schema.SchedulerName.none))


def write_result(result: LRFindResult, config: LRFindConfig) -> None:
    """Write lr_find.csv, lr_find.png and lr_find.json."""
    rows = {"lr": result.lrs, "loss": result.losses, "smoothed_loss": result.smoothed}
    table = pd.DataFrame(rows).rename_axis("step").reset_index()
    table.to_csv(result.directory / "lr_find.csv", index=False)
    finite = [loss if math.isfinite(loss) else math.nan for loss in result.smoothed]
    figure = plot_range_test(result.lrs, result.losses, finite, result.suggestion)
    figure.savefig(result.directory / "lr_find.png", dpi=100)
    content = {"suggestion": result.suggestion, "config": config_to_dict(config)}
    write_json(result.directory / "lr_find.json", content)

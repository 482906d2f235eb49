"""The losses of the first steps of six configurations; record them again with

python -m tests.golden.record
"""

import json
from pathlib import Path
from typing import Literal

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.seed import isolate_rng

from csvision.config.compose import load_config
from csvision.data.datamodule import CSVDataModule
from csvision.rng import derive_seed, seed_global_generators
from csvision.run.build_classifier import build_classifier
from csvision.run.log import log_to_console
from csvision.run.prepare import prepare_run
from csvision.run.threads import limit_threads

FILE = Path(__file__).with_name("losses.json")

COMMON = ("accelerator=cpu", "debug.limit_rows=96", "batch_size=16", "epochs=3", "data.cache=none")

RESIDUAL = "model.stages=[{filters:4,normalization:batch,residual:1},{filters:8,dropout:0.1}]"

CONFIGURATIONS = {
    "default": (),
    "mlp": ("model=mlp", "model.hidden=[32,16]", "model.dropout=0.2"),
    "notebook mlp": ("experiment=notebook_mlp", "epochs=3", "batch_size=16"),
    "residual, augmented": (RESIDUAL, "augmentation=standard", "model.dropout=0.3"),
    "strided, average pooling": (
        "model.stages=[{filters:4,stride:2},{filters:4,pool:avg,dilation:2,activation:gelu}]",
        "model.global_pool=avg",
        "optimizer=sgd",
        "optimizer.momentum=0.9",
        "scheduler=cosine",
    ),
    "normalized": ("data.normalize=true", "optimizer=adam", "scheduler=step", "seed=7"),
}


class LossRecorder(Callback):
    """The loss of each step."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, *args: object
    ) -> None:
        """Record the loss of one step."""
        assert isinstance(outputs, dict)
        self.losses.append(float(outputs["loss"]))


def compute_losses(
    name: str, *overrides: str, precision: Literal["32-true", "64-true"] = "32-true"
) -> list[float]:
    """Train one configuration, with further overrides, in one thread; return its losses."""
    config = load_config("train", [*COMMON, *CONFIGURATIONS[name], *overrides])
    prepared = prepare_run(config)
    recorder = LossRecorder()
    with log_to_console(quiet=True), isolate_rng(), limit_threads(1):
        classifier = build_classifier(prepared)
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=config.epochs,
            precision=precision,
            callbacks=[recorder],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
        )
        seed = derive_seed(config.seed, "batches")
        data = CSVDataModule(prepared.splits, config.batch_size, seed)
        seed_global_generators(config.seed, torch_seed=derive_seed(config.seed, "dropout"))
        trainer.fit(classifier, data)
    return recorder.losses


if __name__ == "__main__":
    losses = {name: compute_losses(name) for name in CONFIGURATIONS}
    FILE.write_text(json.dumps(losses, indent=1) + "\n", encoding="utf-8")

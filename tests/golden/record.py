"""The losses of the first steps of six configurations; run this to record them anew:

python -m tests.golden.record
"""

import json
from pathlib import Path

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.seed import isolate_rng

from csvision import config, schema
from csvision.data.module import CSVDataModule
from csvision.data.split import read_parts
from csvision.models.build import build_network
from csvision.run import device
from csvision.run import log as run_log
from csvision.run.random_streams import seed_global_streams
from csvision.run.train import build_classifier
from csvision.seeding import stream_seed

FILE = Path(__file__).with_name("losses.json")

COMMON = ("accelerator=cpu", "debug.rows=96", "batch_size=16", "epochs=3", "data.cache=none")

RESIDUAL = "model.stages=[{filters:4,normalization:batch,residual:1},{filters:8,dropout:0.1}]"

CONFIGURATIONS = {
    "the default": (),
    "mlp": ("model=mlp", "model.hidden=[32,16]", "model.dropout=0.2"),
    "the notebook's mlp": ("experiment=notebook_mlp", "epochs=3", "batch_size=16"),
    "residual, augmented": (RESIDUAL, "augmentation=standard", "model.dropout=0.3"),
    "strides and averages": (
        "model.stages=[{filters:4,stride:2},{filters:4,pool:avg,dilation:2,activation:gelu}]",
        "model.head=global_average",
        "optimizer=sgd",
        "optimizer.momentum=0.9",
        "scheduler=cosine",
    ),
    "standardised": ("data.standardize=true", "optimizer=adam", "scheduler=step", "seed=7"),
}


class Losses(Callback):
    """The loss of each step."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, *args: object
    ) -> None:
        """Note one."""
        assert isinstance(outputs, dict)
        self.values.append(float(outputs["loss"]))


def losses(name: str, *overrides: str) -> list[float]:
    """The losses of one configuration, perhaps changed, computed now with one thread."""
    settings: schema.Train = config.load(
        config.compose("train", (*COMMON, *CONFIGURATIONS[name], *overrides))
    )
    parts = read_parts(settings.data, settings.debug.rows)
    table = parts.train.table
    recorded = Losses()
    with run_log.console(quiet=True), isolate_rng(), device.threads(1):
        seed = stream_seed(settings.seed, "weights")
        network = build_network(settings.model, table.image_shape, len(table.classes), seed)
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=settings.epochs,
            callbacks=[recorded],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            limit_val_batches=0,
        )
        data = CSVDataModule(parts, settings.batch_size, stream_seed(settings.seed, "batches"))
        seed_global_streams(settings.seed)
        trainer.fit(build_classifier(network, parts, settings), data)
    return recorded.values


if __name__ == "__main__":
    found = {name: losses(name) for name in CONFIGURATIONS}
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

"""What every network is trained and judged by; knows no architecture.

Shapes: B images a batch, (C, H, W) an image, K classes.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from lightning import LightningModule
from torch import Tensor, nn
from torchmetrics import MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
)

from csvision import schema
from csvision.data.batches import Batch
from csvision.optimization import build_optimizer, build_scheduler


class Classifier(LightningModule):
    """A network with cross-entropy loss, accuracy, macro F1 and an optimizer.

    Takes uint8 images as they stand in the table. `optimizer` and `scheduler` are needed for
    fitting only. After a test, `test_logits` (N, K) and `confusion` (K, K) hold its outcome.
    """

    def __init__(
        self,
        network: nn.Module,
        classes: Sequence[str],
        optimizer: schema.Optimizer | None = None,
        scheduler: schema.Scheduler | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.classes = list(classes)
        self.optimizer = optimizer
        self.scheduler = scheduler
        count = len(self.classes)
        self.val_accuracy = MulticlassAccuracy(count, average="micro")
        self.test_scores = MetricCollection(
            {
                "test/acc": MulticlassAccuracy(count, average="micro"),
                "test/f1": MulticlassF1Score(count, average="macro"),
            }
        )
        self.test_class_accuracy = MulticlassAccuracy(count, average="none")
        self.test_confusion = MulticlassConfusionMatrix(count)
        self.test_outputs: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> logits (B, K)."""
        logits: Tensor = self.network(images.to(self.dtype) / 255)
        return logits

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> probabilities (B, K), in eval mode."""
        training = self.training
        self.eval()
        result: Tensor = self(images.to(self.device)).softmax(dim=1)
        self.train(training)
        return result

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The mean loss of a batch."""
        images, labels = batch
        loss = F.cross_entropy(self(images), labels)
        # Weighted by the batch: the mean over the epoch's images, whatever the last batch's size.
        self.log(
            "train/loss",
            loss,
            on_step=False,
            on_epoch=True,
            prog_bar=True,
            batch_size=len(labels),
        )
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Loss and accuracy on validation rows."""
        images, labels = batch
        logits = self(images)
        self.val_accuracy(logits, labels)
        self.log_mean("val/loss", F.cross_entropy(logits, labels), labels)
        self.log_mean("val/acc", self.val_accuracy, labels)

    def on_test_epoch_start(self) -> None:
        """Forget the last test."""
        self.test_outputs.clear()

    def test_step(self, batch: Batch, batch_index: int) -> None:
        """Loss and scores on test rows."""
        images, labels = batch
        logits = self(images)
        self.test_outputs.append(logits.float().cpu())
        self.test_scores(logits, labels)
        self.test_class_accuracy.update(logits, labels)
        self.test_confusion.update(logits, labels)
        self.log_mean("test/loss", F.cross_entropy(logits, labels), labels)
        self.log_dict(self.test_scores, on_step=False, on_epoch=True)

    def on_test_epoch_end(self) -> None:
        """Keep what has a value for each class."""
        self.test_logits = torch.cat(self.test_outputs)
        self.class_accuracy = self.test_class_accuracy.compute().cpu()
        self.confusion = self.test_confusion.compute().cpu()
        self.test_class_accuracy.reset()
        self.test_confusion.reset()

    def log_mean(self, name: str, value: Any, labels: Tensor) -> None:
        """Log the mean over the epoch's images."""
        self.log(name, value, on_step=False, on_epoch=True, batch_size=len(labels))

    def configure_optimizers(self) -> Any:
        """The configured optimizer and schedule."""
        assert self.optimizer is not None
        assert self.scheduler is not None
        optimizer = build_optimizer(self.optimizer, self.network.parameters())
        steps = int(self.trainer.estimated_stepping_batches)
        scheduler = build_scheduler(self.scheduler, optimizer, steps)
        if scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

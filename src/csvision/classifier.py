"""What every network is trained and judged by; knows no architecture.

Shapes: B images a batch, (C, H, W) an image, K classes.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from lightning import LightningModule
from torch import Tensor, nn
from torchmetrics import MeanMetric, Metric, MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
)

from csvision import schema
from csvision.arrangement import Arrangement
from csvision.augmentation import Augmentation
from csvision.data.batches import Batch
from csvision.optimization import build_optimizer, build_scheduler


class Classifier(LightningModule):
    """A network with cross-entropy loss, accuracy, macro F1 and an optimizer.

    Takes uint8 images as they stand in the table; `arrangement` lays them out, `mean` and
    `deviation` of each channel's values from 0 to 1 standardise them. `optimizer`, `scheduler` and
    `augmentation` matter for fitting only. After a test, `test_logits` (N, K) and `confusion`
    (K, K) hold its outcome.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        network: nn.Module,
        classes: Sequence[str],
        optimizer: schema.Optimizer | None = None,
        scheduler: schema.Scheduler | None = None,
        augmentation: Augmentation | None = None,
        mean: Sequence[float] = (0.0,),
        deviation: Sequence[float] = (1.0,),
        arrangement: Arrangement | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.arrangement = arrangement or nn.Identity()
        self.classes = list(classes)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.augmentation = augmentation
        self.register_buffer("mean", torch.tensor(mean).reshape(-1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).reshape(-1, 1, 1))
        count = len(self.classes)
        # Lightning's own mean over processes is wrong for unequal shares of the images: it rounds
        # their mean number down. These take images one by one: with nan_strategy="disable"
        # torchmetrics ignores weights.
        self.train_loss = MeanMetric(nan_strategy="disable")
        # Goes into checkpoints: an epoch that is taken up in its middle has the mean of all of it.
        self.train_loss.persistent(True)
        self.val_loss = MeanMetric(nan_strategy="disable")
        self.test_loss = MeanMetric(nan_strategy="disable")
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
        return self.logits(self.arrangement(images))

    def logits(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, already arranged, -> logits (B, K)."""
        values = (images.to(self.dtype) / 255 - self.mean) / self.deviation
        logits: Tensor = self.network(values)
        return logits

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> probabilities (B, K), in eval mode."""
        training = self.training
        self.eval()
        result: Tensor = self(images.to(self.device)).softmax(dim=1)
        self.train(training)
        return result

    def on_train_epoch_start(self) -> None:
        """Forget the loss of the last epoch, which a checkpoint at its end still holds.

        Lightning does not call this for an epoch that is taken up in its middle.
        """
        self.train_loss.reset()

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """The mean loss of a batch."""
        images, labels = batch
        images = self.arrangement(images)
        if self.augmentation is not None:
            images = self.augmentation(images, self.global_step)
        loss = F.cross_entropy(self.logits(images), labels)
        # Once an image: the mean over the epoch's images, whatever the last batch's size.
        self.train_loss.update(loss.detach().expand(len(labels)))
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Loss and accuracy on validation rows."""
        images, labels = batch
        logits = self(images)
        self.val_loss.update(F.cross_entropy(logits, labels, reduction="none"))
        self.val_accuracy.update(logits, labels)
        self.log_epoch("val/loss", self.val_loss)
        self.log_epoch("val/acc", self.val_accuracy)

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
        self.test_loss.update(F.cross_entropy(logits, labels, reduction="none"))
        self.log_epoch("test/loss", self.test_loss)
        self.log_dict(self.test_scores, on_step=False, on_epoch=True)

    def on_test_epoch_end(self) -> None:
        """Keep what has a value for each class."""
        self.test_logits = self.gathered(torch.cat(self.test_outputs))
        self.class_accuracy = self.test_class_accuracy.compute().cpu()
        self.confusion = self.test_confusion.compute().cpu()
        self.test_class_accuracy.reset()
        self.test_confusion.reset()

    def gathered(self, logits: Tensor) -> Tensor:
        """The rows (N, K) of all processes in their order; process r has rows r, r + R, ..."""
        ranks = self.trainer.world_size
        if ranks == 1:
            return logits
        shares: list[Tensor] = [logits] * ranks
        torch.distributed.all_gather_object(shares, logits)
        result = logits.new_empty(sum(map(len, shares)), logits.shape[1])
        for rank, share in enumerate(shares):
            result[rank::ranks] = share
        return result

    def log_epoch(self, name: str, metric: Metric) -> None:
        """Log what a metric makes of the epoch's images, those of all processes."""
        self.log(name, metric, on_step=False, on_epoch=True)

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

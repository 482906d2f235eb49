"""The LightningModule: loss, metrics and optimizer of any network.

Shapes: B images per batch, (C, H, W) an image, K classes.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from lightning import LightningModule
from torch import Tensor, nn
from torchmetrics import MeanMetric, Metric, MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from csvision.augmentation import Augmentation
from csvision.config import schema
from csvision.data.loader import Batch
from csvision.legacy import migrate_checkpoint
from csvision.optim import build_optimizer, build_scheduler


class BatchMean(Metric):
    """The mean loss of all images, from the mean loss of each batch.

    Batches are added one after another, so that the result does not depend on how many are added
    in one call.
    """

    mean_value: Tensor
    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The names that torchmetrics' MeanMetric has in checkpoints of earlier versions.
        self.add_state("mean_value", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("weight", torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, losses: Sequence[Tensor], counts: Sequence[int]) -> None:
        """Add batches by their mean losses and their numbers of images."""
        for loss, count in zip(losses, counts, strict=True):
            self.mean_value = self.mean_value + loss * count
        self.weight = self.weight + sum(counts)

    def compute(self) -> Tensor:
        """Return the mean loss."""
        return self.mean_value / self.weight


class Classifier(LightningModule):
    """A network with cross-entropy loss, accuracy, macro F1 and an optimizer.

    Takes uint8 images as stored in the table. `transform` is applied first; then the values are
    scaled to 0..1 and normalized by the `mean` and `std` of each channel. `optimizer`, `scheduler`
    and `augmentation` are used only in training.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        network: nn.Module,
        classes: Sequence[str],
        optimizer: schema.OptimizerConfig | None = None,
        scheduler: schema.SchedulerConfig | None = None,
        augmentation: Augmentation | None = None,
        mean: Sequence[float] = (0.0,),
        std: Sequence[float] = (1.0,),
        transform: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.transform = transform or nn.Identity()
        self.classes = list(classes)
        self.optimizer_config = optimizer
        self.scheduler_config = scheduler
        self.augmentation = augmentation
        self.register_buffer("mean", torch.tensor(mean).reshape(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(-1, 1, 1))
        num_classes = len(self.classes)
        # Lightning's mean of logged numbers is wrong if processes have different numbers of images.
        # These metrics get one value per image instead, because torchmetrics ignores weights with
        # nan_strategy="disable", which keeps NaN in the mean.
        self.train_loss = BatchMean()
        # Saved in checkpoints: an epoch that is resumed in the middle has the mean of all batches.
        self.train_loss.persistent(True)
        self.val_loss = MeanMetric(nan_strategy="disable")
        self.test_loss = MeanMetric(nan_strategy="disable")
        self.val_accuracy = MulticlassAccuracy(num_classes, average="micro")
        self.test_scores = MetricCollection(
            {
                "test/acc": MulticlassAccuracy(num_classes, average="micro"),
                "test/f1": MulticlassF1Score(num_classes, average="macro"),
            }
        )

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> logits (B, K)."""
        return self.forward_transformed(self.transform(images))

    def forward_transformed(self, images: Tensor) -> Tensor:
        """Transformed images (B, C, H, W), uint8, -> logits (B, K)."""
        logits: Tensor = self.network(self.normalize(images))
        return logits

    def normalize(self, images: Tensor) -> Tensor:
        """Transformed images (B, C, H, W), uint8, -> inputs of the network (B, C, H, W)."""
        return (images.to(self.dtype) / 255).sub_(self.mean).div_(self.std)

    def predict_proba(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> probabilities (B, K), computed in eval mode.

        Raises ValueError for another number of dimensions.
        """
        return self.predict_logits(images).softmax(dim=1)

    @torch.no_grad()
    def predict_logits(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> logits (B, K), computed in eval mode.

        Raises ValueError for another number of dimensions.
        """
        images = torch.as_tensor(images)
        if images.ndim != 4:
            raise ValueError(f"images must have the shape (B, C, H, W), not {tuple(images.shape)}")
        training = self.training
        self.eval()
        logits: Tensor = self(images.to(self.device))
        self.train(training)
        return logits

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Accept checkpoints of earlier versions."""
        migrate_checkpoint(checkpoint)

    def on_train_epoch_start(self) -> None:
        """Reset the loss of the previous epoch.

        Lightning does not call this hook when it resumes an epoch in the middle.
        """
        self.train_loss.reset()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the mean loss of a batch."""
        loss = self.training_loss(batch)
        self.log_train_loss([loss.detach()], [len(batch[1])])
        return loss

    def training_loss(self, batch: Batch) -> Tensor:
        """Return the mean loss of a batch of augmented images."""
        images, labels = batch
        images = self.transform(images)
        if self.augmentation is not None:
            images = self.augmentation(images, self.global_step)
        return F.cross_entropy(self.forward_transformed(images), labels)

    def log_train_loss(self, losses: Sequence[Tensor], counts: Sequence[int]) -> None:
        """Log the mean loss of batches with `counts` images."""
        self.train_loss.update(losses, counts)
        self.log(
            "train/loss",
            self.train_loss,
            on_step=False,
            on_epoch=True,
            prog_bar=True,
            batch_size=sum(counts),
        )

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Update loss and accuracy on the validation split."""
        images, labels = batch
        logits = self(images)
        self.val_loss.update(F.cross_entropy(logits, labels, reduction="none"))
        self.val_accuracy.update(logits, labels)
        self.log_epoch("val/loss", self.val_loss)
        self.log_epoch("val/acc", self.val_accuracy)

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Update loss and scores on the test split; return the logits (B, K)."""
        images, labels = batch
        logits: Tensor = self(images)
        self.test_scores(logits, labels)
        self.test_loss.update(F.cross_entropy(logits, labels, reduction="none"))
        self.log_epoch("test/loss", self.test_loss)
        self.log_dict(self.test_scores, on_step=False, on_epoch=True)
        return logits

    def log_epoch(self, name: str, metric: Metric) -> None:
        """Log a metric of all images of the epoch, over all processes."""
        self.log(name, metric, on_step=False, on_epoch=True)

    def configure_optimizers(self) -> Any:
        """Return the configured optimizer and scheduler."""
        assert self.optimizer_config is not None
        assert self.scheduler_config is not None
        optimizer = build_optimizer(self.optimizer_config, self.network.parameters())
        steps = int(self.trainer.estimated_stepping_batches)
        scheduler = build_scheduler(self.scheduler_config, optimizer, steps)
        if scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": scheduler}

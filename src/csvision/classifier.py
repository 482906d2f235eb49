"""The LightningModule: loss, metrics and optimizer of any network.

Shapes: B images per batch, (C, H, W) an image, K classes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from lightning import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn, optim
from torchmetrics import Metric

from csvision.augmentation import Augmentation
from csvision.config import schema
from csvision.config.training_schema import TTA
from csvision.data.loader import Batch
from csvision.legacy import migrate_checkpoint
from csvision.losses import Loss
from csvision.metrics import BatchMean, SplitMetrics
from csvision.mixing import Mixing
from csvision.optim import PlateauMonitor, build_optimizer, build_schedulers, is_plateau
from csvision.tta import average_views
from csvision.weight_average import WeightAverage


class Classifier(LightningModule):
    """A network with its loss, metrics and optimizer.

    Takes uint8 images as stored in the table. `transform` is applied first; then the values are
    scaled to 0..1 and normalized by the `mean` and `std` of each channel. Losses and scores of
    validation and test are cross-entropy, accuracy, macro F1 and balanced accuracy, and those of
    `metric`, a function that returns a name and a new metric. `tta` is used in tests and
    predictions; all other arguments are used only in training, also `compile`: torch.compile.
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
        loss: Loss = F.cross_entropy,
        mixing: Mixing | None = None,
        monitor: PlateauMonitor | None = None,
        gradient_clip: float | None = None,
        ema_decay: float | None = None,
        metric: Callable[[], tuple[str, Metric]] | None = None,
        tta: TTA = TTA.none,
        compile: bool = False,
    ) -> None:
        super().__init__()
        self.network = network
        self.transform = transform or nn.Identity()
        self.classes = list(classes)
        self.optimizer_config = optimizer
        self.scheduler_config = scheduler
        self.augmentation = augmentation
        self.loss = loss
        self.mixing = mixing
        self.monitor = monitor
        self.gradient_clip = gradient_clip
        self.average = None if ema_decay is None else WeightAverage(network, ema_decay)
        self.tta = tta
        # A function, because a module would be saved in checkpoints.
        self.train_forward: Callable[[Tensor], Tensor] = (
            torch.compile(network.forward) if compile else network.__call__
        )
        self.frozen: list[nn.Module] = []
        self.standardizes = True
        self.register_buffer("mean", torch.tensor(mean).reshape(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(-1, 1, 1))
        num_classes = len(self.classes)
        self.train_loss = BatchMean()
        # Saved in checkpoints: an epoch that is resumed in the middle has the mean of all batches.
        self.train_loss.persistent(True)
        self.val_metrics = SplitMetrics("val", num_classes, metric() if metric else None)
        self.test_metrics = SplitMetrics("test", num_classes, metric() if metric else None)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> logits (B, K)."""
        return self.forward_transformed(self.transform(images))

    def forward_transformed(self, images: Tensor) -> Tensor:
        """Transformed images (B, C, H, W), uint8, -> logits (B, K)."""
        logits: Tensor = self.network(self.normalize(images))
        return logits

    def normalize(self, images: Tensor) -> Tensor:
        """Transformed images (B, C, H, W), uint8, -> inputs of the network (B, C, H, W)."""
        scaled = images.to(self.dtype) / 255
        return scaled.sub_(self.mean).div_(self.std) if self.standardizes else scaled

    def predict_proba(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> probabilities (B, K), computed in eval mode.

        Raises ValueError for another number of dimensions.
        """
        return self.predict_logits(images).softmax(dim=1)

    @torch.no_grad()
    def predict_logits(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W), uint8, -> logits (B, K), computed in eval mode.

        With `tta`, they are the logarithms of mean probabilities. Raises ValueError for another
        number of dimensions.
        """
        images = torch.as_tensor(images)
        if images.ndim != 4:
            raise ValueError(f"images must have the shape (B, C, H, W), not {tuple(images.shape)}")
        training = self.training
        self.eval()
        logits = average_views(self, images.to(self.device), self.tta)
        self.train(training)
        return logits

    def freeze_modules(self, modules: Sequence[nn.Module]) -> None:
        """Keep modules, such as batch normalization, in eval mode in training, too."""
        self.frozen = list(modules)
        for module in self.frozen:
            module.eval()

    def train(self, mode: bool = True) -> "Classifier":
        """Set the mode of all modules but the frozen ones."""
        super().train(mode)
        self.freeze_modules(self.frozen)
        return self

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Accept checkpoints of earlier versions; restore raw and averaged weights."""
        migrate_checkpoint(checkpoint)
        if self.average is not None:
            self.average.load(checkpoint)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save averaged weights as those of the network, and the raw ones beside them."""
        if self.average is not None:
            self.average.save(checkpoint)

    def on_train_start(self) -> None:
        """Start the average of the weights; skip a standardization that changes nothing."""
        self.standardizes = bool((self.mean != 0).any() or (self.std != 1).any())
        if self.average is not None:
            self.average.start()

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
        if self.mixing is None:
            return self.loss(self.train_forward(self.normalize(images)), labels)
        images, others, weight = self.mixing(images, labels, self.global_step)
        logits = self.train_forward(self.normalize(images))
        return weight * self.loss(logits, labels) + (1 - weight) * self.loss(logits, others)

    def log_train_loss(self, losses: Sequence[Tensor], counts: Sequence[int]) -> None:
        """Log the mean loss of batches with `counts` images."""
        self.train_loss.update(losses, counts)
        options: dict[str, Any] = {"on_step": False, "on_epoch": True, "prog_bar": True}
        self.log("train/loss", self.train_loss, batch_size=sum(counts), **options)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Update the metrics of the validation split."""
        images, labels = batch
        logits = self(images)
        self.val_metrics.update(F.cross_entropy(logits, labels, reduction="none"), logits, labels)

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Update the metrics of the test split; return the logits (B, K)."""
        images, labels = batch
        logits = average_views(self, images, self.tta)
        self.test_metrics.update(F.cross_entropy(logits, labels, reduction="none"), logits, labels)
        return logits

    def on_validation_epoch_start(self) -> None:
        """Forget the previous validation; in training, validate the averages of the weights."""
        self.val_metrics.reset()
        self.swap_average()

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the validation split; train the weights themselves."""
        self.log_metrics(self.val_metrics)
        self.swap_average()

    def swap_average(self) -> None:
        """Exchange weights and averages while training; later, the averages are loaded."""
        if self.average is not None and self.trainer.state.fn == "fit":
            self.average.swap()

    def on_test_epoch_start(self) -> None:
        """Forget the previous test."""
        self.test_metrics.reset()

    def on_test_epoch_end(self) -> None:
        """Log the metrics of the test split."""
        self.log_metrics(self.test_metrics)

    def log_metrics(self, metrics: SplitMetrics) -> None:
        """Log the metrics of all images of a split, which are equal in all processes."""
        self.log_dict(metrics.compute(), sync_dist=self.trainer.world_size > 1)

    def configure_gradient_clipping(self, *args: Any, **kwargs: Any) -> None:
        """Scale the gradient of all weights so that its norm is at most `gradient_clip`."""
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.gradient_clip)

    def optimizer_step(
        self,
        epoch: int,
        batch_idx: int,
        optimizer: optim.Optimizer | LightningOptimizer,
        optimizer_closure: Callable[[], Any] | None = None,
    ) -> None:
        """Make a step of the optimizer, and average the weights."""
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
        if self.average is not None:
            self.average.update(self.global_step + 1)

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Update a scheduler, unless PlateauCallback has done so, before the checkpoint."""
        if not is_plateau(scheduler):
            super().lr_scheduler_step(scheduler, metric)

    def configure_optimizers(self) -> Any:
        """Return the configured optimizer and schedulers."""
        assert self.optimizer_config is not None
        assert self.scheduler_config is not None
        optimizer = build_optimizer(self.optimizer_config, self.network.parameters())
        steps = int(self.trainer.estimated_stepping_batches)
        epochs = self.trainer.max_epochs or 1
        config = self.scheduler_config
        return [optimizer], build_schedulers(config, optimizer, steps, epochs, self.monitor)

"""Build the classifier of a prepared run."""

from collections.abc import Callable, Sequence
from functools import partial

from torchmetrics import Metric

from csvision.augmentation import build_augmentation
from csvision.classifier import Classifier
from csvision.config import schema
from csvision.config.monitor import monitor_mode
from csvision.data.channel_stats import channel_stats
from csvision.grouped_classifier import GroupedClassifier
from csvision.losses import Loss, WeightedCrossEntropy, build_cross_entropy
from csvision.mixing import build_mixing
from csvision.models.build import build_model
from csvision.optim import PlateauMonitor
from csvision.rng import derive_process_seed, derive_seed
from csvision.run.custom_parts import build_custom_loss, build_custom_metric
from csvision.run.initial_weights import initialize
from csvision.run.log import log
from csvision.run.prepare import PreparedRun
from csvision.run.transform import build_transform
from csvision.signals import SignalState

MAX_SHOWN_WEIGHTS = 20


def build_classifier(
    prepared: PreparedRun, signals: SignalState | None = None, rank: int = 0
) -> Classifier:
    """Return the classifier of a run with its initial weights; each rank augments differently.

    With `signals`, several batches are trained in each step of Lightning, until a signal arrives.
    Several processes, or a gradient scaler, need a step for each batch.
    """
    config, train = prepared.config, prepared.splits.train
    network = build_model(
        config.model,
        prepared.image_shape,
        prepared.num_classes,
        derive_seed(config.seed, "weights"),
    )
    message, frozen = initialize(network, config)
    if message:
        log.info(message)
    channels = train.table.image_shape[0]
    mean, std = [0.0] * channels, [1.0] * channels
    if config.data.normalize:
        mean, std = channel_stats(train)
    accelerator = config.accelerator
    build: Callable[..., Classifier] = Classifier
    if signals and accelerator.devices == 1 and accelerator.precision != "16-mixed":
        build = partial(GroupedClassifier, is_interrupted=lambda: signals.pending is not None)
    transform, _ = build_transform(config.data, config.transform, train.table.image_shape)
    augmentation_seed = derive_process_seed(config.seed, "augmentation", rank)
    classifier = build(
        network,
        train.table.classes,
        config.optimizer,
        config.scheduler,
        build_augmentation(config.augmentation, augmentation_seed),
        mean,
        std,
        transform,
        loss=build_loss(prepared),
        mixing=build_mixing(config.augmentation, augmentation_seed),
        monitor=PlateauMonitor(config.monitor, monitor_mode(config)),
        gradient_clip=config.gradient_clip,
        ema_decay=config.ema.decay,
        metric=custom_metric(config.metric, prepared.num_classes),
        tta=config.tta,
        compile=accelerator.compile,
    )
    classifier.freeze_modules(frozen)
    return classifier


def build_loss(prepared: PreparedRun) -> Loss:
    """Return the training loss of a run."""
    loss = prepared.config.loss
    if loss.path is not None:
        return build_custom_loss(loss, prepared.num_classes)
    labels = prepared.splits.train.labels
    cross_entropy = build_cross_entropy(
        loss.class_weights, loss.label_smoothing, labels, prepared.num_classes
    )
    if isinstance(cross_entropy, WeightedCrossEntropy) and cross_entropy.weight is not None:
        names = prepared.splits.train.table.classes
        log.info("class weights: %s", describe_weights(names, cross_entropy.weight.tolist()))
    return cross_entropy


def describe_weights(names: Sequence[str], weights: Sequence[float]) -> str:
    """Return the weight of each class as text; of the first and the last one if they are many."""
    parts = [f"{name} {weight:.4g}" for name, weight in zip(names, weights, strict=True)]
    if len(parts) > MAX_SHOWN_WEIGHTS:
        parts[MAX_SHOWN_WEIGHTS - 1 : -1] = ["..."]
    return ", ".join(parts)


def custom_metric(
    metric: schema.MetricConfig, num_classes: int
) -> Callable[[], tuple[str, Metric]] | None:
    """Return a function that builds the user's own metric; None without one."""
    return None if metric.path is None else partial(build_custom_metric, metric, num_classes)

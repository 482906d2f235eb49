"""Build the classifier of a prepared run."""

from collections.abc import Callable
from functools import partial

from csvision.augmentation import Augmentation
from csvision.classifier import Classifier
from csvision.config.monitor import monitor_mode
from csvision.data.channel_stats import channel_stats
from csvision.grouped_classifier import GroupedClassifier
from csvision.losses import build_cross_entropy
from csvision.mixing import build_mixing
from csvision.models.build import build_model
from csvision.optim import PlateauMonitor
from csvision.rng import derive_process_seed, derive_seed
from csvision.run.initial_weights import initialize
from csvision.run.log import log
from csvision.run.prepare import PreparedRun
from csvision.signals import SignalState
from csvision.transforms import PadAndPermute


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
    labels, num_classes = train.labels, prepared.num_classes
    loss = build_cross_entropy(
        config.loss.class_weights, config.loss.label_smoothing, labels, num_classes
    )
    classifier = build(
        network,
        train.table.classes,
        config.optimizer,
        config.scheduler,
        Augmentation(config.augmentation, derive_process_seed(config.seed, "augmentation", rank)),
        mean,
        std,
        PadAndPermute(config.data, train.table.image_shape),
        loss=loss,
        mixing=build_mixing(
            config.augmentation, derive_process_seed(config.seed, "augmentation", rank)
        ),
        monitor=PlateauMonitor(config.monitor, monitor_mode(config)),
        gradient_clip=config.gradient_clip,
        ema_decay=config.ema.decay,
        tta=config.tta,
    )
    classifier.freeze_modules(frozen)
    return classifier

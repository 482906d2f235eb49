"""The configuration of a training run: types, help texts and ranges of its keys.

Default values are defined in conf/.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from csvision.config.launcher_schema import LauncherConfig
from csvision.config.limits import (
    MAX_EPOCHS,
    MAX_FOLDS,
    MAX_PIXELS,
    MAX_RANDOM_STATE,
    MAX_ROWS,
    MAX_SEED,
    MAX_THREADS,
)
from csvision.config.model_schema import ModelConfig
from csvision.config.optim_schema import CosineConfig as CosineConfig
from csvision.config.optim_schema import OneCycleConfig as OneCycleConfig
from csvision.config.optim_schema import OptimizerConfig as OptimizerConfig
from csvision.config.optim_schema import OptimizerName as OptimizerName
from csvision.config.optim_schema import PlateauConfig as PlateauConfig
from csvision.config.optim_schema import SchedulerConfig as SchedulerConfig
from csvision.config.optim_schema import SchedulerName as SchedulerName
from csvision.config.optim_schema import SGDConfig as SGDConfig
from csvision.config.optim_schema import StepConfig as StepConfig
from csvision.config.option import option
from csvision.config.search_schema import SearchConfig
from csvision.config.training_schema import TTA as TTA
from csvision.config.training_schema import EarlyStoppingConfig as EarlyStoppingConfig
from csvision.config.training_schema import EMAConfig as EMAConfig
from csvision.config.training_schema import LossConfig as LossConfig
from csvision.config.training_schema import MetricConfig as MetricConfig
from csvision.config.training_schema import TransformConfig as TransformConfig

BUNDLED = "bundled"
"""The value of `data.csv` that selects the images shipped with csvision."""

NO_CACHE = "none"
"""The value of `data.cache` that keeps parsed tables in memory only."""


DEFAULT_VAL_SIZE = 0.1
"""The value of `data.val_size` in conf/; folds take its place, so another value contradicts them.
"""


class DataName(StrEnum):
    """Choices of `data=`."""

    fmnist_small = "fmnist_small"
    fmnist = "fmnist"
    csv = "csv"


class Layout(StrEnum):
    """The order of the pixels of a color image in a row."""

    channels_first = "channels_first"
    channels_last = "channels_last"


@dataclass
class DataConfig:
    """The data files, how they are read and how they are split."""

    name: DataName = option("data set; use data=csv data.csv=FILE for your own file")
    csv: str = option(
        "data file with one row per image, or folder with a folder of images per class",
        example="FILE",
    )
    test_csv: str | None = option("file of test images; null: split test rows off data.csv")
    labels_csv: str | None = option("file with the labels of data.csv, if that has none; or null")
    label_column: str | None = option(
        "name of the label column, its number from 0 without a header, first or last; null: "
        "found by name and values"
    )
    header: Any = option(
        "true, false, or auto: the first row has names unless it looks like the next"
    )
    ignore: list[str] = option("names of the columns to leave out", max_length=100_000)
    pixel_range: Any = option(
        "value of white, or [black,white]; auto: 0..1, 0..15, 0..16 or 0..255, by all pixels"
    )
    image_shape: list[int] | None = option(
        "[channels,height,width]; null: square grayscale", le=100 * MAX_PIXELS
    )
    layout: Layout = option("pixel order of color images: channels_first or channels_last")
    transpose: bool = option("images are stored column by column, as those of EMNIST")
    classes: Any = option(
        "{label: name}, or a list of names in ascending order of the labels if these are integers; "
        "null: the labels",
        max_length=100_000,
    )
    test_size: float = option("fraction of the rows used for testing", gt=0, lt=1)
    split_seed: int = option("random_state of the train/test split", ge=0, le=MAX_RANDOM_STATE)
    val_size: float = option("fraction of the training rows used for validation", ge=0, lt=1)
    val_seed: int = option("random_state of the train/validation split", ge=0, le=MAX_RANDOM_STATE)
    folds: int | None = option(
        "number of folds of cross-validation, instead of val_size; null: none", ge=2, le=MAX_FOLDS
    )
    fold: int | None = option(
        "fold used for validation, from 0; all: -m 'data.fold=range(5)' data.folds=5",
        ge=0,
        le=MAX_FOLDS,
    )
    pad: int = option("black pixels added on each side of every image", ge=0, le=1000)
    permutation_seed: int | None = option(
        "seed of one fixed permutation of the pixels of all images; null: none", ge=0, le=MAX_SEED
    )
    normalize: bool = option("subtract the mean and divide by the std of the training images")
    balanced_sampling: bool = option(
        "draw training rows with replacement, each class equally often; an epoch has as many"
    )
    max_decompressed_gib: float = option(
        "largest decompressed size of a file, in GiB", gt=0, le=1_000_000
    )
    cache: str | None = option("cache folder; null: the default folder; none: no cache")


@dataclass
class AugmentationConfig:
    """Random transforms of the training images; each uses its own random stream."""

    hflip: float = option("probability of a horizontal flip", ge=0, le=1)
    translate: int = option("largest shift along each axis, in pixels", ge=0, le=MAX_PIXELS)
    cutout: int = option("side of the square set to black, in pixels", ge=0, le=MAX_PIXELS)
    impulse_noise: float = option("probability of a pixel becoming black or white", ge=0, le=1)
    mixup_alpha: float = option(
        "mix pairs of images and labels: both parameters of the Beta distribution; 0: off",
        ge=0,
        le=1000,
    )
    cutmix_alpha: float = option(
        "paste a box of another image: both parameters of the Beta distribution; 0: off",
        ge=0,
        le=1000,
    )


class AcceleratorName(StrEnum):
    """Choices of `accelerator=`."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"
    mps = "mps"


@dataclass
class AcceleratorConfig:
    """The hardware that trains the network."""

    name: AcceleratorName = option("cpu, gpu, mps, or auto: the best one available")
    devices: int = option(
        "number of processes for distributed training (DDP)", ge=1, le=MAX_THREADS
    )
    precision: str = option(
        "numerical precision, named as in Lightning",
        choices=("32-true", "64-true", "bf16-mixed", "16-mixed"),
    )
    num_threads: int | None = option(
        "CPU threads; null: the default of torch, or fewer for a small MLP or on a busy machine",
        ge=1,
        le=MAX_THREADS,
    )
    compile: bool = option("train with torch.compile, which takes a minute to start")


class LoggerName(StrEnum):
    """Choices of `logger=`."""

    tensorboard = "tensorboard"
    none = "none"


@dataclass
class LoggerConfig:
    """Where curves and figures are logged, in addition to the files of the run directory."""

    name: LoggerName = option("tensorboard or none")


class CheckpointName(StrEnum):
    """Choices of `test_checkpoint=`."""

    last = "last"
    best = "best"


@dataclass
class DebugConfig:
    """Settings that help to find errors."""

    limit_rows: int | None = option(
        "use only the first rows of each split; null: all", ge=1, le=MAX_ROWS
    )
    profile: bool = option("write fit-profile.txt with the time of each step of the fit")


@dataclass
class TrainConfig:
    """A training run."""

    data: DataConfig = field(default_factory=DataConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    scheduler: SchedulerConfig = field(default_factory=SchedulerConfig)
    accelerator: AcceleratorConfig = field(default_factory=AcceleratorConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig)
    launcher: LauncherConfig = field(default_factory=LauncherConfig)
    debug: DebugConfig = field(default_factory=DebugConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    metric: MetricConfig = field(default_factory=MetricConfig)
    transform: TransformConfig = field(default_factory=TransformConfig)
    early_stopping: EarlyStoppingConfig = field(default_factory=EarlyStoppingConfig)
    ema: EMAConfig = field(default_factory=EMAConfig)
    seed: int = option(
        "seed of initial weights, batch order, augmentation and dropout", ge=0, le=MAX_SEED
    )
    epochs: int = option("number of epochs", ge=1, le=MAX_EPOCHS)
    batch_size: int = option("images per batch", ge=1, le=MAX_ROWS)
    test_checkpoint: CheckpointName = option(
        "checkpoint to test: last, or best by monitor; with early stopping always best"
    )
    monitor: str = option(
        "validation metric that chooses the best epoch, also for early stopping and "
        "scheduler=plateau: val/loss, val/acc, val/f1, val/balanced_acc or val/CLASS of metric.path"
    )
    gradient_clip: float | None = option(
        "largest norm of the gradient of all weights; null: not clipped", gt=0, le=1e9
    )
    freeze: list[str] = option(
        "names or patterns of layers that are not trained: [stages.0,dense.*]", max_length=1000
    )
    init_from: str | None = option(
        "run directory or checkpoint whose weights training starts from; null: random weights"
    )
    tta: TTA = option("test-time augmentation: none, flip or flip_shift")
    checkpoint_interval_seconds: float = option("longest time between checkpoints", gt=0, le=1e9)
    output_dir: str = option("folder for run directories")
    quiet: bool = option("print only the path of the run directory")

    @property
    def tested_checkpoint(self) -> CheckpointName:
        """The checkpoint whose weights are tested: early stopping restores the best ones."""
        stops_early = self.early_stopping.patience is not None
        return CheckpointName.best if stops_early else self.test_checkpoint

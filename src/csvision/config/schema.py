"""The configuration as dataclasses: the type, help text and range of every key in conf/.

Default values are defined only in conf/. The exception is a stage of a CNN, whose defaults are
defined here because a list given on the command line replaces the whole list.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omegaconf import MISSING

BUNDLED = "bundled"
"""The value of `data.csv` that selects the images shipped with csvision."""

NO_CACHE = "none"
"""The value of `data.cache` that keeps parsed tables in memory only."""


def option(
    help: str,
    default: Any = MISSING,
    *,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a key with its help text for `--help` and its range for `validate`."""
    metadata = {"help": help, "gt": gt, "ge": ge, "lt": lt, "le": le, "choices": choices}
    return field(default=default, metadata=metadata)


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
    """The image files, how they are read and how they are split."""

    name: DataName = option("data set; use data=csv data.csv=FILE for your own file")
    csv: str = option("image file: a header, then one row per image with its label and pixels")
    test_csv: str | None = option("file of test images; null: split test rows off data.csv")
    label_column: str | None = option("name of the label column; null: the first column")
    image_shape: list[int] | None = option("[channels,height,width]; null: square grayscale")
    layout: Layout = option("pixel order of color images: channels_first or channels_last")
    classes: list[str] | None = option(
        "class names, in ascending order of the labels; null: the labels"
    )
    test_size: float = option("fraction of the rows used for testing", gt=0, lt=1)
    split_seed: int = option("random_state of the train/test split", ge=0)
    val_size: float = option("fraction of the training rows used for validation", ge=0, lt=1)
    val_seed: int = option("random_state of the train/validation split", ge=0)
    pad: int = option("black pixels added on each side of every image", ge=0, le=1000)
    permutation_seed: int | None = option(
        "seed of one fixed permutation of the pixels of all images; null: none", ge=0
    )
    normalize: bool = option("subtract the mean and divide by the std of the training images")
    max_decompressed_gib: float = option("largest decompressed size of a file, in GiB", gt=0)
    cache: str | None = option("folder for parsed tables; none: memory only; null: user cache")


@dataclass
class AugmentationConfig:
    """Random transforms of the training images; each uses its own random stream."""

    hflip: float = option("probability of a horizontal flip", ge=0, le=1)
    translate: int = option("largest shift along each axis, in pixels", ge=0)
    cutout: int = option("side of the square set to black, in pixels", ge=0)
    impulse_noise: float = option("probability of a pixel becoming black or white", ge=0, le=1)


class ModelName(StrEnum):
    """Choices of `model=`."""

    mlp = "mlp"
    cnn = "cnn"
    custom = "custom"


class Activation(StrEnum):
    """Activation functions, named as in torch."""

    relu = "relu"
    leaky_relu = "leaky_relu"
    gelu = "gelu"
    silu = "silu"
    tanh = "tanh"
    sigmoid = "sigmoid"
    none = "none"


class PaddingMode(StrEnum):
    """Padding modes, named as in torch."""

    zeros = "zeros"
    reflect = "reflect"
    replicate = "replicate"
    circular = "circular"


class Normalization(StrEnum):
    """Normalization layers after a convolution; `layer` normalizes over C, H and W."""

    none = "none"
    batch = "batch"
    instance = "instance"
    layer = "layer"


class Pool(StrEnum):
    """Pooling layers."""

    max = "max"
    avg = "avg"
    min = "min"
    none = "none"


class GlobalPool(StrEnum):
    """Global pooling of the last feature maps; `none` flattens them."""

    none = "none"
    avg = "avg"
    max = "max"


@dataclass
class ModelConfig:
    """Keys of every network."""

    name: ModelName = option("network architecture")


@dataclass
class MLPConfig(ModelConfig):
    """A fully connected network on the flattened image."""

    hidden: list[int] = option("units of each hidden layer", ge=1)
    activation: Activation = option("activation after each hidden layer")
    dropout: float = option("dropout probability after each hidden layer", ge=0, lt=1)


@dataclass
class Stage:
    """One stage of a CNN: convolution, normalization, activation, pooling, dropout."""

    filters: int = option("output channels of the convolution", 32, ge=1)
    kernel_size: int = option("side of the square kernel", 3, ge=1)
    stride: int = option("stride of the convolution", 1, ge=1)
    padding: int | str = option("valid, same, full, or pixels on each side", 1)
    padding_mode: PaddingMode = option("how padding is filled", PaddingMode.zeros)
    dilation: int = option("dilation of the kernel", 1, ge=1)
    normalization: Normalization = option("layer after the convolution", Normalization.none)
    activation: Activation = option("activation after the normalization", Activation.relu)
    pool: Pool = option("pooling after the activation", Pool.max)
    pool_size: int = option("side of the pooling window", 2, ge=1)
    pool_stride: int | None = option("stride of the pooling; null: pool_size", None, ge=1)
    residual: int = option("residual blocks of two 3x3 convolutions after the pooling", 0, ge=0)
    dropout: float = option("dropout probability at the end of the stage", 0.0, ge=0, lt=1)

    def __post_init__(self) -> None:
        """Accept strings from Python, spelled as on the command line."""
        self.padding_mode = PaddingMode(self.padding_mode)
        self.normalization = Normalization(self.normalization)
        self.activation = Activation(self.activation)
        self.pool = Pool(self.pool)


@dataclass
class CNNConfig(ModelConfig):
    """Convolutional stages, global pooling or flattening, then dense layers."""

    stages: list[Stage] = option("one entry per stage; model.stages.0.filters=64 edits one")
    global_pool: GlobalPool = option("avg, max, or none: flatten the last feature maps")
    hidden: list[int] = option("units of each dense layer before the logits", ge=1)
    activation: Activation = option("activation after each dense layer")
    dropout: float = option("dropout probability after each dense layer", ge=0, lt=1)


@dataclass
class CustomModelConfig(ModelConfig):
    """A network defined in the user's own file, imported only if the command line names it."""

    path: str = option("FILE.py:CLASS, called with image_shape=, classes= and model.kwargs")
    kwargs: dict[str, Any] = option("keyword arguments: model.kwargs.NAME=VALUE")


class OptimizerName(StrEnum):
    """Choices of `optimizer=`."""

    sgd = "sgd"
    adam = "adam"
    adamw = "adamw"


@dataclass
class OptimizerConfig:
    """Keys of every optimizer."""

    name: OptimizerName = option("optimizer")
    lr: float = option("learning rate; with a scheduler, its maximum", gt=0)
    weight_decay: float = option("weight decay", ge=0)


@dataclass
class SGDConfig(OptimizerConfig):
    """Stochastic gradient descent."""

    momentum: float = option("momentum", ge=0, lt=1)
    nesterov: bool = option("Nesterov momentum; needs optimizer.momentum > 0")


class SchedulerName(StrEnum):
    """Choices of `scheduler=`."""

    none = "none"
    cosine = "cosine"
    onecycle = "onecycle"
    step = "step"


@dataclass
class SchedulerConfig:
    """Keys of every scheduler; `none` has no others."""

    name: SchedulerName = option("learning rate scheduler")


@dataclass
class CosineConfig(SchedulerConfig):
    """CosineAnnealingLR: from optimizer.lr to eta_min, updated after every batch."""

    eta_min: float = option("learning rate at the end", ge=0)


@dataclass
class OneCycleConfig(SchedulerConfig):
    """OneCycleLR: up to optimizer.lr, then down, after every batch (Smith and Topin 2018)."""

    pct_start: float = option("fraction of the steps in which the rate increases", gt=0, lt=1)
    div_factor: float = option("the initial rate is optimizer.lr / div_factor", ge=1)
    final_div_factor: float = option("the final rate is the initial rate / this value", ge=1)


@dataclass
class StepConfig(SchedulerConfig):
    """StepLR: multiply the rate by gamma every step_size epochs."""

    step_size: int = option("epochs between two changes of the rate", ge=1)
    gamma: float = option("factor of each change", gt=0)


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
    devices: int = option("number of processes for distributed training (DDP)", ge=1)
    precision: str = option(
        "numerical precision, named as in Lightning",
        choices=("32-true", "64-true", "bf16-mixed", "16-mixed"),
    )
    num_threads: int | None = option("CPU threads; null: the default of torch", ge=1)


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

    limit_rows: int | None = option("use only the first rows of each split; null: all", ge=1)
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
    debug: DebugConfig = field(default_factory=DebugConfig)
    seed: int = option("seed of initial weights, batch order, augmentation and dropout", ge=0)
    epochs: int = option("number of epochs", ge=1)
    batch_size: int = option("images per batch", ge=1)
    test_checkpoint: CheckpointName = option(
        "checkpoint to test: last, or best by validation accuracy"
    )
    checkpoint_interval_seconds: float = option("longest time between two checkpoints", gt=0)
    output_dir: str = option("folder for run directories")
    quiet: bool = option("print only the path of the run directory")


@dataclass
class InspectDataConfig:
    """A report on a data set."""

    data: DataConfig = field(default_factory=DataConfig)
    output_dir: str = option("folder for the figure of sample images")


@dataclass
class EvalDataConfig:
    """The rows to evaluate or predict."""

    csv: str | None = option("image file; null: the test rows of the run")


@dataclass
class PredictDataConfig:
    """The rows to predict."""

    csv: str = option("image file, with or without labels")


@dataclass
class ModelPathConfig:
    """Permission to import the code of a run with model=custom."""

    path: str | None = option("FILE.py:CLASS, required for a run with model=custom")


@dataclass
class ResumeConfig:
    """An interrupted run or sweep to resume."""

    run: str = option("directory of an interrupted run or sweep")
    model: ModelPathConfig = field(default_factory=ModelPathConfig)


@dataclass
class ReproduceConfig:
    """A finished run to train again and compare."""

    run: str = option("run directory")
    model: ModelPathConfig = field(default_factory=ModelPathConfig)


@dataclass
class EvaluateConfig:
    """An evaluation of a finished run."""

    run: str = option("run directory")
    data: EvalDataConfig = field(default_factory=EvalDataConfig)
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    device: AcceleratorName = option("cpu, gpu, mps, or auto: the best one available")
    quiet: bool = option("print only the path of the results")


@dataclass
class PredictConfig:
    """Predicted labels and probabilities for the rows of a file."""

    run: str = option("run directory")
    data: PredictDataConfig = field(default_factory=PredictDataConfig)
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    device: AcceleratorName = option("cpu, gpu, mps, or auto: the best one available")
    quiet: bool = option("print only the path of the predictions")


@dataclass
class CacheConfig:
    """The cache of parsed files."""

    clear: bool = option("delete all entries")
    folder: str | None = option("folder of the cache, as data.cache; null: the user's own")


class ExampleDataName(StrEnum):
    """Choices of `name=` of example-data."""

    digits = "digits"
    photos = "photos"


@dataclass
class ExampleDataConfig:
    """A small example data set."""

    name: ExampleDataName = option("digits: 8x8 grayscale; photos: 16x16 color")
    output: str | None = option(".csv or .csv.gz file; null: outputs/data/NAME.csv")


@dataclass
class PrepareFashionMNISTConfig:
    """The CSV files of Fashion-MNIST."""

    output_dir: str = option("folder for train.csv and test.csv; data=fmnist reads the default")
    source_dir: str | None = option(
        "folder with the official IDX files; null: Debian's package, else a download"
    )
    bundled_csv: str | None = option("also write the first 6,000 images to this .csv.gz file")

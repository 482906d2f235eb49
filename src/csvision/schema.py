"""The configuration as dataclasses: the type, meaning and range of every key of conf/.

The values live in conf/ alone; only a stage of the CNN has its defaults here, because a list
given on the command line replaces the whole list.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omegaconf import MISSING

EMBEDDED = "embedded"
"""The value of `data.csv` that stands for the rows that ship with csvision."""


NO_CACHE = "none"
"""The value of `data.cache` that keeps parsed tables in memory alone."""


def key(
    meaning: str,
    default: Any = MISSING,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a key with its meaning, for `--help`, and its range, for `config.check`."""
    limits = {
        "above": above,
        "at_least": at_least,
        "below": below,
        "at_most": at_most,
        "choices": choices,
    }
    return field(default=default, metadata={"meaning": meaning, **limits})


class DataName(StrEnum):
    """Choices of `data=`."""

    fmnist_small = "fmnist_small"
    fmnist = "fmnist"
    csv = "csv"


class Layout(StrEnum):
    """The order in which the pixels of a colour image stand in a row."""

    channels_first = "channels_first"
    channels_last = "channels_last"


@dataclass
class Data:
    """Where the images come from and how they are parted."""

    name: DataName = key("which data set; an own file is data=csv data.csv=FILE")
    csv: str = key("file of images: a header, then a label and the pixels of an image in a row")
    test_csv: str | None = key("own file of test rows; nothing is then cut off for testing")
    label: str | None = key("name of the label's column; null: the first")
    image_shape: list[int] | None = key("[channels,height,width]; null: a grey square")
    layout: Layout = key("channels_first: one whole channel after the other; or channels_last")
    classes: list[str] | None = key(
        "names of the labels in ascending order, or of 0, 1, ...; null: the labels"
    )
    test_size: float = key("share of the rows cut off for testing", above=0, below=1)
    split_seed: int = key("random_state of the cut for testing", at_least=0)
    val_size: float = key(
        "share of the training rows cut off for validation, 0: none", at_least=0, below=1
    )
    val_seed: int = key("random_state of the cut for validation", at_least=0)
    border: int = key("black pixels added on each side of every image", at_least=0, at_most=1000)
    permutation_seed: int | None = key(
        "of one order that the pixels of every image are put into; null: as they stand", at_least=0
    )
    standardize: bool = key("subtract the training rows' mean, divide by their deviation")
    unpacked_gib: float = key("most GiB that a packed file may unpack to", above=0)
    cache: str | None = key("folder of parsed tables; none: keep in memory; null: the user's own")


@dataclass
class Augmentation:
    """Random changes of the training images, each drawn from a stream of its own."""

    flip: float = key("probability of mirroring left to right", at_least=0, at_most=1)
    shift: int = key("most pixels of a move along each axis", at_least=0)
    erase: int = key("side of a square that is blackened", at_least=0)
    impulse: float = key("share of the pixels turned black or white", at_least=0, at_most=1)


class ModelName(StrEnum):
    """Choices of `model=`."""

    mlp = "mlp"
    cnn = "cnn"
    custom = "custom"


class Activation(StrEnum):
    """Pointwise non-linearities, under torch's names."""

    relu = "relu"
    leaky_relu = "leaky_relu"
    gelu = "gelu"
    silu = "silu"
    tanh = "tanh"
    sigmoid = "sigmoid"
    none = "none"


class PaddingMode(StrEnum):
    """What the padding is filled with, under torch's names."""

    zeros = "zeros"
    reflect = "reflect"
    replicate = "replicate"
    circular = "circular"


class Normalization(StrEnum):
    """Normalisations between a convolution and its activation; `layer` is over C, H and W."""

    none = "none"
    batch = "batch"
    instance = "instance"
    layer = "layer"


class Pool(StrEnum):
    """What a pooling window keeps."""

    max = "max"
    avg = "avg"
    min = "min"
    none = "none"


class Head(StrEnum):
    """How feature maps become one vector an image."""

    flatten = "flatten"
    global_average = "global_average"
    global_max = "global_max"


@dataclass
class Model:
    """What every network has."""

    name: ModelName = key("which network")


@dataclass
class MLP(Model):
    """A fully connected network on the flattened image."""

    hidden: list[int] = key("units of each hidden layer", at_least=1)
    activation: Activation = key("after each hidden layer")
    dropout: float = key("probability after each hidden layer", at_least=0, below=1)


@dataclass
class Stage:
    """A stage of a CNN: convolution, normalisation, activation, pooling, dropout."""

    filters: int = key("feature maps that the convolution makes", 32, at_least=1)
    kernel_size: int = key("side of the square filter", 3, at_least=1)
    stride: int = key("step of the filter", 1, at_least=1)
    padding: int | str = key("valid, same, full, or pixels on each side", 1)
    padding_mode: PaddingMode = key("what the padding is filled with", PaddingMode.zeros)
    dilation: int = key("distance between the filter's taps", 1, at_least=1)
    normalization: Normalization = key("after the convolution", Normalization.none)
    activation: Activation = key("after the normalisation", Activation.relu)
    pool: Pool = key("pooling after the activation", Pool.max)
    pool_size: int = key("side of the pooling window", 2, at_least=1)
    pool_stride: int | None = key("step of the pooling window; null: pool_size", None, at_least=1)
    residual: int = key("residual blocks of two 3x3 convolutions after the pooling", 0, at_least=0)
    dropout: float = key("probability after all that", 0.0, at_least=0, below=1)

    def __post_init__(self) -> None:
        """Take words from Python as they are written on the command line."""
        self.padding_mode = PaddingMode(self.padding_mode)
        self.normalization = Normalization(self.normalization)
        self.activation = Activation(self.activation)
        self.pool = Pool(self.pool)


@dataclass
class CNN(Model):
    """Convolution stages, a head that makes a vector of the maps, dense layers."""

    stages: list[Stage] = key("one entry a stage; model.stages.0.filters=64 edits one")
    head: Head = key("how the last feature maps become a vector")
    hidden: list[int] = key("units of each dense layer before the logits", at_least=1)
    activation: Activation = key("after each dense layer")
    dropout: float = key("probability after each dense layer", at_least=0, below=1)


@dataclass
class Custom(Model):
    """The user's own network, imported because the command line names it."""

    path: str = key("FILE.py:CLASS, called with image_shape=, classes= and the arguments")
    arguments: dict[str, Any] = key("model.arguments.NAME=VALUE: passed on by name")


class OptimizerName(StrEnum):
    """Choices of `optimizer=`."""

    sgd = "sgd"
    adam = "adam"
    adamw = "adamw"


@dataclass
class Optimizer:
    """What every optimizer has."""

    name: OptimizerName = key("which optimizer")
    lr: float = key("learning rate; the highest one, under a schedule", above=0)
    weight_decay: float = key("decay of the weights", at_least=0)


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent."""

    momentum: float = key("share of the last step that is kept", at_least=0, below=1)
    nesterov: bool = key("look ahead before the step; needs a momentum")


class SchedulerName(StrEnum):
    """Choices of `scheduler=`."""

    none = "none"
    cosine = "cosine"
    onecycle = "onecycle"
    step = "step"


@dataclass
class Scheduler:
    """What every schedule has; `none` has no more."""

    name: SchedulerName = key("how the learning rate changes during the fit")


@dataclass
class Cosine(Scheduler):
    """From optimizer.lr down along half a cosine, batch by batch."""

    final_lr: float = key("learning rate at the end", at_least=0)


@dataclass
class OneCycle(Scheduler):
    """Up to optimizer.lr and down again, batch by batch (Smith and Topin 2018)."""

    warmup: float = key("share of the steps on which the rate rises", above=0, below=1)
    start_factor: float = key("the first rate is optimizer.lr / this", at_least=1)
    final_factor: float = key("the last rate is the first rate / this", at_least=1)


@dataclass
class Step(Scheduler):
    """Times gamma, every so many epochs."""

    every: int = key("epochs between two changes", at_least=1)
    gamma: float = key("factor of a change", above=0)


class AcceleratorName(StrEnum):
    """Choices of `accelerator=`."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"
    mps = "mps"


@dataclass
class Accelerator:
    """What the network is trained on."""

    name: AcceleratorName = key("where to compute; auto: the best that is there")
    devices: int = key("processes that share the training rows (DDP)", at_least=1)
    precision: str = key(
        "arithmetic, under Lightning's names",
        choices=("32-true", "64-true", "bf16-mixed", "16-mixed"),
    )
    threads: int | None = key("threads of the CPU; null: torch's choice", at_least=1)


class LoggerName(StrEnum):
    """Choices of `logger=`."""

    tensorboard = "tensorboard"
    none = "none"


@dataclass
class Logger:
    """Where curves and pictures go besides the run directory's files."""

    name: LoggerName = key("tensorboard, or none")


class Weights(StrEnum):
    """Which epoch's weights a run is tested with and known by."""

    last = "last"
    best = "best"


@dataclass
class Debug:
    """Shortcuts for finding a fault."""

    rows: int | None = key("use only the first rows of every part; null: all", at_least=1)
    profile: bool = key("write fit-profile.txt: the time that each step of the fit took")


@dataclass
class Train:
    """A training run."""

    data: Data = field(default_factory=Data)
    augmentation: Augmentation = field(default_factory=Augmentation)
    model: Model = field(default_factory=Model)
    optimizer: Optimizer = field(default_factory=Optimizer)
    scheduler: Scheduler = field(default_factory=Scheduler)
    accelerator: Accelerator = field(default_factory=Accelerator)
    logger: Logger = field(default_factory=Logger)
    debug: Debug = field(default_factory=Debug)
    seed: int = key("of the initial weights, the order of the batches and dropout", at_least=0)
    epochs: int = key("passes over the training rows", at_least=1)
    batch_size: int = key("images a step", at_least=1)
    weights: Weights = key("which are tested: last, or best by accuracy on validation rows")
    checkpoint_seconds: float = key("most seconds between two checkpoints", above=0)
    outputs: str = key("folder that the run directories go into")
    quiet: bool = key("print only where the run is")


@dataclass
class InspectData:
    """A look at a data set."""

    data: Data = field(default_factory=Data)
    outputs: str = key("folder that the picture of samples goes into")


class ProfileName(StrEnum):
    """Choices of `profile=`."""

    quick = "quick"
    full = "full"


@dataclass
class Claims:
    """The claims of the course's notes, decided by measurement."""

    claim: Any = key("which of them, as in claim=A3 or 'claim=[A3,B12]'; []: all")
    profile: ProfileName = key("full: decides; quick: shows in minutes that every part works")
    seed: int = key("the first of the paired seeds", at_least=0)
    processes: int = key("trainings at once, each with one thread", at_least=1)
    record: bool = key("write the results of all claims into docs/ and README.md")
    outputs: str = key("folder that results and finished trainings go into")


@dataclass
class RunData:
    """A file for a finished run to look at."""

    csv: str | None = key("CSV file of images of the run's shape; null: the run's own test rows")


@dataclass
class RunModel:
    """Leave to import the code of a run of model=custom."""

    path: str | None = key("FILE.py:CLASS, needed again for a run of model=custom")


@dataclass
class Resume:
    """A run or a sweep that goes on."""

    run: str = key("the directory of an interrupted run or sweep")
    model: RunModel = field(default_factory=RunModel)


@dataclass
class Reproduce:
    """A finished run that is run again and compared."""

    run: str = key("the run directory")
    model: RunModel = field(default_factory=RunModel)


@dataclass
class Evaluate:
    """An evaluation of a finished run."""

    run: str = key("the run directory")
    data: RunData = field(default_factory=RunData)
    model: RunModel = field(default_factory=RunModel)
    device: AcceleratorName = key("cpu, gpu, mps, or auto: the best that is there")
    quiet: bool = key("print only where the results are")


@dataclass
class Predict(Evaluate):
    """Labels and probabilities from a finished run, for rows with or without labels."""

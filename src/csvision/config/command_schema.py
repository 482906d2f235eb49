"""The configuration of the commands other than train: types, help texts and ranges of keys."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from csvision.config.code_path_schema import (
    LossPathConfig,
    MetricPathConfig,
    ModelPathConfig,
    TransformPathConfig,
)
from csvision.config.example_schema import ExampleDataConfig as ExampleDataConfig
from csvision.config.example_schema import ExampleDataName as ExampleDataName
from csvision.config.example_schema import PrepareFashionMNISTConfig as PrepareFashionMNISTConfig
from csvision.config.limits import MAX_EPOCHS, MAX_ROWS, MAX_SHOWN_ROWS
from csvision.config.option import option
from csvision.config.schema import TTA, AcceleratorName, DataConfig
from csvision.config.search_schema import ResumeSearchConfig


@dataclass
class InspectDataConfig:
    """A report on a data set."""

    data: DataConfig = field(default_factory=DataConfig)
    output_dir: str = option("folder for the figure of sample images")


@dataclass
class ConvertConfig:
    """A data file to write in the form that csvision reads without further keys."""

    data: DataConfig = field(default_factory=DataConfig)
    out: str = option(".csv or .parquet file to write", example="FILE.csv")


@dataclass
class OtherFileConfig:
    """How a file is read that is not the training file of a run."""

    label_column: str | None = option(
        "name of the label column, its number from 0 without a header, first or last; null: that "
        "of the training file"
    )
    header: Any = option("true, false, or auto: as in training")
    ignore: list[str] = option("names of the columns to leave out", max_length=100_000)
    pixel_range: Any = option("value of white, or [black,white]; auto: that of the run")


@dataclass
class EvalDataConfig(OtherFileConfig):
    """The rows to evaluate."""

    csv: str | None = option("data file; null: the test rows of the run")


@dataclass
class PredictDataConfig(OtherFileConfig):
    """The rows to predict."""

    csv: str = option("data file, with or without labels; -: standard input", example="FILE")


@dataclass
class ResumeConfig:
    """An interrupted run, sweep or search to resume, or a run to train longer."""

    run: str = option("directory of an interrupted run, sweep or search", example="DIR")
    epochs: int | None = option(
        "train longer: the new total number of epochs (scheduler=none, step or plateau); null: "
        "unchanged",
        ge=1,
        le=MAX_EPOCHS,
    )
    search: ResumeSearchConfig = field(default_factory=ResumeSearchConfig)
    sweep: list[str] = option(
        "keys of train for a sweep, written directly: seed=0,1,2,3 adds jobs, launcher=slurm runs "
        "the jobs elsewhere",
        max_length=1000,
    )
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    loss: LossPathConfig = field(default_factory=LossPathConfig)
    metric: MetricPathConfig = field(default_factory=MetricPathConfig)
    transform: TransformPathConfig = field(default_factory=TransformPathConfig)


@dataclass
class ReproduceConfig:
    """A finished run to train again and compare."""

    run: str = option("run directory", example="DIR")
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    loss: LossPathConfig = field(default_factory=LossPathConfig)
    metric: MetricPathConfig = field(default_factory=MetricPathConfig)
    transform: TransformPathConfig = field(default_factory=TransformPathConfig)


class EvalRows(StrEnum):
    """Choices of `rows=` of evaluate."""

    test = "test"
    all = "all"


@dataclass
class EvaluateConfig:
    """An evaluation of a finished run."""

    run: str = option(
        "run directory; for a sweep, the probabilities of its finished jobs are averaged",
        example="DIR",
    )
    data: EvalDataConfig = field(default_factory=EvalDataConfig)
    rows: EvalRows = option(
        "all: every row of data.csv; test: only the test rows of the run, found in data.csv"
    )
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    metric: MetricPathConfig = field(default_factory=MetricPathConfig)
    transform: TransformPathConfig = field(default_factory=TransformPathConfig)
    device: AcceleratorName = option("cpu, gpu, mps, or auto: the best one available")
    tta: TTA | None = option("average over views: none, flip or flip_shift; null: as in training")
    check_weights: bool = option("refuse weights whose hash differs from run.json")
    output_dir: str | None = option(
        "folder for the results; null: evaluations in the run directory"
    )
    quiet: bool = option("print only the path of the results")


class Submission(StrEnum):
    """Choices of `submission=` of predict."""

    none = "none"
    kaggle = "kaggle"


@dataclass
class InspectDataFileConfig:
    """The file of the test rows."""

    csv: str | None = option("current path of the file of the test rows; null: as in training")


@dataclass
class InspectConfig:
    """A finished run to look inside."""

    run: str = option("run directory", example="DIR")
    rows: list[int] = option(
        "test rows to show, by their rows in the file from 0; []: six, some right and some wrong",
        ge=0,
        le=MAX_ROWS,
        max_length=MAX_SHOWN_ROWS,
    )
    data: InspectDataFileConfig = field(default_factory=InspectDataFileConfig)
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    transform: TransformPathConfig = field(default_factory=TransformPathConfig)
    device: AcceleratorName = option("cpu, gpu, mps, or auto: the best one available")
    check_weights: bool = option("refuse weights whose hash differs from run.json")
    output_dir: str | None = option("folder for the page; null: inspection in the run directory")
    quiet: bool = option("print only the path of the page")


@dataclass
class DemoConfig:
    """A run whose network is shown on a local page."""

    run: str = option("run directory", example="DIR")
    port: int = option("port on 127.0.0.1; 0: a free one", ge=0, le=65535)
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    transform: TransformPathConfig = field(default_factory=TransformPathConfig)
    check_weights: bool = option("refuse weights whose hash differs from run.json")


@dataclass
class PredictConfig:
    """Predicted labels and probabilities for the rows of a file."""

    run: str = option(
        "run directory; for a sweep, the probabilities of its finished jobs are averaged",
        example="DIR",
    )
    data: PredictDataConfig = field(default_factory=PredictDataConfig)
    probabilities: bool = option("write the probability of each class")
    submission: Submission = option(
        "kaggle: write only the columns ImageId, from 1, and Label, for Kaggle's Digit Recognizer"
    )
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    transform: TransformPathConfig = field(default_factory=TransformPathConfig)
    device: AcceleratorName = option("cpu, gpu, mps, or auto: the best one available")
    tta: TTA | None = option("average over views: none, flip or flip_shift; null: as in training")
    check_weights: bool = option("refuse weights whose hash differs from run.json")
    output_dir: str | None = option(
        "folder for the results; null: predictions in the run directory"
    )
    quiet: bool = option("print only the path of the predictions")


class ExportFormat(StrEnum):
    """Choices of `format=` of export."""

    onnx = "onnx"
    pt2 = "pt2"
    state_dict = "state_dict"


class Quantization(StrEnum):
    """Choices of `quantize=` of export."""

    none = "none"
    int8 = "int8"


@dataclass
class ExportDataConfig:
    """Where the rows are with which the exported file is checked."""

    csv: str | None = option("current path of the data file of the run; null: as in training")


@dataclass
class ExportConfig:
    """The network of a finished run in a file for other programs."""

    run: str = option("run directory", example="DIR")
    format: ExportFormat = option(
        "onnx: ONNX; pt2: torch.export; state_dict: the weights alone, for torch.load"
    )
    quantize: Quantization = option(
        "int8: also a file with weights and activations of 8 bits, for format=onnx"
    )
    data: ExportDataConfig = field(default_factory=ExportDataConfig)
    model: ModelPathConfig = field(default_factory=ModelPathConfig)
    transform: TransformPathConfig = field(default_factory=TransformPathConfig)
    check_weights: bool = option("refuse weights whose hash differs from run.json")
    output_dir: str | None = option("folder for the results; null: exports in the run directory")
    quiet: bool = option("print only the path of the file")


@dataclass
class CacheConfig:
    """The cache of parsed files."""

    clear: bool = option("delete all entries")
    folder: str | None = option("folder of the cache, as data.cache; null: the user's own")

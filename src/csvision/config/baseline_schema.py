"""The configuration of `csvision baseline`: estimators of scikit-learn and their keys.

Default values are defined in conf/. Keys are named as in scikit-learn.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from csvision.config.limits import MAX_EPOCHS, MAX_ROWS, MAX_SEED, MAX_UNITS
from csvision.config.option import option
from csvision.config.schema import DataConfig, LoggerConfig, TrainConfig


class BaselineName(StrEnum):
    """Choices of `baseline=`."""

    majority = "majority"
    centroid = "centroid"
    knn = "knn"
    logistic = "logistic"
    svm_rbf = "svm_rbf"
    random_forest = "random_forest"
    hist_gradient_boosting = "hist_gradient_boosting"


@dataclass
class BaselineModelConfig:
    """Keys of every baseline; `majority` and `centroid` have no others."""

    name: BaselineName = option("estimator of scikit-learn")
    standardize: bool = option(
        "subtract the mean and divide by the std of each pixel of the training images"
    )


@dataclass
class KNNConfig(BaselineModelConfig):
    """KNeighborsClassifier."""

    n_neighbors: int = option("number of neighbors", ge=1, le=MAX_ROWS)
    weights: str = option(
        "uniform, or distance: nearer neighbors count more", choices=("uniform", "distance")
    )


@dataclass
class LogisticConfig(BaselineModelConfig):
    """LogisticRegression: multinomial, with L2 regularization."""

    C: float = option("inverse of the regularization strength", gt=0, le=1e12)
    max_iter: int = option("largest number of iterations", ge=1, le=MAX_EPOCHS)


@dataclass
class SVMConfig(BaselineModelConfig):
    """SVC with a radial basis function kernel."""

    C: float = option("inverse of the regularization strength", gt=0, le=1e12)
    gamma: float | None = option(
        "coefficient of the kernel; null: 1 / (pixels * variance of the pixels)", gt=0, le=1e12
    )


@dataclass
class RandomForestConfig(BaselineModelConfig):
    """RandomForestClassifier."""

    n_estimators: int = option("number of trees", ge=1, le=MAX_UNITS)
    max_depth: int | None = option("largest depth of a tree; null: no limit", ge=1, le=MAX_UNITS)


@dataclass
class HistGradientBoostingConfig(BaselineModelConfig):
    """HistGradientBoostingClassifier, without early stopping."""

    max_iter: int = option("iterations, each with one tree per class", ge=1, le=MAX_EPOCHS)
    learning_rate: float = option("factor of each tree", gt=0, le=1000)
    max_leaf_nodes: int = option("largest number of leaves of a tree", ge=2, le=MAX_UNITS)


@dataclass
class BaselineDebugConfig:
    """Settings that help to find errors."""

    limit_rows: int | None = option(
        "use only the first rows of each split; null: all", ge=1, le=MAX_ROWS
    )


@dataclass
class BaselineConfig:
    """A baseline, fitted and tested on the splits of a training run."""

    data: DataConfig = field(default_factory=DataConfig)
    baseline: BaselineModelConfig = field(default_factory=BaselineModelConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig)
    debug: BaselineDebugConfig = field(default_factory=BaselineDebugConfig)
    seed: int = option("seed of estimators that draw random numbers", ge=0, le=MAX_SEED)
    output_dir: str = option("folder for run directories")
    quiet: bool = option("print only the path of the run directory")

    @property
    def model(self) -> BaselineModelConfig:
        """The baseline under the name that run.json gives it, as to the network of a run."""
        return self.baseline


RunConfig = TrainConfig | BaselineConfig
"""What a run directory can contain."""

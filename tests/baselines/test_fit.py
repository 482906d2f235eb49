"""Baselines against direct calls of scikit-learn on the same arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import csvision
from csvision.config.baseline_schema import BaselineName
from csvision.data.splits import Subset
from csvision.errors import ConfigError
from csvision.rng import derive_seed
from tests.baselines.conftest import SMALL

STATE = derive_seed(42, "baseline") % 2**32

DIRECT: dict[str, tuple[Any, tuple[str, ...]]] = {
    "majority": (DummyClassifier(strategy="prior"), ()),
    "centroid": (NearestCentroid(), ()),
    "knn": (KNeighborsClassifier(3), ("baseline.n_neighbors=3", "baseline.weights=uniform")),
    "logistic": (LogisticRegression(C=0.5, max_iter=500), ("baseline.C=0.5",)),
    "svm_rbf": (SVC(C=10, gamma=0.02), ("baseline.gamma=0.02",)),
    "random_forest": (
        RandomForestClassifier(20, max_depth=4, random_state=STATE),
        ("baseline.n_estimators=20", "baseline.max_depth=4"),
    ),
    "hist_gradient_boosting": (
        HistGradientBoostingClassifier(
            learning_rate=0.2, max_iter=2, early_stopping=False, random_state=STATE
        ),
        ("baseline.max_iter=2", "baseline.learning_rate=0.2"),
    ),
}
"""Each baseline with its overrides."""


def pixels(subset: Subset) -> NDArray[np.float32]:
    """The pixels of the images of a split from 0 to 1 (N, D)."""
    images = subset.table.images[subset.indices]
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def fit(digits_file: Path, *overrides: str) -> csvision.BaselineResult:
    return csvision.baseline(*SMALL, f"data.csv={digits_file}", *overrides)


def test_every_baseline_is_compared() -> None:
    assert set(DIRECT) == set(BaselineName)


@pytest.mark.slow
@pytest.mark.parametrize("name", DIRECT)
@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_ has")
def test_baseline_is_the_estimator_of_scikit_learn(name: str, digits_file: Path) -> None:
    estimator, overrides = DIRECT[name]
    result = fit(digits_file, f"baseline={name}", *overrides)
    train, test = result.splits.train, result.splits.test
    estimator.fit(pixels(train), train.labels)
    predictions = estimator.predict(pixels(test))
    assert result.evaluation.predictions.tolist() == predictions.tolist()
    assert result.metrics["test/acc"] == pytest.approx(accuracy_score(test.labels, predictions))
    f1 = f1_score(test.labels, predictions, average="macro")
    assert result.metrics["test/f1"] == pytest.approx(f1, abs=1e-6)
    assert result.baseline.has_probabilities == (name not in ("centroid", "svm_rbf"))
    if result.baseline.has_probabilities:
        probabilities = estimator.predict_proba(pixels(test))
        np.testing.assert_array_equal(
            result.evaluation.probabilities, probabilities.astype(np.float32)
        )
        is_finite = bool((probabilities[np.arange(len(test)), test.labels] > 0).all())
        assert ("test/loss" in result.metrics) == is_finite
        if is_finite:
            loss = log_loss(test.labels, probabilities, labels=range(10))
            assert result.metrics["test/loss"] == pytest.approx(loss)
    else:
        assert not [key for key in result.metrics if key.endswith("loss")]


@pytest.mark.slow
def test_pixels_are_those_that_networks_get(digits_file: Path) -> None:
    transforms = ("data.pad=1", "data.permutation_seed=3", "data.normalize=true")
    result = fit(digits_file, "baseline=centroid", *transforms)
    train = result.splits.train
    trained = csvision.train(
        *("data=csv", f"data.csv={digits_file}", "model=mlp", "model.hidden=[]", "epochs=1"),
        *("logger=none", "quiet=true", "accelerator=cpu", *transforms),
    )
    images = train.table.images[train.indices[:5]]
    flat = trained.classifier.network.flatten
    recorded: list[Any] = []
    flat.register_forward_hook(lambda _, inputs, output: recorded.append(output))  # type: ignore[union-attr]
    trained.classifier.predict_logits(torch.from_numpy(images))
    (chunk,) = result.baseline.chunks(images)
    np.testing.assert_array_equal(chunk, recorded[0].numpy())
    assert result.splits.train.indices.tolist() == trained.splits.train.indices.tolist()


def test_standardize_scales_each_pixel_inside_the_pipeline(digits_file: Path) -> None:
    result = fit(digits_file, "baseline=logistic", "baseline.standardize=true")
    train, test = result.splits.train, result.splits.test
    scaler = StandardScaler().fit(pixels(train))
    direct = LogisticRegression(C=0.1, max_iter=1000)
    direct.fit(scaler.transform(pixels(train)), train.labels)
    probabilities = direct.predict_proba(scaler.transform(pixels(test)))
    np.testing.assert_allclose(result.evaluation.probabilities, probabilities, rtol=1e-5)


@pytest.mark.slow
def test_class_without_training_rows_has_probability_zero(digits_file: Path) -> None:
    result = fit(digits_file, "baseline=majority", "debug.limit_rows=6")
    missing = set(range(10)) - set(result.splits.train.labels.tolist())
    assert missing
    assert (result.evaluation.probabilities[:, sorted(missing)] == 0).all()
    assert result.evaluation.probabilities.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("overrides", "start"),
    [
        (("baseline=knn", "baseline.n_neighbors=500"), "baseline.n_neighbors=500: there are 216"),
        (("baseline=logistic", "debug.limit_rows=1"), "baseline=logistic: all 1 training rows"),
        (("baseline=logistic", "baseline.C=0"), "baseline.C=0.0 must be > 0"),
        (("baseline=knn", "baseline.C=1"), "baseline.C"),
        (("baseline=knn", "baseline.weights=x"), "baseline.weights=x must be one of"),
        (("baseline=knn", "baseline.name=svm_rbf"), "baseline.name=svm_rbf does not select"),
        (("baseline=none",), "baseline=none"),
        (("data.test_size=2",), "data.test_size=2.0"),
    ],
)
def test_error_names_its_key(
    overrides: tuple[str, ...], start: str, digits_file: Path, working_folder: Path
) -> None:
    with pytest.raises(ConfigError) as raised:
        fit(digits_file, *overrides)
    assert any(message.startswith(start) for message in raised.value.messages)
    assert list(working_folder.iterdir()) == []


@pytest.mark.slow
def test_loss_of_certain_and_correct_predictions_is_positive_zero(tmp_path: Path) -> None:
    labels = np.arange(40) % 2
    table = pd.DataFrame({"label": labels} | {f"pixel{i}": 200 * labels for i in range(16)})
    file = tmp_path / "blocks.csv"
    table.to_csv(file, index=False)
    words = ("data=csv", f"data.csv={file}", "data.cache=none", "logger=none", "quiet=true")
    result = csvision.baseline("baseline=knn", f"output_dir={tmp_path}", *words)
    for name in ("val/loss", "test/loss"):
        assert str(result.metrics[name]) == "0.0"

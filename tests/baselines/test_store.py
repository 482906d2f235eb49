"""The file of a fitted baseline: it executes nothing, and its content has one hash."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skops import io

import csvision
from csvision.baselines.estimators import build_classifier
from csvision.baselines.store import FILE, estimator_sha256
from csvision.config.baseline_schema import BaselineName
from csvision.config.compose import load_config
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from tests.conftest import digits


class Harmful:
    """An object that would remove a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.remove, ("precious",)


def fitted(name: str, seed: int = 0) -> Any:
    """Return a classifier that was fitted to some digits."""
    config: csvision.BaselineConfig = load_config("baseline", [f"baseline={name}"])
    for key in ("n_estimators", "max_iter"):
        if hasattr(config.baseline, key):
            setattr(config.baseline, key, 5 if name != "logistic" else 500)
    table = digits(100)
    pixels = table.drop(columns="label").to_numpy(np.float32) / 255
    return build_classifier(config.baseline, seed).fit(pixels, table["label"])


@pytest.mark.slow
@pytest.mark.parametrize("name", BaselineName)
@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_ has")
def test_equal_fits_have_equal_hashes_also_after_a_round_trip(name: str) -> None:
    one, other = fitted(name), fitted(name)
    assert estimator_sha256(one) == estimator_sha256(other)
    restored = io.loads(io.dumps(one), trusted=io.get_untrusted_types(data=io.dumps(one)))
    assert estimator_sha256(restored) == estimator_sha256(one)


@pytest.mark.slow
def test_hash_depends_on_learned_values_and_parameters() -> None:
    one = fitted("logistic")
    before = estimator_sha256(one)
    one.coef_[0, 0] += 1e-12
    changed = estimator_sha256(one)
    one.coef_ = fitted("logistic").coef_
    one.C = 2.0
    assert len({before, changed, estimator_sha256(one)}) == 3
    assert estimator_sha256(fitted("random_forest", 0)) != estimator_sha256(
        fitted("random_forest", 1)
    )


def test_unknown_types_are_refused_and_not_constructed(
    small_baseline: RunDirectory, working_folder: Path
) -> None:
    precious = working_folder / "precious"
    precious.write_text("", encoding="utf-8")
    io.dump({"estimator": Harmful(), "mean": [0.0], "std": [1.0]}, small_baseline.path / FILE)
    with pytest.raises(RunError, match=r"baseline\.skops cannot be read: .*Harmful"):
        csvision.load_baseline(small_baseline.path)
    assert precious.exists()


def test_pickle_is_refused(small_baseline: RunDirectory) -> None:
    (small_baseline.path / FILE).write_bytes(b"\x80\x04N.")
    with pytest.raises(RunError, match=r"baseline\.skops is damaged"):
        csvision.load_baseline(small_baseline.path)


def test_compressed_file_is_refused(small_baseline: RunDirectory) -> None:
    with zipfile.ZipFile(small_baseline.path / FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b"0" * 10**6)
    with pytest.raises(RunError, match="compressed or overlap"):
        csvision.load_baseline(small_baseline.path)


def test_missing_file_is_refused(small_baseline: RunDirectory) -> None:
    (small_baseline.path / FILE).unlink()
    with pytest.raises(RunError, match=r"has no baseline\.skops"):
        csvision.evaluate(small_baseline.path)


@pytest.mark.slow
def test_baseline_of_another_run_is_refused_unless_asked(
    small_baseline: RunDirectory, digits_file: Path
) -> None:
    fitted = csvision.load_baseline(small_baseline.path)
    fitted.estimator[-1].n_neighbors = 1
    content = {"estimator": fitted.estimator, "mean": np.zeros(1), "std": np.ones(1)}
    io.dump(content, small_baseline.path / FILE)
    with pytest.raises(RunError, match="its hash differs from weights_sha256"):
        csvision.evaluate(small_baseline.path)
    result = csvision.evaluate(small_baseline.path, "check_weights=false", "quiet=true")
    assert result.metrics["test/acc"] > 0.5

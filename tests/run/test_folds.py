"""Cross-validation as a sweep: recorded, reproducible, resumable."""

from pathlib import Path

import numpy as np
import pytest

import csvision
from csvision.run.directory import RunDirectory
from csvision.run.recorded_splits import read_splits
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_MLP, SMALL_TRAINING, reproducible_results
from tests.run.interrupt import train_until


@pytest.mark.slow
def test_folds_are_jobs_of_a_sweep_that_record_their_rows_and_can_be_reproduced(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    output = csvision_command(
        "train", "-m", *SMALL_TRAINING, *SMALL_MLP, "epochs=1", "data.folds=3", "data.fold=range(3)"
    )
    assert (output.code, output.err) == (0, "")
    assert "mean +- standard deviation over folds" in output.out
    (sweep,) = Path("outputs/sweeps").iterdir()
    runs = [RunDirectory(sweep / f"{fold}_fold={fold}") for fold in range(3)]
    manifests = [run.read_manifest() for run in runs]
    assert [content["config"]["data"]["fold"] for content in manifests] == [0, 1, 2]
    hashes = [content["data"]["split_sha256"] for content in manifests]
    assert len(set(hashes)) == 3
    val = [read_splits(run.splits, sha).val.indices for run, sha in zip(runs, hashes, strict=True)]
    assert len(set(np.concatenate(val))) == sum(map(len, val)) == 240
    again = csvision.train(
        *SMALL_TRAINING, *SMALL_MLP, "epochs=1", "data.folds=3", "data.fold=1"
    ).directory
    assert reproducible_results(RunDirectory(again)) == reproducible_results(runs[1])


@pytest.mark.slow
def test_interrupted_fold_is_resumed_with_its_rows(digits_csv: Path) -> None:
    overrides = (*SMALL_TRAINING, *SMALL_MLP, "data.folds=3", "data.fold=2")
    expected = RunDirectory(csvision.train(*overrides).directory)
    run = train_until(8, overrides)
    csvision.resume(run.path)
    assert reproducible_results(run) == reproducible_results(expected)

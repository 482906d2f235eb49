"""The ensemble of a sweep: metrics and files of the mean of the probabilities."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss

import csvision
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.sweep_folder import SWEEP_FILE
from tests.conftest import SMALL_MLP, SMALL_TRAINING, digits

RUN = (*SMALL_TRAINING, *SMALL_MLP, "epochs=1", "data.cache=none")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three finished runs and one that has failed, as a sweep leaves them."""
    folder = tmp_path_factory.mktemp("ensemble") / "sweep"
    folder.mkdir()
    (folder / SWEEP_FILE).touch()
    digits(300).to_csv(folder / "digits.csv", index=False)
    for seed in range(3):
        files = (f"data.csv={folder / 'digits.csv'}", f"output_dir={folder / 'runs'}")
        run = csvision.train(*RUN, *files, f"seed={seed}").directory
        run.rename(folder / f"{seed}_mlp_seed{seed}")
    failed = RunDirectory(folder / "3_mlp_seed3")
    failed.path.mkdir()
    (failed.path / "run.json").write_text('{"state": "failed", "config": {}}', encoding="utf-8")
    return folder


@pytest.mark.slow
def test_metrics_are_those_of_the_mean_probabilities(sweep: Path) -> None:
    result = csvision.evaluate(sweep, "quiet=true")
    tables = [pd.read_csv(sweep / f"{seed}_mlp_seed{seed}/predictions.csv") for seed in range(3)]
    columns = [f"probability {digit}" for digit in range(10)]
    mean = np.mean([table[columns].to_numpy() for table in tables], axis=0)
    np.testing.assert_allclose(result.probabilities, mean, atol=1e-6)
    # Files have seven digits.
    mean /= mean.sum(axis=1, keepdims=True)
    labels, predictions = tables[0]["label"], mean.argmax(axis=1)
    expected = {
        "test/loss": log_loss(labels, mean, labels=range(10)),
        "test/acc": float((predictions == labels).mean()),
        "test/f1": f1_score(labels, predictions, average="macro", zero_division=0),
        "test/balanced_acc": balanced_accuracy_score(labels, predictions),
    }
    assert result.metrics == pytest.approx(expected, abs=1e-5)
    assert result.directory is not None
    assert result.directory.parent == sweep / "evaluations"
    written = json.loads((result.directory / "metrics.json").read_text(encoding="utf-8"))
    assert written["test/acc"] == result.metrics["test/acc"]


@pytest.mark.slow
def test_other_file_can_be_tested(sweep: Path, digits_csv: Path) -> None:
    options = (f"data.csv={digits_csv}", "output_dir=here", "quiet=true")
    result = csvision.evaluate(sweep, *options)
    assert len(result.subset) == 300
    assert result.directory is not None
    assert result.directory.parent == Path("here")


@pytest.mark.slow
def test_runs_with_other_test_rows_are_refused(sweep: Path) -> None:
    (Path("sweep")).mkdir()
    (Path("sweep") / SWEEP_FILE).touch()
    for seed in range(2):
        files = (f"data.csv={sweep / 'digits.csv'}", f"data.split_seed={seed}")
        csvision.train(*RUN, *files).directory.rename(Path("sweep") / f"{seed}_mlp")
    with pytest.raises(RunError, match="its test rows differ from those of 0_mlp"):
        csvision.evaluate("sweep")


@pytest.mark.slow
def test_evaluate_and_predict_say_that_they_use_the_ensemble(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = f"run={sweep} is a sweep: using the ensemble of its 3 finished runs"
    result = csvision.SweepResult(sweep, [], pd.DataFrame())
    csvision.evaluate(result, "output_dir=out")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == first
    assert "ensemble of 3 runs, the mean of their probabilities:" in lines
    csvision.predict(result, sweep / "digits.csv", "output_dir=out")
    assert capsys.readouterr().out.splitlines()[0] == first


@pytest.mark.slow
def test_sweep_with_one_finished_run_is_refused(sweep: Path) -> None:
    Path("sweep").mkdir()
    (Path("sweep") / SWEEP_FILE).touch()
    shutil.copytree(sweep / "0_mlp_seed0", "sweep/0_mlp_seed0")
    with pytest.raises(RunError, match=r"^run=sweep: 1 of its jobs have finished; .* needs two"):
        csvision.evaluate("sweep")


@pytest.mark.slow
def test_tta_of_evaluate_and_predict_replaces_that_of_the_training(sweep: Path) -> None:
    run = sweep / "0_mlp_seed0"
    plain = csvision.evaluate(run, "output_dir=out", "quiet=true").probabilities
    flipped = csvision.evaluate(run, "output_dir=out", "quiet=true", "tta=flip").probabilities
    assert not np.allclose(plain, flipped)
    table = csvision.read_table(str(sweep / "digits.csv"))
    classifier = csvision.load(run)
    rows = pd.read_csv(run / "predictions.csv")["row"].to_numpy()
    images = table.images[rows]
    both = [classifier.predict_proba(view.copy()) for view in (images, images[..., ::-1])]
    np.testing.assert_allclose(flipped, (both[0] + both[1]) / 2, atol=1e-6)
    predicted = csvision.predict(
        run, sweep / "digits.csv", "tta=flip", "output_dir=out", "quiet=true"
    )
    columns = [f"probability {digit}" for digit in range(10)]
    np.testing.assert_allclose(predicted[columns].to_numpy()[rows], flipped, atol=1e-6)

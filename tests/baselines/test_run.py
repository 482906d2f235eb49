"""The run directory of a baseline: its files, and the commands that use it again."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import csvision
from csvision.baselines import fit as fit_module
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.manifest import RESULT_HASHES
from csvision.run.recorded_splits import read_splits
from csvision.run.sweep_folder import SWEEP_FILE
from tests.baselines.conftest import SMALL
from tests.cli.conftest import RunCommand, csvision_command

__all__ = ["csvision_command"]


@pytest.mark.slow
def test_writes_the_files_of_a_run(small_baseline_result: csvision.BaselineResult) -> None:
    run_dir = RunDirectory(small_baseline_result.directory)
    names = {path.name for path in run_dir.path.iterdir()} - {".lock", ".hydra"}
    assert names == {
        *("run.json", "metrics.json", "predictions.csv", "splits.npz", "per_class.csv"),
        *("confusion_matrix.csv", "confusion_matrix.png", "train.log", "baseline.skops"),
    }
    manifest = run_dir.read_manifest()
    assert manifest["state"] == "finished"
    assert manifest["config"]["model"]["name"] == "knn"
    assert manifest["accelerator"] == "cpu"
    metrics = json.loads(run_dir.metrics.read_text("utf-8"))
    assert {"val/acc", "test/acc", "test/f1", "test/acc by class"} <= set(metrics)
    predictions = pd.read_csv(run_dir.path / "predictions.csv")
    found = (predictions["label"] == predictions["prediction"]).mean()
    assert metrics["test/acc"] == pytest.approx(found)
    assert sum(name.startswith("probability ") for name in predictions.columns) == 10


def test_rows_are_those_of_a_trained_run(
    small_baseline_result: csvision.BaselineResult, digits_file: Path
) -> None:
    run_dir = RunDirectory(small_baseline_result.directory)
    data = run_dir.read_manifest()["data"]
    recorded = read_splits(run_dir.splits, data["split_sha256"])
    splits = csvision.load_splits(small_baseline_result.config.data)
    for name in ("train", "val", "test"):
        indices = getattr(splits, name).indices.tolist()
        assert getattr(recorded, name).indices.tolist() == indices


@pytest.mark.slow
def test_equal_configurations_give_equal_hashes(digits_file: Path) -> None:
    words = (*SMALL, f"data.csv={digits_file}", "baseline=random_forest")
    hashes = []
    for seed in (1, 1, 2):
        result = csvision.baseline(*words, "baseline.n_estimators=5", f"seed={seed}")
        manifest = RunDirectory(result.directory).read_manifest()
        hashes.append([manifest[name] for name in RESULT_HASHES])
    assert hashes[0] == hashes[1]
    assert hashes[0][0] != hashes[2][0]
    assert hashes[0][1] != hashes[2][1]


@pytest.mark.slow
def test_estimator_without_probabilities_has_no_columns_for_them(digits_file: Path) -> None:
    result = csvision.baseline(*SMALL, f"data.csv={digits_file}", "baseline=svm_rbf")
    predictions = pd.read_csv(result.directory / "predictions.csv")
    assert list(predictions.columns) == ["row", "label", "prediction"]
    assert result.evaluation.confusion_matrix.sum() == len(result.splits.test)


@pytest.mark.slow
def test_tensorboard_has_metrics_and_figures(digits_file: Path) -> None:
    words = (*SMALL, f"data.csv={digits_file}", "baseline=svm_rbf", "logger=tensorboard")
    result = csvision.baseline(*words)
    events = EventAccumulator(str(result.directory)).Reload()
    scalars = {tag: events.Scalars(tag)[0].value for tag in events.Tags()["scalars"]}
    assert scalars == pytest.approx(result.metrics)
    assert set(events.Tags()["images"]) == {
        "visualizations/confusion matrix",
        "visualizations/test images",
    }


class TestReuse:
    def test_evaluate_gives_the_metrics_of_the_run(
        self, small_baseline: RunDirectory, small_baseline_result: csvision.BaselineResult
    ) -> None:
        result = csvision.evaluate(small_baseline.path, "quiet=true")
        tested = small_baseline_result.evaluation
        assert result.metrics == tested.metrics
        np.testing.assert_array_equal(result.probabilities, tested.probabilities)
        assert result.directory is not None
        assert (result.directory / "confusion_matrix.png").is_file()

    @pytest.mark.slow
    def test_evaluate_and_predict_take_another_file(
        self, small_baseline: RunDirectory, digits_file: Path
    ) -> None:
        other = shutil.copy(digits_file, "other.csv")
        result = csvision.evaluate(small_baseline.path, f"data.csv={other}", "quiet=true")
        predictions = csvision.predict(small_baseline.path, other, "quiet=true")
        assert len(predictions) == 300
        found = (predictions["label"] == predictions["prediction"]).mean()
        assert found == pytest.approx(result.metrics["test/acc"])

    def test_load_baseline_predicts(
        self, small_baseline: RunDirectory, small_baseline_result: csvision.BaselineResult
    ) -> None:
        fitted = csvision.load_baseline(small_baseline.path)
        test = small_baseline_result.splits.test
        predicted = fitted.predict(test.table.images[test.indices])
        np.testing.assert_array_equal(predicted, small_baseline_result.evaluation.predictions)

    def test_commands_for_networks_refuse_a_baseline(self, small_baseline: RunDirectory) -> None:
        with pytest.raises(RunError, match=r"is a baseline \(knn\), not a trained network"):
            csvision.load(small_baseline.path)
        with pytest.raises(RunError, match="is finished"):
            csvision.resume(small_baseline.path)

    @pytest.mark.slow
    def test_commands_for_baselines_refuse_a_network(self, small_run: RunDirectory) -> None:
        with pytest.raises(RunError, match="is a trained network, not a baseline"):
            csvision.load_baseline(small_run.path)

    @pytest.mark.slow
    def test_reproduce_fits_again_and_compares(self, small_baseline: RunDirectory) -> None:
        comparison = csvision.reproduce(small_baseline.path)
        assert (comparison.equal, comparison.differences) == (True, [])
        small_baseline.update_manifest(predictions_sha256="0" * 64)
        comparison = csvision.reproduce(small_baseline.path)
        assert not comparison.equal
        assert any(line.startswith("predictions_sha256") for line in comparison.differences)


@pytest.mark.slow
def test_interrupted_baseline_is_fitted_again(
    small_baseline: RunDirectory, csvision_command: RunCommand
) -> None:
    before = small_baseline.read_manifest()
    small_baseline.update_manifest(state="interrupted")
    refused = csvision_command("resume", f"run={small_baseline.path}", "epochs=3")
    assert "has no epochs" in refused.error
    output = csvision_command("resume", f"run={small_baseline.path}")
    assert (output.code, output.out.splitlines()[-1]) == (0, "small")
    after = small_baseline.read_manifest()
    assert after["state"] == "finished"
    assert [after[name] for name in RESULT_HASHES] == [before[name] for name in RESULT_HASHES]


@pytest.mark.slow
def test_sweep_writes_its_table_and_resumes(
    digits_file: Path,
    csvision_command: RunCommand,
    working_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = fit_module.fit

    def fail_once(config: csvision.BaselineConfig, splits: csvision.Splits) -> object:
        if config.baseline.name == "centroid":
            raise ValueError("a bug")
        return real(config, splits)

    words = ("baseline=majority,centroid", "seed=1,2", *SMALL, f"data.csv={digits_file}")
    with monkeypatch.context() as patch:
        patch.setattr(fit_module, "fit", fail_once)
        output = csvision_command("baseline", "-m", *words)
    assert output.code == 1
    (sweep,) = (working_folder / "outputs" / "sweeps").iterdir()
    table = pd.read_csv(sweep / "sweep.csv")
    assert table["state"].tolist() == ["finished", "finished", "failed", "failed"]
    folders = sorted(path.name for path in sweep.glob("*_*"))
    assert folders == [
        "0_baseline=majority_seed=1",
        "1_baseline=majority_seed=2",
        "2_baseline=centroid_seed=1",
        "3_baseline=centroid_seed=2",
    ]
    # Earlier versions have named the folders otherwise.
    record = (sweep / "sweep.json").read_text(encoding="utf-8")
    for name in folders:
        before = name.replace("baseline=", "").replace("seed=", "seed")
        (sweep / name).rename(sweep / before)
        record = record.replace(name, before)
    (sweep / "sweep.json").write_text(record, encoding="utf-8")
    # A job that had not started has no folder.
    shutil.rmtree(sweep / "3_centroid_seed2")
    assert csvision_command("resume", f"run={sweep}").code == 0
    table = pd.read_csv(sweep / "sweep.csv")
    assert set(table["state"]) == {"finished"}
    assert table["test/acc"].notna().all()
    assert table["baseline"].tolist() == ["majority", "majority", "centroid", "centroid"]
    assert (sweep / "3_centroid_seed2" / "metrics.json").is_file()


@pytest.mark.slow
def test_command_prints_the_path_of_the_run(
    digits_file: Path, csvision_command: RunCommand
) -> None:
    output = csvision_command("baseline", "baseline=majority", *SMALL, f"data.csv={digits_file}")
    (path,) = output.out.splitlines()
    assert Path(path).name.endswith("_majority_seed42")
    assert RunDirectory(Path(path)).read_manifest()["overrides"][0] == "baseline=majority"


@pytest.mark.slow
def test_sweep_of_baselines_has_no_ensemble(small_baseline: RunDirectory, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    for number in range(2):
        shutil.copytree(small_baseline.path, sweep / f"{number}_knn")
    (sweep / SWEEP_FILE).touch()
    message = f"^run={sweep} is a sweep of baselines"
    with pytest.raises(RunError, match=message):
        csvision.predict(sweep, "bundled")
    with pytest.raises(RunError, match=message) as caught:
        csvision.evaluate(sweep)
    proposed = str(caught.value).rpartition("run=")[2]
    assert csvision.evaluate(proposed, "quiet=true").metrics

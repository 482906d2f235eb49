"""The commands as Python functions: results, printed output, and use inside other programs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

import csvision
from csvision import UserError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING

SMALL = (*SMALL_TRAINING, *SMALL_MLP, "epochs=1")

pytestmark = pytest.mark.usefixtures("digits_csv")


class TestTrain:
    @pytest.mark.slow
    def test_returns_metrics_directory_and_classifier(self) -> None:
        result = csvision.train(*SMALL, "seed=3")
        metrics = json.loads((result.directory / "metrics.json").read_text())
        assert result.metrics.items() <= metrics.items()
        assert result.directory.parent == Path("outputs/runs").absolute()
        assert result.directory.name.endswith("_mlp_seed3")
        images = torch.from_numpy(csvision.read_table("digits.csv").images[:8])
        probabilities = result.classifier.predict_proba(images)
        assert probabilities.shape == (8, 10)
        expected = csvision.load(result.directory).predict_proba(images)
        torch.testing.assert_close(probabilities, expected)

    @pytest.mark.slow
    def test_returns_config_splits_and_evaluation(self) -> None:
        result = csvision.train(*SMALL, "seed=3")
        assert result.config == csvision.load_config("train", [*SMALL, "seed=3"])
        assert [len(result.splits.train), len(result.splits.val)] == [216, 24]
        assert result.evaluation.subset == result.splits.test
        assert result.evaluation.metrics.items() <= result.metrics.items()
        assert result.is_global_zero

    @pytest.mark.slow
    def test_takes_a_config_in_place_of_overrides(self) -> None:
        config = csvision.load_config("train", [*SMALL, "seed=3"])
        assert csvision.train(config).metrics == csvision.train(*SMALL, "seed=3").metrics

    @pytest.mark.slow
    def test_two_runs_in_one_process_have_different_directories(self) -> None:
        first, second = csvision.train(*SMALL), csvision.train(*SMALL, "seed=0")
        assert first.directory != second.directory
        assert first.metrics != second.metrics
        assert len(list(Path("outputs/runs").iterdir())) == 2

    @pytest.mark.slow
    def test_quiet_prints_nothing(
        self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        csvision.train(*SMALL, "quiet=true")
        assert capsys.readouterr() == ("", "")
        assert caplog.records == []

    @pytest.mark.slow
    def test_prints_layers_epochs_and_metrics(self, capsys: pytest.CaptureFixture[str]) -> None:
        result = csvision.train(*SMALL, "quiet=false")
        output, errors = capsys.readouterr()
        assert errors == ""
        lines = output.splitlines()
        assert lines[0].startswith("layer")
        assert [line for line in lines if line.startswith("epoch 1/1  train/loss ")]
        assert lines[-1] == "  ".join(
            f"{name} {value:.4f}" for name, value in sorted(result.metrics.items())
        )

    @pytest.mark.parametrize(
        ("override", "message"),
        [
            ("optimizer.lr=-1", r"optimizer\.lr=-1\.0"),
            ("sed=1", r"sed.* did you mean seed\?"),
            ("data.csv=nowhere.csv", r"nowhere\.csv"),
        ],
    )
    def test_user_errors_are_raised_before_anything_is_written(
        self, override: str, message: str
    ) -> None:
        with pytest.raises(UserError, match=message):
            csvision.train(*SMALL, override)
        assert not Path("outputs").exists()


class TestFinishedRun:
    @pytest.mark.slow
    def test_evaluate_prints_a_table_and_returns_the_folder(
        self, small_run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        result = csvision.evaluate(small_run.path)
        metrics = json.loads(small_run.metrics.read_text())
        assert result.metrics["test/acc"] == metrics["test/acc"]
        output = capsys.readouterr().out
        assert [result.directory] == list(small_run.evaluations.iterdir())
        assert f"test/acc {metrics['test/acc']:.4f}" in output
        assert output.split()[:5] == ["class", "rows", "precision", "recall", "f1"]
        assert result.directory is not None
        assert (result.directory / "confusion_matrix.png").is_file()

    def test_predict_prints_the_number_of_rows_and_returns_the_path(
        self, small_run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        predictions = csvision.predict(str(small_run.path), "digits.csv")
        assert len(predictions) == 300
        assert [predictions.attrs["path"]] == list(small_run.predictions.iterdir())
        assert re.fullmatch(r"300 rows, [\d,]+ images/s\n", capsys.readouterr().out)

    @pytest.mark.slow
    def test_evaluate_and_predict_take_a_config_in_place_of_overrides(
        self, small_run: RunDirectory
    ) -> None:
        run = f"run={small_run.path}"
        evaluate = csvision.load_config("evaluate", [run, "quiet=true"])
        predict = csvision.load_config("predict", [run, "data.csv=digits.csv", "quiet=true"])
        assert csvision.evaluate(evaluate).metrics["test/acc"] > 0
        assert len(csvision.predict(predict)) == 300


@pytest.mark.slow
def test_state_of_another_hydra_program_is_unchanged() -> None:
    outer = Path("outer")
    outer.mkdir()
    (outer / "settings.yaml").write_text("depth: 3\n", encoding="utf-8")
    with initialize_config_dir(str(outer.absolute()), version_base="1.3"):
        before = GlobalHydra.instance().hydra
        csvision.train(*SMALL)
        assert GlobalHydra.instance().hydra is before
        assert compose("settings", ["depth=4"]) == {"depth": 4}


PROGRAM = """
import hydra
import csvision
from hydra.core.hydra_config import HydraConfig

@hydra.main(config_path=None, version_base="1.3")
def main(config):
    runs = [csvision.train(*config.overrides, f"seed={seed}") for seed in (0, 0, 1)]
    losses = [run.metrics["test/loss"] for run in runs]
    assert losses[0] == losses[1] != losses[2]
    assert csvision.evaluate(runs[0].directory, "quiet=true").metrics["test/loss"] == losses[0]
    assert HydraConfig.get().job.name == "program"

main()
"""


@pytest.mark.slow
def test_works_inside_another_hydra_program() -> None:
    Path("program.py").write_text(PROGRAM, encoding="utf-8")
    overrides = ",".join(f"'{override}'" for override in SMALL)
    result = subprocess.run(
        [sys.executable, "program.py", f"+overrides=[{overrides}]"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert len(list(Path().rglob("run.json"))) == 3
    (job,) = Path("outputs").glob("*-*-*")
    assert list(job.rglob("program.log"))

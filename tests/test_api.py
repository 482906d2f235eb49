"""csvision from Python: one call each, in a notebook as inside another Hydra program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

import csvision
from csvision import UserError

SMALL = (
    "data=csv",
    "data.csv=digits.csv",
    "model=mlp",
    "model.hidden=[8]",
    "epochs=1",
    "accelerator=cpu",
    "logger=none",
)

pytestmark = pytest.mark.usefixtures("digits_csv")


class TestTrain:
    def test_returns_metrics_directory_and_classifier(self) -> None:
        run = csvision.train(*SMALL, "seed=3")
        assert (
            run.metrics.items() <= json.loads((run.directory / "metrics.json").read_text()).items()
        )
        assert run.directory.parent == Path("outputs/runs")
        assert run.directory.name.endswith("_mlp_seed3")
        table = csvision.read_table("digits.csv")
        images = torch.from_numpy(table.images[:8])
        assert run.classifier.probabilities(images).shape == (8, 10)
        expected = csvision.load(run.directory).probabilities(images)
        torch.testing.assert_close(run.classifier.probabilities(images), expected)

    def test_works_twice_in_one_process(self) -> None:
        first, second = csvision.train(*SMALL), csvision.train(*SMALL, "seed=0")
        assert first.directory != second.directory
        assert first.metrics != second.metrics
        assert len(list(Path("outputs/runs").iterdir())) == 2

    def test_prints_only_the_directory_when_quiet(
        self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        run = csvision.train(*SMALL, "quiet=true")
        assert capsys.readouterr() == (f"{run.directory}\n", "")
        assert caplog.records == []

    def test_prints_network_epochs_and_metrics_otherwise(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = csvision.train(*SMALL)
        output, errors = capsys.readouterr()
        assert errors == ""
        lines = output.splitlines()
        assert lines[0].startswith("layer")
        assert [line for line in lines if line.startswith("epoch 1/1  train/loss ")]
        assert lines[-2] == "  ".join(
            f"{name} {value:.4f}" for name, value in sorted(run.metrics.items())
        )
        assert lines[-1] == str(run.directory)

    def test_raises_what_the_command_refuses_and_leaves_nothing(self) -> None:
        for override, told in (
            ("optimizer.lr=-1", r"optimizer\.lr=-1\.0 must be > 0"),
            ("sed=1", r"there is no key sed; did you mean seed\?"),
            ("data.csv=nowhere.csv", r"nowhere\.csv: there is no such file"),
        ):
            with pytest.raises(UserError, match=told):
                csvision.train(*SMALL, override)
        assert not Path("outputs").exists()


class TestFinishedRun:
    def test_is_evaluated_with_a_table_and_its_folder_printed(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = csvision.train(*SMALL, "quiet=true")
        capsys.readouterr()
        evaluation = csvision.evaluate(run.directory)
        assert evaluation.metrics["test/acc"] == run.metrics["test/acc"]
        output = capsys.readouterr().out
        (folder,) = (run.directory / "evaluations").iterdir()
        assert output.splitlines()[-1] == str(folder)
        assert f"test/acc {run.metrics['test/acc']:.4f}" in output
        assert output.split()[:5] == ["class", "rows", "precision", "recall", "f1"]
        assert (folder / "confusion_matrix.png").is_file()

    def test_predicts_and_prints_where_the_table_is(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = csvision.train(*SMALL, "quiet=true")
        capsys.readouterr()
        assert len(csvision.predict(str(run.directory), "digits.csv")) == 300
        (path,) = (run.directory / "predictions").iterdir()
        assert capsys.readouterr().out == f"300 rows\n{path}\n"


def test_leaves_the_state_of_another_use_of_hydra_alone() -> None:
    outer = Path("outer")
    outer.mkdir()
    (outer / "settings.yaml").write_text("depth: 3\n", encoding="utf-8")
    with initialize_config_dir(str(outer.absolute()), version_base="1.3"):
        before = GlobalHydra.instance().hydra
        csvision.train(*SMALL, "quiet=true")
        assert GlobalHydra.instance().hydra is before
        assert compose("settings", ["depth=4"]) == {"depth": 4}


PROGRAM = """
import hydra
import csvision
from hydra.core.hydra_config import HydraConfig

@hydra.main(config_path=None, version_base="1.3")
def main(settings):
    runs = [csvision.train(*settings.overrides, f"seed={seed}", "quiet=true") for seed in (0, 0, 1)]
    accuracies = [run.metrics["test/loss"] for run in runs]
    assert accuracies[0] == accuracies[1] != accuracies[2]
    assert csvision.evaluate(runs[0].directory, "quiet=true").metrics["test/loss"] == accuracies[0]
    assert HydraConfig.get().job.name == "program"

main()
"""


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
    (hydras,) = Path("outputs").glob("*-*-*")
    assert list(hydras.rglob("program.log"))

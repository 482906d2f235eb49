"""The table of a sweep, and sweeps on the command line."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import csvision
from csvision.errors import RunError
from csvision.run.sweep_table import (
    aggregate_over_seeds,
    format_sweep,
    metric_columns,
    summarize_sweep,
    sweep_table,
    swept_keys,
)
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_TRAINING

METRICS = ("val/acc", "test/loss", "test/acc", "test/f1")


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def only_sweep() -> Path:
    (folder,) = Path("outputs/sweeps").absolute().iterdir()
    return folder


@pytest.fixture
def run_sweep(digits_csv: Path, csvision_command: RunCommand) -> RunCommand:
    """Return a function that runs a sweep, with -m in the middle of the overrides."""
    return partial(csvision_command, "train", *SMALL_TRAINING, "epochs=2", "quiet=false", "-m")


class TestCommand:
    @pytest.mark.slow
    def test_each_job_has_its_own_directory_and_a_row_of_the_table(
        self, run_sweep: RunCommand
    ) -> None:
        result = run_sweep("model=mlp,cnn", "model.hidden=[16]", "seed=0,1")
        assert (result.code, result.err) == (0, "")
        folder = only_sweep()
        jobs = [
            "0_model=mlp_seed=0",
            "1_model=mlp_seed=1",
            "2_model=cnn_seed=0",
            "3_model=cnn_seed=1",
        ]
        assert sorted(path.name for path in folder.iterdir()) == [
            ".lock",
            ".runs.jsonl",
            ".sweep.html.lock",
            *jobs,
            "multirun.yaml",
            "sweep.csv",
            "sweep.html",
            "sweep.json",
        ]
        metrics = [read_json(folder / job / "metrics.json") for job in jobs]
        assert len({job["test/loss"] for job in metrics}) == 4
        self.check_csv(pd.read_csv(folder / "sweep.csv"), metrics)
        self.check_output(result.out, metrics)
        assert result.out.splitlines()[-1] == str(folder.relative_to(Path.cwd()))

        single = ("epochs=2", "model=cnn", "model.hidden=[16]", "seed=1")
        assert csvision.train(*SMALL_TRAINING, *single).metrics.items() <= metrics[3].items()

    def check_csv(self, table: pd.DataFrame, metrics: list[dict[str, Any]]) -> None:
        assert [*table["job"]] == [0, 1, 2, 3]
        assert [*table["model"]] == ["mlp", "mlp", "cnn", "cnn"]
        assert [*table["seed"]] == [0, 1, 0, 1]
        assert {*table["state"]} == {"finished"}
        for name in METRICS:
            assert [*table[name]] == [job[name] for job in metrics]

    def check_output(self, output: str, metrics: list[dict[str, Any]]) -> None:
        for index, job in enumerate(metrics):
            model, seed = ("mlp", "cnn")[index // 2], index % 2
            cells = [str(index), model, str(seed)]
            for name in ("val/loss", *METRICS):
                cells.append(f"{job[name]:.4f}")
            assert re.search(rf"^ *{' +'.join(map(re.escape, cells))} +finished$", output, re.M)
        for model, pair in (("mlp", metrics[:2]), ("cnn", metrics[2:])):
            cells = [model, "2"]
            for name in ("val/loss", *METRICS):
                first, second = (job[name] for job in pair)
                # The standard deviation of two values, with n - 1 = 1 in the denominator.
                std = abs(first - second) / 2**0.5
                cells.append(f"{(first + second) / 2:.4f} +- {std:.4f}")
            assert re.search(rf"^ *{' +'.join(map(re.escape, cells))}$", output, re.M)

    @pytest.mark.slow
    def test_invalid_jobs_are_all_reported_before_training(self, run_sweep: RunCommand) -> None:
        result = run_sweep("model=cnn", "model.stages.0.kernel_size=3,30", "optimizer.lr=0.1,-1")
        assert any("optimizer.lr=-1" in error for error in result.errors)
        assert any("model.stages.0" in error for error in result.errors)
        assert len(set(result.errors)) == len(result.errors)
        assert not Path("outputs").exists()

    @pytest.mark.slow
    def test_jobs_in_several_processes_are_refused(self, run_sweep: RunCommand) -> None:
        error = run_sweep("seed=0,1", "accelerator.devices=2").error
        assert error.startswith("accelerator.devices=2: ")
        assert "sweep" in error
        assert not Path("outputs").exists()

    @pytest.mark.slow
    def test_sweep_continues_after_a_failed_job_and_ends_with_code_1(
        self, run_sweep: RunCommand
    ) -> None:
        Path("net.py").write_text(FAILING_NET, encoding="utf-8")
        custom = ("model=custom", "model.path=net.py:Net")
        result = run_sweep(*custom, "model.kwargs.fail=true,false")
        assert result.code == 1
        folder = only_sweep()
        failed, finished = folder / "0_fail=true", folder / "1_fail=false"
        log = (failed / "train.log").read_text(encoding="utf-8")
        assert "Traceback (most recent call last)" in log
        assert "RuntimeError: failed on purpose" in log
        assert "Traceback" not in (finished / "train.log").read_text(encoding="utf-8")
        table = pd.read_csv(folder / "sweep.csv").set_index("job")
        assert [*table["state"]] == ["failed", "finished"]
        accuracy = read_json(finished / "metrics.json")["test/acc"]
        assert [*table["test/acc"]] == pytest.approx([float("nan"), accuracy], nan_ok=True)
        assert re.search(r"^ *0 +.*true.* failed +failed on purpose$", result.out, re.M | re.I)
        assert re.search(r"^ *1 +.*false.* finished *$", result.out, re.M | re.I)
        assert re.search(r"job 0 failed in \d+ s: failed on purpose, \d+ s left: ", result.out)


FAILING_NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, num_classes, fail):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))
        self.fail = fail

    def forward(self, images):
        if self.training and self.fail:
            raise RuntimeError("failed on purpose")
        return self.layers(images)
"""


def jobs_table(**columns: list[Any]) -> pd.DataFrame:
    """Return a table of finished jobs."""
    count = len(next(iter(columns.values())))
    return pd.DataFrame({"job": range(count), "state": ["finished"] * count} | columns)


class TestAggregateOverSeeds:
    def test_mean_and_standard_deviation_are_those_computed_by_hand(self) -> None:
        # Differences from the mean: -0.1 0 0.1. The sum of their squares is 0.02, the variance
        # 0.02 / 2 = 0.1 ** 2.
        table = aggregate_over_seeds(
            jobs_table(
                model=["mlp", "cnn"] * 3,
                seed=["0", "0", "1", "1", "2", "2"],
                **{"test/acc": [0.7, 0.9, 0.8, 0.9, 0.9, 0.9]},
            )
        )
        assert table is not None
        assert table.to_dict("list") == {
            "model": ["mlp", "cnn"],
            "runs": [3, 3],
            "test/acc": ["0.8000 +- 0.1000", "0.9000 +- 0.0000"],
        }

    def test_only_finished_jobs_are_counted(self) -> None:
        table = jobs_table(seed=["0", "1", "2"], **{"test/acc": [0.5, 0.7, None]})
        table.loc[2, "state"] = "failed"
        summary = aggregate_over_seeds(table)
        assert summary is not None
        # Differences from the mean: -0.1 0.1. The root of 0.02 / 1 is 0.1414.
        assert summary.to_dict("list") == {
            "setting": ["all"],
            "runs": [2],
            "test/acc": ["0.6000 +- 0.1414"],
        }

    def test_result_is_none_if_there_is_one_seed(self) -> None:
        table = jobs_table(model=["mlp", "cnn"], **{"test/acc": [0.7, 0.9]})
        assert aggregate_over_seeds(table) is None
        assert "over seeds" not in format_sweep(table)


def test_setting_without_a_metric_has_a_dash_and_one_value_no_deviation() -> None:
    rows = [("knn", 0, 0.5, None), ("knn", 1, 0.7, None), ("cnn", 0, 0.8, 0.25)]
    jobs = pd.DataFrame(rows, columns=["model", "seed", "test/acc", "test/loss"])
    table = aggregate_over_seeds(jobs.assign(state="finished"))
    assert table is not None
    assert table["model"].tolist() == ["knn", "cnn"]
    assert table["test/acc"].tolist() == ["0.6000 +- 0.1414", "0.8000"]
    assert table["test/loss"].tolist() == ["-", "0.2500"]


class TestReadJobs:
    @pytest.fixture
    def sweep(self, tmp_path: Path) -> Path:
        """Three jobs that ended before their training started."""
        for number in (10, 9, 0):
            folder = tmp_path / f"{number}_mlp_seed{number}" / ".hydra"
            folder.mkdir(parents=True)
            overrides = f"- seed={number}\n- model=mlp\n- ~experiment\n- +model.kwargs.x=a=b\n"
            (folder / "overrides.yaml").write_text(overrides, encoding="utf-8")
        return tmp_path

    def test_jobs_are_sorted_by_number(self, sweep: Path) -> None:
        assert [*sweep_table(sweep)["job"]] == [0, 9, 10]

    def test_overrides_are_columns(self, sweep: Path) -> None:
        table = sweep_table(sweep)
        assert {*table["model.kwargs.x"]} == {"a=b"}
        assert swept_keys(table) == ["seed"]

    @pytest.mark.parametrize("content", ["", "[]", '{"state": "half', '{"state": "unknown"}'])
    def test_job_with_a_damaged_manifest_is_damaged(self, content: str, sweep: Path) -> None:
        (sweep / "9_mlp_seed9/run.json").write_text(content, encoding="utf-8")
        assert [*sweep_table(sweep)["state"]] == ["failed", "damaged", "failed"]

    def test_finished_job_without_metrics_is_damaged(self, sweep: Path) -> None:
        (sweep / "9_mlp_seed9/run.json").write_text('{"state": "finished"}', encoding="utf-8")
        assert [*sweep_table(sweep)["state"]] == ["failed", "damaged", "failed"]

    def test_damaged_overrides_and_other_folders_are_ignored(self, sweep: Path) -> None:
        (sweep / "0_mlp_seed0/.hydra/overrides.yaml").write_text("a: [", encoding="utf-8")
        (sweep / "notes/.hydra").mkdir(parents=True)
        (sweep / "notes/.hydra/overrides.yaml").write_text("- a=1", encoding="utf-8")
        table = sweep_table(sweep)
        assert [*table["job"]] == [0, 9, 10]
        assert [*table["seed"].isna()] == [True, False, False]

    def test_sweep_without_jobs_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match="no job of this sweep has started"):
            summarize_sweep(tmp_path)

    def test_jobs_without_manifest_have_failed(
        self, sweep: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert {*sweep_table(sweep)["state"]} == {"failed"}
        assert not summarize_sweep(sweep)
        assert capsys.readouterr().out.count("failed") == 3
        assert {*pd.read_csv(sweep / "sweep.csv")["state"]} == {"failed"}


def test_wide_metrics_are_shown_if_they_are_monitored() -> None:
    metrics = {"val/acc": 0.5, "val/balanced_acc": 0.5, "test/balanced_acc": 0.5, "test/f1": 0.5}
    job = {"job": 0, "state": "finished", **metrics}
    assert metric_columns(pd.DataFrame([job])) == ["val/acc", "test/f1"]
    monitored = pd.DataFrame([job | {"monitor": "val/balanced_acc"}])
    assert metric_columns(monitored) == [*metrics]

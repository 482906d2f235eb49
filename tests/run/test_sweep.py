"""A sweep: every point checked first, a directory a job, one table; a failed job ends no other."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import csvision
from csvision.run.sweep import describe_sweep, over_seeds, read_jobs, settings_of

SCRIPT = Path(__file__).parents[2] / "scripts" / "train.py"
COMMON = (
    "data=csv",
    "data.csv=digits.csv",
    "epochs=2",
    "batch_size=64",
    "accelerator=cpu",
    "logger=none",
)


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *COMMON, *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def sweep_folder() -> Path:
    (folder,) = Path("outputs/sweeps").iterdir()
    return folder


@pytest.mark.usefixtures("digits_csv")
class TestSweep:
    def test_trains_each_point_in_its_own_directory_and_sums_up(self) -> None:
        # COMMON stands before the -m, the rest behind it.
        result = train("-m", "model=mlp,cnn", "model.hidden=[16]", "seed=0,1")
        assert (result.returncode, result.stderr) == (0, "")
        folder = sweep_folder()
        jobs = ["0_mlp_seed0", "1_mlp_seed1", "2_cnn_seed0", "3_cnn_seed1"]
        assert sorted(path.name for path in folder.iterdir()) == [
            *jobs,
            "multirun.yaml",
            "sweep.csv",
        ]
        metrics = [read_json(folder / job / "metrics.json") for job in jobs]
        assert len({job["test/loss"] for job in metrics}) == 4
        self.assert_listed(pd.read_csv(folder / "sweep.csv"), metrics)
        self.assert_printed(result.stdout, metrics)
        assert result.stdout.splitlines()[-1] == str(folder)

        # The sweep had one thread; bits are equal for equal numbers of them.
        one_thread = ("accelerator.threads=1", "quiet=true")
        alone = csvision.train(*COMMON, *one_thread, "model=cnn", "model.hidden=[16]", "seed=1")
        assert alone.metrics.items() <= metrics[3].items()

    def assert_listed(self, table: pd.DataFrame, metrics: list[dict[str, Any]]) -> None:
        assert [*table["job"]] == [0, 1, 2, 3]
        assert [*table["model"]] == ["mlp", "mlp", "cnn", "cnn"]
        assert [*table["seed"]] == [0, 1, 0, 1]
        assert {*table["state"]} == {"finished"}
        for name in ("val/acc", "test/loss", "test/acc", "test/f1"):
            assert [*table[name]] == [job[name] for job in metrics]

    def assert_printed(self, output: str, metrics: list[dict[str, Any]]) -> None:
        names = ("val/acc", "test/loss", "test/acc", "test/f1")
        for index, job in enumerate(metrics):
            model, seed = ("mlp", "cnn")[index // 2], index % 2
            cells = [str(index), model, str(seed), *(f"{job[name]:.4f}" for name in names)]
            assert re.search(rf"^ *{' +'.join(map(re.escape, cells))} +finished$", output, re.M)
        for model, pair in (("mlp", metrics[:2]), ("cnn", metrics[2:])):
            cells = [model, "2"]
            for name in names:
                first, second = (job[name] for job in pair)
                # The standard deviation of two values, with n - 1 = 1 below.
                spread = abs(first - second) / 2**0.5
                cells.append(f"{(first + second) / 2:.4f} +- {spread:.4f}")
            assert re.search(rf"^ *{' +'.join(map(re.escape, cells))}$", output, re.M)

    def test_with_a_bad_point_trains_nothing(self) -> None:
        result = train("-m", "model=cnn", "model.stages.0.kernel_size=3,30", "optimizer.lr=0.1,-1")
        assert result.returncode == 2
        assert result.stdout == ""
        faults = result.stderr.splitlines()
        assert all(fault.startswith("error: ") for fault in faults)
        assert any("optimizer.lr=-1" in fault for fault in faults)
        assert any("model.stages.0" in fault for fault in faults)
        assert len(set(faults)) == len(faults)
        assert not Path("outputs").exists()

    def test_goes_on_after_a_job_that_fails_and_says_so(self) -> None:
        Path("fragile.py").write_text(FRAGILE, encoding="utf-8")
        own = ("model=custom", "model.path=fragile.py:Fragile")
        result = train("-m", *own, "model.arguments.fail=true,false")
        assert result.returncode == 1
        folder = sweep_folder()
        failed, finished = folder / "0_custom_seed42", folder / "1_custom_seed42"
        log = (failed / "train.log").read_text(encoding="utf-8")
        assert "Traceback (most recent call last)" in log
        assert "RuntimeError: fragile, as told" in log
        assert "Traceback" not in (finished / "train.log").read_text(encoding="utf-8")
        table = pd.read_csv(folder / "sweep.csv").set_index("job")
        assert [*table["state"]] == ["failed", "finished"]
        accuracy = read_json(finished / "metrics.json")["test/acc"]
        assert [*table["test/acc"]] == pytest.approx([float("nan"), accuracy], nan_ok=True)
        assert re.search(r"^ *0 +.*true.* failed$", result.stdout, re.M | re.I)
        assert re.search(r"^ *1 +.*false.* finished$", result.stdout, re.M | re.I)
        assert "job 0 failed: fragile, as told" in result.stderr


FRAGILE = """
from torch import nn

class Fragile(nn.Module):
    def __init__(self, image_shape, classes, fail):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, classes))
        self.fail = fail

    def forward(self, images):
        if self.training and self.fail:
            raise RuntimeError("fragile, as told")
        return self.layers(images)
"""


def jobs(**columns: list[Any]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    return pd.DataFrame({"job": range(count), "state": ["finished"] * count} | columns)


class TestOverSeeds:
    def test_gives_mean_and_standard_deviation_worked_by_hand(self) -> None:
        # Deviations -0.1 0 0.1: their squares sum to 0.02, and 0.02 / 2 is the square of 0.1.
        table = over_seeds(
            jobs(
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

    def test_counts_only_the_jobs_that_finished(self) -> None:
        table = jobs(seed=["0", "1", "2"], **{"test/acc": [0.5, 0.7, None]})
        table.loc[2, "state"] = "failed"
        summary = over_seeds(table)
        assert summary is not None
        # Deviations -0.1 0.1: the root of 0.02 / 1.
        assert summary.to_dict("list") == {
            "setting": ["all"],
            "runs": [2],
            "test/acc": ["0.6000 +- 0.1414"],
        }

    def test_is_nothing_when_the_seed_is_not_swept(self) -> None:
        assert over_seeds(jobs(model=["mlp", "cnn"], **{"test/acc": [0.7, 0.9]})) is None
        text = describe_sweep(jobs(model=["mlp", "cnn"], **{"test/acc": [0.7, 0.9]}))
        assert "over seeds" not in text


class TestJobs:
    def test_are_in_the_order_of_their_numbers(self, tmp_path: Path) -> None:
        for number in (10, 9, 0):
            folder = tmp_path / f"{number}_mlp_seed{number}" / ".hydra"
            folder.mkdir(parents=True)
            overrides = f"- seed={number}\n- model=mlp\n- ~experiment\n- +model.arguments.x=a=b\n"
            (folder / "overrides.yaml").write_text(overrides, encoding="utf-8")
        table = read_jobs(tmp_path)
        assert [*table["job"]] == [0, 9, 10]
        assert {*table["model.arguments.x"]} == {"a=b"}
        # They left no run.json: they ended before they began to train.
        assert {*table["state"]} == {"failed"}
        assert settings_of(table) == ["seed"]
        assert "failed" in describe_sweep(table)

"""Sweeps resumed with another launcher and with more values."""

import json
from pathlib import Path

import pytest

import csvision
from csvision.config.launcher_schema import LocalLauncherConfig
from csvision.errors import ConfigError, RunError
from csvision.launch.grow import replace_values
from csvision.launch.resources import training_configs
from csvision.launch.resume_sweep import choose_launcher
from tests.cli.conftest import RunCommand
from tests.launch.conftest import RunSweep, jobs_of, weights_of


def launcher(*overrides: str) -> LocalLauncherConfig:
    chosen = csvision.load_config("train", ["launcher=local", *overrides]).launcher
    assert isinstance(chosen, LocalLauncherConfig)
    return chosen


class TestChooseLauncher:
    def test_recorded_one_is_the_default(self) -> None:
        recorded = launcher("launcher.retries=2", "launcher.n_jobs=3")
        assert choose_launcher(recorded, []) == recorded

    @pytest.mark.slow
    def test_keys_replace_recorded_ones(self) -> None:
        recorded = launcher("launcher.retries=2", "launcher.n_jobs=3")
        expected = launcher("launcher.retries=5", "launcher.n_jobs=3")
        assert choose_launcher(recorded, ["launcher.retries=5"]) == expected

    @pytest.mark.slow
    def test_another_launcher_keeps_the_keys_of_failures(self) -> None:
        chosen = choose_launcher(launcher("launcher.retries=2"), ["launcher=serial"])
        assert (chosen.name, chosen.retries) == ("serial", 2)

    def test_invalid_value_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"launcher\.retries=-1"):
            choose_launcher(launcher(), ["launcher.retries=-1"])


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["seed=0,1"], ["seed=0,1", "model=mlp"]),
        (["model=cnn", "epochs=3"], ["seed=0", "model=cnn", "epochs=3"]),
    ],
)
def test_values_replace_those_of_the_command(overrides: list[str], expected: list[str]) -> None:
    assert replace_values(["seed=0", "model=mlp"], overrides) == expected


@pytest.mark.slow
class TestGrownSweep:
    def test_new_values_add_jobs_and_keep_the_others(
        self, run_sweep: RunSweep, csvision_command: RunCommand
    ) -> None:
        sweep = run_sweep("seed=0,1", launcher="serial").directory
        before = {path: path.stat().st_mtime_ns for path in sweep.glob("*/metrics.json")}
        words = ("seed=0,1,2", "launcher=local")
        output = csvision_command("resume", f"run={sweep}", *words)
        assert (output.code, output.err) == (0, "")
        assert "1 jobs were added" in output.out
        assert {path: path.stat().st_mtime_ns for path in before} == before
        assert [job.overrides[-2] for job in jobs_of(sweep)] == ["seed=0", "seed=1", "seed=2"]
        expected = run_sweep("seed=0,1,2", launcher="serial").directory
        assert weights_of(sweep) == weights_of(expected)
        # What it has already adds nothing.
        output = csvision_command("resume", f"run={sweep}", "seed=1")
        assert "0 jobs were added" in output.out
        assert sorted(path.name for path in sweep.glob("*_seed=*")) == [
            f"{seed}_seed={seed}" for seed in range(3)
        ]

    def test_new_key_adds_jobs_that_differ(self, run_sweep: RunSweep) -> None:
        sweep = run_sweep("seed=0", launcher="serial").directory
        assert csvision.resume_sweep(sweep, overrides=["batch_size=28,50", "launcher=serial"])
        assert [config.batch_size for config in training_configs(jobs_of(sweep))] == [28, 50]

    def test_jobs_that_cannot_work_change_nothing(
        self, run_sweep: RunSweep, csvision_command: RunCommand
    ) -> None:
        sweep = run_sweep("seed=0", launcher="serial").directory
        before = (sweep / "sweep.json").read_bytes()
        errors = csvision_command("resume", f"run={sweep}", "batch_size=0,50").errors
        assert errors == ["batch_size=0 must be >= 1 and <= 1000000000"]
        assert csvision_command("resume", f"run={sweep}", "epoch=3").error.startswith("epoch: ")
        assert (sweep / "sweep.json").read_bytes() == before

    def test_paths_are_those_of_the_start(
        self, run_sweep: RunSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sweep = run_sweep("seed=0", launcher="serial").directory
        other = tmp_path / "elsewhere"
        other.mkdir()
        monkeypatch.chdir(other)
        assert csvision.resume_sweep(sweep, overrides=["seed=0,1", "launcher=serial"])
        assert {job.config.data.csv for job in jobs_of(sweep)} == {str(tmp_path / "digits.csv")}

    def test_sweep_without_a_recorded_command_cannot_grow(self, run_sweep: RunSweep) -> None:
        sweep = run_sweep("seed=0", launcher="serial").directory
        file = sweep / "sweep.json"
        content = json.loads(file.read_text(encoding="utf-8"))
        del content["command"]
        file.write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(RunError, match=r"sweep\.json: .*earlier version.*start a new sweep"):
            csvision.resume_sweep(sweep, overrides=["seed=0,1"])


def test_single_run_takes_no_key_of_train(csvision_command: RunCommand, tmp_path: Path) -> None:
    output = csvision_command("resume", f"run={tmp_path}", "seed=1")
    assert output.error.startswith("seed: ")
    assert "sweep" in output.error

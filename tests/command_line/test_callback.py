"""The check before training: every point, every fault once, nothing made; the sum of a sweep."""

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from csvision import config
from csvision.command_line.callback import TrainCallback, points, without_hydra

SMALL = ("data=csv", "data.csv=digits.csv", "accelerator=cpu")


def composed_by_hydra(*overrides: str) -> DictConfig:
    """The configuration as Hydra hands it to a callback."""
    config.register()
    with initialize_config_dir(str(config.conf_dir()), version_base="1.3"):
        found = compose("train", overrides=list(overrides), return_hydra_config=True)
    found.hydra.job.config_name = "train"
    return found


def sweep(*overrides: str) -> DictConfig:
    """As Hydra hands a multirun to a callback: the overrides are noted, not yet applied."""
    found = composed_by_hydra()
    found.hydra.overrides.task = list(overrides)
    return found


def refused(act: Any, composed: DictConfig, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The faults with which a callback ends the program."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(SystemExit) as ended:
        act(composed)
    assert ended.value.code == 2
    assert sorted(Path().rglob("*")) == before
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.splitlines()


def test_without_hydra_is_the_configuration_of_csvision() -> None:
    composed = composed_by_hydra("seed=5")
    assert "hydra" in composed
    assert without_hydra(composed) == config.compose("train", ["seed=5"])
    assert "hydra" in composed


class TestPoints:
    def test_are_the_jobs_of_the_sweep_in_order(self) -> None:
        found = list(points(sweep("model=mlp,cnn", "seed=0,1", "epochs=3")))
        jobs = [(point.model.name, point.seed, point.epochs) for point in found]
        assert jobs == [("mlp", 0, 3), ("mlp", 1, 3), ("cnn", 0, 3), ("cnn", 1, 3)]

    def test_count_what_the_sweeper_itself_is_given(self) -> None:
        composed = sweep("epochs=3")
        composed.hydra.sweeper.params = {"seed": "range(3)"}
        assert [point.seed for point in points(composed)] == [0, 1, 2]

    def test_are_unknown_of_a_sweeper_that_decides_as_it_goes(self) -> None:
        composed = sweep("seed=0,1")
        composed.hydra.sweeper._target_ = "hydra_plugins.searching.Sweeper"
        assert list(points(composed)) == []


@pytest.mark.usefixtures("digits_csv")
class TestCheck:
    callback = TrainCallback()

    def test_lets_pass_what_can_work(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.callback.on_run_start(composed_by_hydra(*SMALL))
        self.callback.on_multirun_start(sweep(*SMALL, "seed=0,1"))
        assert capsys.readouterr().err == ""

    def test_tells_every_fault_of_a_run(self, capsys: pytest.CaptureFixture[str]) -> None:
        composed = composed_by_hydra(*SMALL, "optimizer.lr=0", "batch_size=0")
        faults = refused(self.callback.on_run_start, composed, capsys)
        assert faults == [
            "error: optimizer.lr=0.0 must be > 0",
            "error: batch_size=0 must be >= 1",
        ]

    def test_tells_what_does_not_fit_the_data(self, capsys: pytest.CaptureFixture[str]) -> None:
        composed = composed_by_hydra(*SMALL, "model.stages.1.kernel_size=9")
        (fault,) = refused(self.callback.on_run_start, composed, capsys)
        assert fault.startswith("error: model.stages.1")
        assert "4x4" in fault

    def test_tells_what_is_wrong_with_the_data(self, capsys: pytest.CaptureFixture[str]) -> None:
        composed = composed_by_hydra(*SMALL, "data.test_csv=nowhere.csv")
        (fault,) = refused(self.callback.on_run_start, composed, capsys)
        assert "nowhere.csv: there is no such file" in fault

    def test_tells_the_faults_of_all_points_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        composed = sweep(*SMALL, "seed=0,1", "optimizer.lr=-1,0.1", "epochs=0,1")
        faults = refused(self.callback.on_multirun_start, composed, capsys)
        assert sorted(faults) == [
            "error: epochs=0 must be >= 1",
            "error: optimizer.lr=-1.0 must be > 0",
        ]

    def test_refuses_a_point_that_cannot_be_composed(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        composed = sweep(*SMALL, "model=mlp,cnn", "model.stages.0.filters=4")
        (fault,) = refused(self.callback.on_multirun_start, composed, capsys)
        assert "there is no key model.stages" in fault

    def test_builds_an_own_network_first(self, capsys: pytest.CaptureFixture[str]) -> None:
        own = ("model=custom", "model.path=nowhere.py:Net")
        (fault,) = refused(self.callback.on_run_start, composed_by_hydra(*SMALL, *own), capsys)
        assert fault == "error: model.path=nowhere.py:Net: there is no file nowhere.py"


class TestEnd:
    @pytest.mark.parametrize(("states", "code"), [(["finished"], 0), (["finished", "failed"], 1)])
    def test_prints_the_table_and_fails_if_a_job_did(
        self, states: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number, state in enumerate(states):
            folder = tmp_path / "sweep" / f"{number}_mlp_seed{number}"
            (folder / ".hydra").mkdir(parents=True)
            (folder / ".hydra/overrides.yaml").write_text(f"- seed={number}\n", encoding="utf-8")
            (folder / "run.json").write_text(f'{{"state": "{state}"}}', encoding="utf-8")
            (folder / "metrics.json").write_text('{"test/acc": 0.5}', encoding="utf-8")
        composed = sweep()
        composed.hydra.sweep.dir = str(tmp_path / "sweep")
        ended = 0
        try:
            TrainCallback().on_multirun_end(composed)
        except SystemExit as leaving:
            ended = int(str(leaving.code))
        assert ended == code
        output = capsys.readouterr().out
        assert output.count("finished") == 1
        assert output.splitlines()[-1] == str(tmp_path / "sweep")
        assert (tmp_path / "sweep/sweep.csv").read_text().count("\n") == len(states) + 1

"""The Hydra callback: every job is prepared before a directory exists; a sweep is summarized."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from csvision.cli.callback import TrainCallback
from csvision.config.compose import conf_dir, register_schemas

DIGITS = ("data=csv", "data.csv=digits.csv", "accelerator=cpu")


@pytest.fixture(autouse=True)
def hydra_program() -> Iterator[None]:
    """Give each test Hydra's state in a running `csvision train`."""
    register_schemas()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        yield


def hydra_config(*overrides: str) -> DictConfig:
    """Return a configuration as Hydra passes it to a callback."""
    config = compose("train", overrides=list(overrides), return_hydra_config=True)
    config.hydra.job.config_name = "train"
    return config


def sweep_config(*overrides: str) -> DictConfig:
    """Return the configuration of a sweep: its overrides are recorded but not applied."""
    config = hydra_config()
    config.hydra.overrides.task = list(overrides)
    return config


def errors_of(
    method: Callable[[DictConfig], None],
    config: DictConfig,
    capsys: pytest.CaptureFixture[str],
) -> list[str]:
    """Return the messages with which a method of the callback ends the process."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(SystemExit) as end:
        method(config)
    assert end.value.code == 2
    assert sorted(Path().rglob("*")) == before
    output = capsys.readouterr()
    assert output.out == ""
    assert all(line.startswith("error: ") for line in output.err.splitlines())
    return [line.removeprefix("error: ") for line in output.err.splitlines()]


@pytest.mark.usefixtures("digits_csv")
class TestPreparation:
    callback = TrainCallback()

    @pytest.mark.slow
    def test_accepts_valid_runs(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.callback.on_run_start(hydra_config(*DIGITS))
        self.callback.on_multirun_start(sweep_config(*DIGITS, "seed=0,1"))
        assert capsys.readouterr().err == ""

    def test_reports_all_errors_of_a_run(self, capsys: pytest.CaptureFixture[str]) -> None:
        config = hydra_config(*DIGITS, "optimizer.lr=0", "batch_size=0")
        errors = errors_of(self.callback.on_run_start, config, capsys)
        assert errors == [
            "optimizer.lr=0.0 must be > 0 and <= 1e+30",
            "batch_size=0 must be >= 1 and <= 1000000000",
        ]

    def test_reports_a_network_that_does_not_fit_the_data(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = hydra_config(*DIGITS, "model.stages.1.kernel_size=9")
        (error,) = errors_of(self.callback.on_run_start, config, capsys)
        assert error.startswith("model.stages.1")
        assert "4x4" in error

    def test_reports_errors_of_the_data(self, capsys: pytest.CaptureFixture[str]) -> None:
        config = hydra_config(*DIGITS, "data.test_csv=nowhere.csv")
        (error,) = errors_of(self.callback.on_run_start, config, capsys)
        assert error.startswith("nowhere.csv: ")

    @pytest.mark.slow
    def test_reports_each_error_of_all_jobs_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        config = sweep_config(*DIGITS, "seed=0,1", "optimizer.lr=-1,0.1", "epochs=0,1")
        errors = errors_of(self.callback.on_multirun_start, config, capsys)
        assert sorted(errors) == [
            "epochs=0 must be >= 1 and <= 1000000",
            "optimizer.lr=-1.0 must be > 0 and <= 1e+30",
        ]

    @pytest.mark.slow
    def test_reports_a_job_that_cannot_be_composed(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = sweep_config(*DIGITS, "model=mlp,cnn", "model.stages.0.filters=4")
        (error,) = errors_of(self.callback.on_multirun_start, config, capsys)
        assert error.startswith("model.stages")

    @pytest.mark.slow
    @pytest.mark.parametrize("subdir", ["x", "../${hydra.job.num}", "/tmp/${hydra.job.num}", "."])
    def test_rejects_jobs_without_a_directory_of_their_own(
        self, subdir: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = sweep_config(*DIGITS, "seed=0,1")
        config.hydra.overrides.hydra = [f"hydra.sweep.subdir='{subdir}'"]
        (error, *_) = errors_of(self.callback.on_multirun_start, config, capsys)
        assert error.startswith("hydra.sweep.subdir=")

    def test_reports_a_missing_custom_network(self, capsys: pytest.CaptureFixture[str]) -> None:
        config = hydra_config(*DIGITS, "model=custom", "model.path=nowhere.py:Net")
        (error,) = errors_of(self.callback.on_run_start, config, capsys)
        assert error.startswith("model.path=nowhere.py:Net: nowhere.py ")

    @pytest.mark.slow
    def test_rejects_several_devices_in_a_sweep(self, capsys: pytest.CaptureFixture[str]) -> None:
        config = sweep_config(*DIGITS, "seed=0,1", "accelerator.devices=2")
        (error,) = errors_of(self.callback.on_multirun_start, config, capsys)
        assert error.startswith("accelerator.devices=2: ")

    def test_bug_keeps_its_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("bug.py").write_text("raise RuntimeError('a bug')", encoding="utf-8")
        config = hydra_config(*DIGITS, "model=custom", "model.path=bug.py:Net")
        with pytest.raises(SystemExit) as end:
            self.callback.on_run_start(config)
        assert end.value.code == 1
        assert capsys.readouterr().err.endswith("RuntimeError: a bug\n")


@pytest.mark.parametrize(("states", "code"), [(["finished"], 0), (["finished", "failed"], 1)])
def test_end_of_sweep_prints_the_table_and_fails_if_a_job_failed(
    states: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, state in enumerate(states):
        folder = tmp_path / "sweep" / f"{number}_mlp_seed{number}"
        (folder / ".hydra").mkdir(parents=True)
        (folder / ".hydra/overrides.yaml").write_text(f"- seed={number}\n", encoding="utf-8")
        (folder / "run.json").write_text(f'{{"state": "{state}"}}', encoding="utf-8")
        (folder / "metrics.json").write_text('{"test/acc": 0.5}', encoding="utf-8")
    config = sweep_config()
    config.hydra.sweep.dir = str(tmp_path / "sweep")
    exit_code = 0
    try:
        TrainCallback().on_multirun_end(config)
    except SystemExit as end:
        exit_code = int(str(end.code))
    assert exit_code == code
    output = capsys.readouterr().out
    assert output.count("finished") == 1
    assert Path(output.splitlines()[-1]).absolute() == tmp_path / "sweep"
    assert (tmp_path / "sweep/sweep.csv").read_text().count("\n") == len(states) + 1

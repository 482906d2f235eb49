"""prepare_run: every error of a run is found once, before anything is written."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

import csvision
from csvision.config import schema
from csvision.config.compose import load_config
from csvision.data.splits import load_splits
from csvision.data.table import read_table
from csvision.errors import ConfigError, DataError, UserError
from csvision.run.directory import RunDirectory
from csvision.run.prepare import PreparedRun, check_writable, prepare_run
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_MLP, SMALL_RUN, SMALL_TRAINING, digits
from tests.run.interrupt import CUSTOM_CODE, CUSTOM_MODEL

SMALL = (*SMALL_TRAINING, *SMALL_MLP, "epochs=1")

pytestmark = pytest.mark.usefixtures("digits_csv")


def config_of(*overrides: str) -> schema.TrainConfig:
    config: schema.TrainConfig = load_config("train", [*SMALL_RUN, *overrides])
    return config


def all_files() -> list[Path]:
    return sorted(Path().rglob("*"))


class TestPreparedRun:
    def test_has_config_splits_shape_and_number_of_classes(self) -> None:
        config = config_of()
        prepared = prepare_run(config)
        assert prepared.config is config
        sizes = [len(part) for part in (prepared.splits.train, prepared.splits.val)]
        assert sizes == [216, 24]
        assert prepared.image_shape == (1, 8, 8)
        assert prepared.num_classes == 10

    def test_image_shape_is_that_after_padding(self) -> None:
        assert prepare_run(config_of("data.pad=3")).image_shape == (1, 14, 14)

    def test_given_splits_are_used(self) -> None:
        config = config_of()
        splits = load_splits(config.data, 20)
        prepared = prepare_run(config_of("data.csv=missing.csv"), splits)
        assert prepared == PreparedRun(prepared.config, splits, (1, 8, 8))

    def test_preparing_writes_nothing(self) -> None:
        before = all_files()
        prepare_run(config_of())
        assert all_files() == before


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the files that the reader has read, in a list that grows."""
    read: list[str] = []

    def counting(source: str, *args: Any, **kwargs: Any) -> Any:
        read.append(Path(source).name)
        return read_table(source, *args, **kwargs)

    for module in ("csvision.data.splits", "csvision.run.run_data", "csvision.run.loaded_run"):
        monkeypatch.setattr(f"{module}.read_table", counting)
    return read


class TestDataAreReadOnce:
    @pytest.mark.slow
    def test_by_train(self, reads: list[str]) -> None:
        csvision.train(*SMALL)
        assert reads == ["digits.csv"]

    @pytest.mark.slow
    def test_by_train_with_a_test_file(self, reads: list[str]) -> None:
        digits(50).to_csv("test.csv", index=False)
        csvision.train(*SMALL, "data.test_csv=test.csv")
        assert reads == ["digits.csv", "test.csv"]

    @pytest.mark.slow
    def test_by_resume(self, interrupted_run: RunDirectory, reads: list[str]) -> None:
        csvision.resume(interrupted_run.path)
        assert reads == ["digits.csv"]

    @pytest.mark.slow
    def test_by_reproduce(self, small_run: RunDirectory, reads: list[str]) -> None:
        csvision.reproduce(small_run.path)
        assert reads == ["digits.csv"]

    @pytest.mark.slow
    def test_by_evaluate(self, small_run: RunDirectory, reads: list[str]) -> None:
        csvision.evaluate(small_run.path, "quiet=true")
        assert reads == ["digits.csv"]


CPU_ONLY = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


class TestErrors:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("overrides", "error", "parts"),
        [
            (["model.stages=[{kernel_size:20}]"], ConfigError, ["model.stages.0", "8"]),
            (["data.csv=missing.csv"], DataError, ["missing.csv"]),
            (["data.test_csv=missing.csv"], DataError, ["missing.csv"]),
            (["data.test_size=0.999"], DataError, ["digits.csv", "data.test_size=0.999"]),
            (["data.image_shape=[1,9,9]"], DataError, ["digits.csv", "81"]),
            (["output_dir=digits.csv"], ConfigError, ["output_dir=digits.csv", "not a folder"]),
            (
                ["accelerator.devices=25", "data.val_size=0.1"],
                DataError,
                ["accelerator.devices=25", "24"],
            ),
            pytest.param(
                ["accelerator=gpu"], ConfigError, ["accelerator=gpu", "cpu"], marks=CPU_ONLY
            ),
        ],
        ids=lambda value: value[0] if isinstance(value, list) else "",
    )
    def test_are_found_before_anything_is_written(
        self, overrides: list[str], error: type[UserError], parts: list[str]
    ) -> None:
        before = all_files()
        for act in (
            lambda: prepare_run(config_of(*overrides)),
            lambda: csvision.train(*SMALL_RUN, *overrides),
        ):
            with pytest.raises(error) as raised:
                act()
            assert all(part in str(raised.value) for part in parts)
        assert all_files() == before

    @pytest.mark.slow
    @pytest.mark.parametrize("sweep", [(), ("-m", "seed=0,1")], ids=["run", "sweep"])
    @pytest.mark.parametrize(
        ("override", "start"),
        [
            ("output_dir=digits.csv", "output_dir=digits.csv: "),
            ("model.stages=[{kernel_size:20}]", "model.stages.0"),
            ("data.csv=missing.csv", "missing.csv"),
        ],
    )
    def test_are_found_by_the_command_before_anything_is_written(
        self, sweep: tuple[str, ...], override: str, start: str, csvision_command: RunCommand
    ) -> None:
        before = all_files()
        error = csvision_command("train", *sweep, *SMALL_RUN, override).error
        assert error.startswith(start)
        assert all_files() == before

    def test_of_a_custom_network_are_found_before_anything_is_written(self) -> None:
        code = CUSTOM_CODE.replace("image_shape, num_classes)", "image_shape, num_classes, width)")
        Path("net.py").write_text(code, encoding="utf-8")
        before = all_files()
        with pytest.raises(ConfigError, match="width"):
            csvision.train(*SMALL_TRAINING, *CUSTOM_MODEL)
        assert [path for path in all_files() if "__pycache__" not in path.parts] == before

    def test_of_the_network_name_all_layers_together(self) -> None:
        with pytest.raises(ConfigError) as raised:
            prepare_run(config_of("model.stages=[{kernel_size:20},{filters:4}]"))
        assert all(line.startswith("model.stages.0") for line in raised.value.messages)

    def test_of_values_of_a_config_made_in_python_are_found(self) -> None:
        config = config_of()
        config.optimizer.lr = -1.0
        config.batch_size = 0
        with pytest.raises(ConfigError) as raised:
            prepare_run(config)
        first, second = sorted(raised.value.messages)
        assert first.startswith("batch_size=0")
        assert second.startswith("optimizer.lr=-1.0")


class TestDevices:
    @pytest.fixture
    def one_gpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    @pytest.mark.slow
    @pytest.mark.usefixtures("one_gpu")
    @pytest.mark.parametrize("accelerator", ["auto", "gpu"])
    def test_more_devices_than_the_machine_has_are_refused(self, accelerator: str) -> None:
        overrides = (f"accelerator={accelerator}", "accelerator.devices=2")
        with pytest.raises(ConfigError, match=r"accelerator\.devices=2: .* 1 cuda device"):
            prepare_run(config_of(*overrides))
        prepare_run(config_of(f"accelerator={accelerator}"))

    def test_cpu_may_have_any_number_of_processes(self) -> None:
        assert prepare_run(config_of("accelerator.devices=3")).config.accelerator.devices == 3


class TestCheckWritable:
    def test_accepts_folders_that_can_be_created(self, tmp_path: Path) -> None:
        check_writable(Path("new/folder"))
        check_writable(tmp_path)
        assert not Path("new").exists()

    def test_refuses_a_folder_below_a_file(self) -> None:
        with pytest.raises(ConfigError, match=r"output_dir=digits\.csv/runs: .*not a folder"):
            check_writable(Path("digits.csv/runs"))

    @pytest.mark.parametrize("target", ["nowhere", "link"])
    def test_refuses_a_link_to_nowhere(self, target: str) -> None:
        Path("link").symlink_to(target)
        with pytest.raises(ConfigError, match=r"output_dir=link/runs: .*link is not a folder"):
            check_writable(Path("link/runs"))

    def test_refuses_a_name_that_is_too_long(self) -> None:
        with pytest.raises(ConfigError, match=r"output_dir=x+: File name too long"):
            check_writable(Path("x" * 300))

    def test_refuses_a_folder_without_permission(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("closed").mkdir()
        # Tests may run as root, who may write everywhere.
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "closed")
        with pytest.raises(ConfigError, match=r"output_dir=closed: .*closed is not writable"):
            check_writable(Path("closed"))

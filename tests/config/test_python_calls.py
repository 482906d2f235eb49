"""Overrides that are given to Python functions: hints name functions, not options."""

from pathlib import Path

import pytest

import csvision
from csvision.errors import ConfigError


@pytest.mark.parametrize(
    ("overrides", "hint"),
    [
        (["seed=0,1"], r"'seed=0,1': call csvision\.sweep\(\.\.\.\) for several values"),
        (["-m", "seed=0,1"], r"^-m: .* call csvision\.sweep\(\.\.\.\)"),
        (["--multirun"], r"^--multirun: .* call csvision\.sweep\(\.\.\.\)"),
        (["--config-dir", "own"], r"^--config-dir: .* write config_dir=FOLDER"),
    ],
)
def test_options_of_the_command_line_are_refused_with_the_function(
    overrides: list[str], hint: str
) -> None:
    with pytest.raises(ConfigError, match=hint):
        csvision.train(*overrides)
    assert not Path("outputs").exists()


@pytest.mark.parametrize("option", ["-m", "--config-dir=own"])
def test_sweep_takes_no_options(option: str) -> None:
    with pytest.raises(ConfigError, match=f"^{option}: an option of the command line"):
        csvision.sweep(option, "seed=0,1")


@pytest.mark.slow
def test_errors_of_all_jobs_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        csvision.sweep("epochs=0,1", "batch_size=0,2")
    errors = caught.value.messages
    assert [error.partition(" ")[0] for error in errors] == ["epochs=0", "batch_size=0"]
    assert not Path("outputs").exists()


@pytest.mark.parametrize("words", ["seed=interval(0,1)", "no_value"])
def test_what_cannot_be_swept_is_refused(words: str) -> None:
    with pytest.raises(ConfigError):
        csvision.sweep(words)


def test_jobs_have_one_launcher() -> None:
    with pytest.raises(ConfigError, match=r"^launcher: all jobs of a sweep"):
        csvision.sweep("launcher=local,serial")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Write a choice of the user's own."""
    file = tmp_path / "own/experiment/tiny.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# @package _global_\nepochs: 1\nmodel: {hidden: [4]}\n", encoding="utf-8")
    return tmp_path / "own"


@pytest.mark.slow
def test_config_dir_adds_choices(own: Path, digits_csv: Path) -> None:
    words = ("data=csv", "data.csv=digits.csv", "model=mlp", "experiment=tiny", "accelerator=cpu")
    quiet = ("logger=none", "quiet=true")
    run = csvision.train(*words, *quiet, config_dir=own)
    assert run.config.epochs == 1
    sweep = csvision.sweep(*words, *quiet, "seed=0,1", launcher="serial", config_dir="own")
    assert sweep.finished
    assert sweep.table["seed"].tolist() == ["0", "1"]
    assert [job.directory.parent for job in sweep.jobs] == [sweep.directory] * 2


def test_config_dir_must_exist() -> None:
    with pytest.raises(ConfigError, match=r"^config_dir=nowhere: this folder does not exist"):
        csvision.train("model=mlp", config_dir="nowhere")

"""`csvision train -m search=optuna` and its resume, and `csvision lr-find`."""

from pathlib import Path

import pytest

import csvision
from csvision.run.directory import RunDirectory
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_MLP, SMALL_TRAINING

SEARCH = (
    *("train", "-m", "search=optuna", "search.n_trials=2", "hydra.sweep.dir=search"),
    *(*SMALL_TRAINING, *SMALL_MLP, "epochs=1", "optimizer.lr=tag(log, interval(1e-4, 0.3))"),
)


@pytest.mark.slow
def test_search_prints_its_trials_the_best_one_and_its_folder(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    output = csvision_command(*SEARCH, "model.hidden=[8],[16]")
    assert (output.code, output.err) == (0, "")
    lines = output.out.splitlines()
    assert [line for line in lines if line.startswith("trial 0: finished, val/acc 0.")]
    report = csvision.search_report("search")
    assert any(line.startswith(f"best: trial {report.best}, val/acc 0.") for line in lines)
    command, folder = lines[-2:]
    assert command.startswith("csvision train ")
    assert " data.csv=digits.csv " in command
    assert Path(folder) == Path("search").absolute()
    resumed = csvision_command("resume", "run=search", "search.n_trials=3")
    assert resumed.code == 0
    assert len(csvision.search_report("search").trials) == 3


@pytest.mark.slow
def test_search_in_an_experiment_of_the_user_is_continued_with_it(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    file = Path("my_conf/experiment/tiny.yaml")
    file.parent.mkdir(parents=True)
    file.write_text(
        "# @package _global_\ndefaults:\n  - override /search: optuna\n\n"
        "search:\n  n_trials: 1\nhydra:\n  sweeper:\n    params:\n"
        "      optimizer.lr: interval(0.01,0.02)\nbatch_size: 14\n",
        encoding="utf-8",
    )
    words = [word for word in SEARCH[5:] if not word.startswith(("optimizer.lr", "batch_size"))]
    output = csvision_command(
        *("train", "-m", "--config-dir", "my_conf", "experiment=tiny", "hydra.sweep.dir=search"),
        *words,
    )
    assert output.code == 0, output.err
    assert csvision_command("resume", "run=search", "search.n_trials=2").code == 0
    trials = csvision.search_report("search").trials
    assert [trial.state for trial in trials] == ["finished", "finished"]
    for trial in trials:
        assert trial.directory is not None
        config = RunDirectory(Path("search", trial.directory)).read_config()
        assert config.batch_size == 14
        assert 0.01 <= config.optimizer.lr <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["optimizer.lr=0.1"], "search=optuna: no key to search"),
        (["optimizer.lr=interval(2,1)"], "optimizer.lr=interval(2,1): "),
        (["data.val_size=0"], "data.val_size=0.0: there are no validation rows"),
        (["search.n_jobs=0"], "search.n_jobs=0 must be >= 1"),
        (["accelerator.devices=2"], "accelerator.devices=2: "),
    ],
)
def test_search_that_cannot_work_is_refused_in_one_line(
    digits_csv: Path, csvision_command: RunCommand, words: list[str], message: str
) -> None:
    assert csvision_command(*SEARCH, *words).error.startswith(message)
    assert not Path("search").exists()


@pytest.mark.slow
def test_trials_with_several_monitors_are_refused(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    for name in ("acc", "loss"):
        file = Path("my_conf", "experiment", f"{name}.yaml")
        file.parent.mkdir(parents=True, exist_ok=True)
        text = f"# @package _global_\nmonitor: val/{name}\n"
        file.write_text(text, encoding="utf-8")
    words = ("--config-dir", "my_conf", *SEARCH[2:], "experiment=acc,loss")
    error = csvision_command(*SEARCH[:2], *words).error
    assert error.startswith("monitor: val/acc (max), val/loss (min) decide in different trials")


def test_search_without_multirun_is_refused(csvision_command: RunCommand) -> None:
    assert csvision_command("train", "search=optuna").error.startswith("search=optuna needs -m")


def test_search_without_optuna_says_what_to_install(
    csvision_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csvision.search.installed.find_spec", lambda name: None)
    assert "pip install 'csvision[optuna]'" in csvision_command(*SEARCH).error


@pytest.mark.slow
def test_search_without_a_finished_trial_exits_with_1(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    output = csvision_command(
        *SEARCH, "optimizer=sgd", "optimizer.lr=interval(1e20,1e25)", "search.n_trials=1"
    )
    assert output.code == 1
    assert "trial 0: failed: " in output.out
    assert "1 trials: 1 diverged" in output.out


@pytest.mark.slow
def test_run_that_is_no_search_takes_no_keys_of_a_search(
    interrupted_run: RunDirectory, csvision_command: RunCommand
) -> None:
    error = csvision_command("resume", f"run={interrupted_run.path}", "search.n_trials=3").error
    assert error.startswith(f"run={interrupted_run.path} is not a search")


@pytest.mark.slow
def test_lr_find_says_how_to_use_the_suggestion(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    words = [word for word in SMALL_TRAINING if word != "quiet=true"]
    output = csvision_command(
        "lr-find", *words, *SMALL_MLP, "lr_find.num_steps=40", "lr_find.min_lr=1e-5"
    )
    assert output.code == 0
    *_, suggestion, folder = output.out.splitlines()
    assert "optimizer.lr=" in suggestion
    assert (Path(folder) / "lr_find.png").is_file()


@pytest.mark.slow
def test_lr_find_without_a_descent_exits_with_1(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    output = csvision_command(
        *("lr-find", *SMALL_TRAINING, *SMALL_MLP, "lr_find.num_steps=10"),
        *("lr_find.min_lr=1e-12", "lr_find.max_lr=2e-12", "quiet=true"),
    )
    assert output.code == 1
    assert "no suggestion" in output.out

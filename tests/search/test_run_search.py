"""A search: the same trials after an interruption, failed trials, and several processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lightning import Trainer

import csvision
from csvision.callbacks.checkpoint import CheckpointCallback
from csvision.errors import ConfigError, RunError
from csvision.run.directory import RunDirectory
from csvision.search.definition import UserPaths, read_definition
from csvision.search.report import SearchReport
from csvision.search.run_search import extend_search, run_trials, wait
from csvision.search.storage import JOURNAL
from tests.search.conftest import SMALL_SEARCH, RunSearch


class Killed(BaseException):
    """Ends a trial in the place of a signal; csvision takes it for no error of the trial."""


@contextmanager
def killed_in_epoch(number: int, before_save: bool = False) -> Iterator[None]:
    """End the search in its epoch `number`, counted over all trials, after or before the save."""
    on_train_epoch_end = CheckpointCallback.on_train_epoch_end
    epochs = 0

    def end(self: CheckpointCallback, trainer: Trainer, pl_module: Any) -> None:
        nonlocal epochs
        epochs += 1
        if epochs == number and before_save:
            raise Killed
        on_train_epoch_end(self, trainer, pl_module)
        if epochs == number:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CheckpointCallback, "on_train_epoch_end", end)
        with pytest.raises(Killed):
            yield


def results(report: SearchReport) -> list[tuple[Any, ...]]:
    """Return what must not depend on interruptions: values, states, and hashes of the weights."""
    return [
        (trial.state, trial.params, trial.history, trial.value, weights(report, trial.directory))
        for trial in report.trials
    ]


def weights(report: SearchReport, directory: str | None) -> str | None:
    """Return the hash of the weights of a finished trial."""
    assert directory is not None
    return RunDirectory(report.directory / directory).read_manifest().get("weights_sha256")


@pytest.mark.slow
def test_search_killed_several_times_gives_the_same_trials(
    small_search_original: Path, run_search: RunSearch
) -> None:
    search = Path("search").absolute()
    with killed_in_epoch(2):
        run_search("search.n_trials=8")
    # As if the process had been killed: it could not record the state.
    RunDirectory(search / "0_mlp_seed42").update_manifest(state="running")
    with killed_in_epoch(8, before_save=True):
        run_trials(search, UserPaths())
    with killed_in_epoch(5):
        run_trials(search, UserPaths())
    assert csvision.resume_sweep(search)
    resumed = csvision.search_report(search)
    assert results(resumed) == results(csvision.search_report(small_search_original))
    assert {trial.state for trial in resumed.trials} == {"finished", "pruned"}


@pytest.mark.slow
def test_trial_that_ended_before_it_was_recorded_is_not_trained_again(
    run_search: RunSearch,
) -> None:
    report = run_search("search.n_trials=2")
    journal = report.directory / JOURNAL
    lines = journal.read_text(encoding="utf-8").splitlines()
    told = next(number for number, line in enumerate(lines) if json.loads(line)["op_code"] == 6)
    journal.write_text("\n".join(lines[:told]) + "\n", encoding="utf-8")
    before = weights(report, report.trials[0].directory)
    history = (report.directory / "0_mlp_seed42" / "history.csv").stat().st_mtime_ns
    assert csvision.search_report(report.directory).trials[0].state == "running"
    extend_search(report.directory, 1)
    assert csvision.resume_sweep(report.directory)
    (trial,) = csvision.search_report(report.directory).trials
    assert (trial.state, trial.value) == ("finished", report.trials[0].value)
    assert weights(report, trial.directory) == before
    assert (report.directory / "0_mlp_seed42" / "history.csv").stat().st_mtime_ns == history


@pytest.mark.slow
def test_trial_whose_process_is_killed_again_and_again_fails(
    run_search: RunSearch, capfd: pytest.CaptureFixture[str]
) -> None:
    with killed_in_epoch(1):
        run_search("search.n_trials=1", "search.pruner=none")
    search = Path("search").absolute()
    run_dir = RunDirectory(search / "0_mlp_seed42")
    for _ in range(2):
        run_dir.update_manifest(state="running")
        with killed_in_epoch(1):
            run_trials(search, UserPaths())
    run_dir.update_manifest(state="running")
    run_trials(search, UserPaths())
    (trial,) = csvision.search_report(search).trials
    assert trial.state == "failed"
    assert "killed 3 times" in capfd.readouterr().out


FAILING_NET = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self, image_shape, num_classes, width):
        super().__init__(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, num_classes))
        self.width = width

    def forward(self, images):
        # The check before the search uses black images.
        if self.training and 4 < self.width < 12 and images.any() and len(images) > 2:
            raise RuntimeError(f"no width {self.width}")
        return super().forward(images)
"""


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.attacks
def test_failed_trials_count_and_the_search_proceeds(digits_csv: Path) -> None:
    Path("net.py").write_text(FAILING_NET, encoding="utf-8")
    report = csvision.run_search(
        *(word for word in SMALL_SEARCH if not word.startswith("model")),
        "model=custom",
        "model.path=net.py:Net",
        "model.kwargs.width=int(interval(3,16))",
        "epochs=1",
        "search.n_trials=6",
        directory="search",
    )
    states = {trial.number: trial.state for trial in report.trials}
    assert len(states) == 6
    assert set(states.values()) == {"finished", "failed"}
    for trial in report.trials:
        failed = 4 < int(trial.params["model.kwargs.width"]) < 12
        assert (trial.state == "failed") == failed
        assert (trial.error is not None and "no width" in trial.error) == failed
    table = pd.read_csv(report.directory / "sweep.csv")
    assert dict(zip(table["trial"], table["state"], strict=True)) == states


@pytest.mark.slow
def test_two_processes_share_the_trials(run_search: RunSearch) -> None:
    report = run_search("search.n_trials=4", "search.n_jobs=2", "search.pruner=none")
    assert [trial.number for trial in report.trials] == [*range(4)]
    assert {trial.state for trial in report.trials} == {"finished"}
    assert len({trial.params["optimizer.lr"] for trial in report.trials}) == 4
    spans = sorted((trial.started, trial.ended) for trial in report.trials)
    # Two trials ran at the same time.
    assert any(after[0] < before[1] for before, after in pairwise(spans))  # type: ignore[operator]
    for trial in report.trials:
        assert trial.directory is not None
        manifest = RunDirectory(report.directory / trial.directory).read_manifest()
        assert manifest["threads"] == 1


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.attacks
def test_extended_search_continues_as_if_it_had_been_longer(
    small_search_original: Path, run_search: RunSearch
) -> None:
    report = run_search("search.n_trials=5")
    extend_search(report.directory, 8)
    assert csvision.resume_sweep(report.directory)
    extended = csvision.search_report(report.directory)
    assert results(extended) == results(csvision.search_report(small_search_original))
    with pytest.raises(RunError, match=r"search\.n_trials=3: .* has 8 trials already"):
        extend_search(report.directory, 3)


@pytest.mark.slow
def test_several_processes_have_one_thread_each(run_search: RunSearch) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("csvision.search.run_search.run_workers", lambda *arguments: None)
        with pytest.raises(RunError, match="no trial of this search has started"):
            run_search("search.n_jobs=2", "accelerator.num_threads=null")
    definition = read_definition(Path("search"))
    assert definition.overrides[-1] == "accelerator.num_threads=1"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data.val_size=0"], "data.val_size=0.0: there are no validation rows"),
        (["batch_size=interval(8,16)"], "batch_size=8.0 must be an integer; write batch_size=int("),
        (["batch_size=16,-1"], "batch_size=-1 must be >= 1"),
        (["modl.hidden=[8],[16]"], "modl.hidden: unknown key"),
        (["search.n_trials=0"], "search.n_trials=0 must be >= 1"),
        (["monitor=test/acc"], "monitor=test/acc must be one of val/loss, val/acc"),
        (["monitor=val/acc,val/loss"], "monitor=val/acc,val/loss: this key has one value"),
        (["search.metric=val/loss"], "search.metric: unknown key; it is now monitor"),
        (["search.pruner=best"], "search.pruner=best must be one of"),
        (["optimizer.lr"], "optimizer.lr: the key is missing"),
    ],
)
def test_search_that_cannot_work_is_refused_before_it_has_a_folder(
    run_search: RunSearch, words: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        run_search(*words)
    assert caught.value.messages[0].startswith(message)
    assert not Path("search").exists()


@pytest.mark.slow
def test_folder_of_another_sweep_is_refused(run_search: RunSearch) -> None:
    Path("search").mkdir()
    Path("search", "sweep.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match="already contains a sweep"):
        run_search("search.n_trials=1")


def test_search_needs_its_own_function() -> None:
    with pytest.raises(ConfigError, match=r"search=optuna needs -m .*csvision\.run_search"):
        csvision.train("search=optuna")


ERROR_METRIC = """
import torch
from torchmetrics import Metric

class Wrong(Metric):
    def __init__(self, num_classes):
        super().__init__()
        self.add_state("wrong", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, logits, labels):
        self.wrong += (logits.argmax(dim=1) != labels).sum()

    def compute(self):
        return self.wrong.float()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "direction"),
    [
        (["monitor=val/balanced_acc"], "maximize"),
        (["metric.path=wrong.py:Wrong", "monitor=val/Wrong", "metric.mode=min"], "minimize"),
    ],
)
def test_monitor_decides_and_prunes(
    run_search: RunSearch, words: list[str], direction: str
) -> None:
    Path("wrong.py").write_text(ERROR_METRIC, encoding="utf-8")
    report = run_search("search.n_trials=8", *words)
    monitor = next(word for word in words if word.startswith("monitor=")).removeprefix("monitor=")
    assert (report.metric, report.direction) == (monitor, direction)
    choose = max if direction == "maximize" else min
    values = [trial.value for trial in report.trials if trial.value is not None]
    assert report.best_values[-1] == choose(values)
    pruned = [trial for trial in report.trials if trial.state == "pruned"]
    assert pruned
    for trial in report.trials:
        assert trial.directory is not None
        history = pd.read_csv(report.directory / trial.directory / "history.csv")
        assert [*trial.history.values()] == pytest.approx([*history[monitor]])
    for trial in pruned:
        # The median rule compares the best value so far, so a pruned trial is worse than the best.
        assert choose(*trial.history.values(), report.best_values[-1]) == report.best_values[-1]


@pytest.mark.slow
def test_page_is_refreshed_while_workers_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csvision.search.run_search.REFRESH_SECONDS", 0.02)
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3); exit(3)"])
    refreshed: list[Path] = []
    assert wait(worker, Path("search"), refreshed.append) == 3
    assert len(refreshed) > 1
    assert set(refreshed) == {Path("search")}


@pytest.mark.slow
def test_page_is_refreshed_after_each_trial(run_search: RunSearch) -> None:
    report = run_search("search.n_trials=1", "epochs=1")
    extend_search(report.directory, 3)
    refreshed: list[Path] = []
    run_trials(report.directory, UserPaths(), refreshed.append)
    assert refreshed == [report.directory] * 2

"""Pruned trials: what is recorded, and that they can still be trained to the end."""

import shutil
from pathlib import Path

import pytest
from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

import csvision
from csvision.config.search_schema import OptunaConfig, PrunerName, SearchName
from csvision.run.directory import RunDirectory
from csvision.search.pruning import build_pruner
from tests.search.conftest import RunSearch


@pytest.fixture
def pruned_run(small_search_original: Path, tmp_path: Path) -> RunDirectory:
    """Return a copy of a pruned trial."""
    trials = csvision.search_report(small_search_original).trials
    directory = next(trial.directory for trial in trials if trial.state == "pruned")
    assert directory is not None
    return RunDirectory(shutil.copytree(small_search_original / directory, tmp_path / "pruned"))


@pytest.mark.slow
def test_pruned_trial_stops_early_and_is_no_error(pruned_run: RunDirectory) -> None:
    manifest = pruned_run.read_manifest()
    assert manifest["state"] == "pruned"
    assert "ended" in manifest
    assert len(pruned_run.history.read_text(encoding="utf-8").splitlines()) < 1 + 3
    assert not pruned_run.metrics.exists()
    assert "Traceback" not in pruned_run.log.read_text(encoding="utf-8")


@pytest.mark.slow
def test_pruned_trial_can_be_trained_to_the_end(pruned_run: RunDirectory) -> None:
    result = csvision.resume(pruned_run.path)
    assert pruned_run.read_manifest()["state"] == "finished"
    whole = csvision.train(result.config)
    assert result.metrics == whole.metrics


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.attacks
@pytest.mark.parametrize("pruner", ["none", "hyperband"])
def test_other_pruners_run(run_search: RunSearch, pruner: str) -> None:
    report = run_search("search.n_trials=6", f"search.pruner={pruner}")
    states = {trial.state for trial in report.trials}
    assert states == ({"finished"} if pruner == "none" else {"finished", "pruned"})


def test_no_trial_is_pruned_in_its_warm_up(small_search_original: Path) -> None:
    for trial in csvision.search_report(small_search_original).trials:
        assert len(trial.history) >= 1


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.attacks
def test_longer_warm_up_prunes_later(run_search: RunSearch) -> None:
    report = run_search("search.n_trials=8", "search.n_warmup_epochs=2")
    pruned = [len(trial.history) for trial in report.trials if trial.state == "pruned"]
    assert set(pruned) == {2}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (PrunerName.none, NopPruner),
        (PrunerName.median, MedianPruner),
        (PrunerName.hyperband, HyperbandPruner),
    ],
)
def test_each_choice_is_its_pruner(name: PrunerName, kind: type) -> None:
    # More epochs of warm-up than epochs prune nothing, and are no error.
    settings = OptunaConfig(SearchName.optuna, 30, 1, 0, name, 10, 99)
    assert type(build_pruner(settings, max_epochs=3)) is kind

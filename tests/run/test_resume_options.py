"""Runs with training options: resumed to the same bits, in groups of batches as batch by batch."""

import signal
from pathlib import Path

import pandas as pd
import pytest
import torch

import csvision
from csvision.run.build_classifier import build_classifier
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING, reproducible_results
from tests.run.interrupt import train_until

pytestmark = pytest.mark.usefixtures("digits_csv")

RUN = (*SMALL_TRAINING, *SMALL_MLP)

# It can never be reached, so that the first epoch is the best one.
STOP_EARLY = ("early_stopping.patience=2", "early_stopping.min_delta=1")

OPTIONS = {
    "monitor": ("monitor=val/loss", "test_checkpoint=best", "scheduler=none", "optimizer.lr=1"),
    "early stopping": STOP_EARLY,
    "class weights": ("loss.class_weights=balanced",),
    "balanced sampling": ("data.balanced_sampling=true",),
    "label smoothing": ("loss.label_smoothing=0.1",),
    "gradient clipping": ("gradient_clip=0.5",),
    "plateau": ("scheduler=plateau", "scheduler.patience=0", "scheduler.min_delta=0.5"),
    "warm-up, onecycle": ("scheduler.warmup_epochs=1.5",),
    "warm-up, cosine": ("scheduler=cosine", "scheduler.warmup_epochs=1.5"),
    "warm-up, step": ("scheduler=step", "scheduler.step_size=1", "scheduler.warmup_epochs=1.5"),
    # Half a step, which is none.
    "warm-up of no step": ("scheduler=none", "scheduler.warmup_epochs=0.01"),
    "warm-up, constant": ("scheduler=none", "scheduler.warmup_epochs=3"),
    "warm-up, plateau": (
        *("scheduler=plateau", "scheduler.patience=0", "scheduler.min_delta=0.5"),
        "scheduler.warmup_epochs=1.5",
    ),
    "average of weights": ("ema.decay=0.9", "test_checkpoint=best"),
    "mixup": ("augmentation.mixup_alpha=0.4",),
    "mixup and cutmix": ("augmentation.mixup_alpha=1", "augmentation.cutmix_alpha=1"),
    "test-time augmentation": ("tta=flip_shift",),
}


@pytest.fixture(scope="module")
def default_results(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, object]:
    """The results without options."""
    from tests.conftest import digits

    home = tmp_path_factory.mktemp("default")
    digits(300).to_csv(home / "digits.csv", index=False)
    files = (f"data.csv={home / 'digits.csv'}", f"output_dir={home}", "data.cache=none")
    return reproducible_results(RunDirectory(csvision.train(*RUN, *files).directory))


@pytest.mark.slow
@pytest.mark.parametrize("overrides", OPTIONS.values(), ids=OPTIONS)
def test_resumed_run_equals_an_uninterrupted_one(
    overrides: tuple[str, ...], default_results: tuple[str, str, object]
) -> None:
    expected = reproducible_results(RunDirectory(csvision.train(*RUN, *overrides).directory))
    # In the middle of the third epoch.
    run = train_until(21, (*RUN, *overrides))
    csvision.resume(run.path)
    assert reproducible_results(run) == expected
    assert expected != default_results


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.attacks
@pytest.mark.parametrize("name", [name for name in OPTIONS if "test-time" not in name])
def test_results_equal_those_of_lightning_batch_by_batch(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csvision.grouped_classifier.GROUP_SECONDS", 1000)
    found = reproducible_results(RunDirectory(csvision.train(*RUN, *OPTIONS[name]).directory))
    monkeypatch.setattr(
        "csvision.run.train.build_classifier", lambda prepared, *_: build_classifier(prepared)
    )
    expected = reproducible_results(RunDirectory(csvision.train(*RUN, *OPTIONS[name]).directory))
    assert found == expected


@pytest.mark.slow
def test_run_that_has_stopped_early_is_not_trained_further_by_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = csvision.train(*RUN, *STOP_EARLY, "output_dir=whole").directory

    def interrupt(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr("csvision.run.train.evaluate_split", interrupt)
        with pytest.raises(KeyboardInterrupt):
            csvision.train(*RUN, *STOP_EARLY)
    (path,) = Path("outputs/runs").iterdir()
    csvision.resume(path)
    assert reproducible_results(RunDirectory(path)) == reproducible_results(RunDirectory(expected))
    history = pd.read_csv(path / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [STOP_EARLY, OPTIONS["plateau"], OPTIONS["warm-up, step"]])
def test_run_that_is_trained_longer_equals_one_started_with_as_many_epochs(
    overrides: tuple[str, ...],
) -> None:
    constant = () if "scheduler" in overrides[0] else ("scheduler=none",)
    overrides = (*RUN, *constant, *overrides)
    run = csvision.train(*overrides).directory
    expected = csvision.train(*overrides, "epochs=6").directory
    csvision.resume(run, epochs=6)
    assert reproducible_results(RunDirectory(run)) == reproducible_results(RunDirectory(expected))


@pytest.mark.slow
def test_best_checkpoint_has_the_averaged_weights() -> None:
    run = RunDirectory(csvision.train(*RUN, "ema.decay=0.9", "epochs=1").directory)
    best, last = torch.load(run.best), torch.load(run.last)
    for name, raw in last["raw_weights"].items():
        assert torch.equal(
            best["state_dict"][f"network.{name}"], last["state_dict"][f"network.{name}"]
        )
        assert not torch.equal(raw, last["state_dict"][f"network.{name}"])

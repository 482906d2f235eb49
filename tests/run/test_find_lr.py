"""A learning-rate range test on real data: files, optimizers, and rows that must not matter."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

import csvision
from csvision.errors import ConfigError
from tests.conftest import SMALL_CNN, SMALL_MLP, SMALL_TRAINING, digits
from tests.run.interrupt import CUSTOM_CODE, CUSTOM_MODEL

SMALL = (*SMALL_TRAINING, "lr_find.num_steps=40", "lr_find.min_lr=1e-5")


@pytest.mark.slow
def test_files_have_every_step_and_the_suggestion(digits_csv: Path) -> None:
    result = csvision.find_lr(*SMALL, *SMALL_MLP)
    assert result.suggestion in result.lrs
    table = pd.read_csv(result.directory / "lr_find.csv")
    assert table["step"].tolist() == [*range(len(result.lrs))]
    assert table["lr"].tolist() == pytest.approx(result.lrs)
    assert table["loss"].tolist() == pytest.approx(result.losses)
    assert table["smoothed_loss"].tolist() == pytest.approx(result.smoothed)
    content = json.loads((result.directory / "lr_find.json").read_text(encoding="utf-8"))
    assert content["suggestion"] == result.suggestion
    assert content["config"]["batch_size"] == 28
    assert (result.directory / "lr_find.png").read_bytes().startswith(b"\x89PNG")
    assert result.directory.parent == Path("outputs/lr_find").absolute()


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.attacks
def test_suggested_rate_trains_better_than_the_ends(digits_csv: Path) -> None:
    suggestion = csvision.find_lr(*SMALL, *SMALL_MLP).suggestion
    assert suggestion is not None
    losses = {
        lr: csvision.train(*SMALL_TRAINING, *SMALL_MLP, f"optimizer.lr={lr}").metrics["train/loss"]
        for lr in (1e-5, suggestion, 10)
    }
    assert losses[suggestion] < min(losses[1e-5], losses[10])


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        (*SMALL_MLP, "optimizer=sgd", "optimizer.momentum=0.9", "scheduler=step"),
        (*SMALL_MLP, "optimizer=adam", "scheduler=cosine"),
        (*SMALL_CNN, "optimizer=adamw", "augmentation=standard", "augmentation.translate=1"),
        CUSTOM_MODEL,
    ],
    ids=["sgd", "adam", "cnn", "custom"],
)
def test_every_optimizer_and_network_gets_a_suggestion(
    digits_csv: Path, overrides: tuple[str, ...]
) -> None:
    Path("net.py").write_text(CUSTOM_CODE, encoding="utf-8")
    assert csvision.find_lr(*SMALL, *overrides).suggestion is not None


@pytest.mark.slow
def test_divergence_ends_the_test(digits_csv: Path) -> None:
    result = csvision.find_lr(*SMALL, *SMALL_MLP, "optimizer=sgd", "lr_find.max_lr=1e20")
    assert len(result.lrs) < 40
    assert len(result.lrs) == len(result.losses) == len(result.smoothed)


@pytest.mark.slow
def test_curve_without_clear_descent_is_reported(
    digits_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = ("lr_find.min_lr=1e-6", "lr_find.max_lr=1e-5", "lr_find.num_steps=60", "quiet=false")
    assert csvision.find_lr(*SMALL_TRAINING, *SMALL_MLP, *rates).suggestion is not None
    assert "no clear descent: the loss decreases by less than 5 %" in capsys.readouterr().out
    csvision.find_lr(*SMALL, *SMALL_MLP, "quiet=false")
    assert "no clear descent" not in capsys.readouterr().out


@pytest.mark.slow
def test_test_rows_and_validation_rows_do_not_matter(digits_csv: Path) -> None:
    """Files of test rows that differ give the same losses."""
    table = digits(600)
    table[300:450].to_csv("one.csv", index=False)
    table[450:600].to_csv("other.csv", index=False)
    losses = [
        csvision.find_lr(*SMALL, *SMALL_MLP, f"data.test_csv={name}.csv").losses
        for name in ("one", "other")
    ]
    assert losses[0] == losses[1]
    assert csvision.find_lr(*SMALL, *SMALL_MLP, "data.val_size=0").suggestion is not None


@pytest.mark.slow
def test_equal_seeds_give_equal_losses_and_the_generators_are_kept(digits_csv: Path) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = csvision.find_lr(*SMALL, *SMALL_CNN)
    assert torch.equal(torch.get_rng_state(), before)
    assert csvision.find_lr(*SMALL, *SMALL_CNN).losses == first.losses
    assert csvision.find_lr(*SMALL, *SMALL_CNN, "seed=1").losses != first.losses


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("lr_find.min_lr=100", r"lr_find\.min_lr=100\.0 must be < lr_find\.max_lr=10\.0"),
        ("lr_find.num_steps=5", r"lr_find\.num_steps=5 must be >= 10"),
        ("lr_find.smoothing=1", r"lr_find\.smoothing=1\.0 must be >= 0 and < 1"),
        ("lr_find.steps=5", "lr_find.steps: unknown key"),
        ("search=optuna", "search=optuna needs -m"),
    ],
)
def test_invalid_setting_is_refused(digits_csv: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        csvision.find_lr(*SMALL, override)
    assert not Path("outputs").exists()

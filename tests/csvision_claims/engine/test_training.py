"""Training an arm: divergence, and no files left behind."""

from pathlib import Path

import pytest

from csvision_claims.engine.arms import Arm, load_arm_config
from csvision_claims.engine.training import train_arm


@pytest.mark.slow
def test_diverged_training_has_no_accuracy(digits_csv: Path) -> None:
    overrides = ("model=mlp", "data=csv", f"data.csv={digits_csv}", "optimizer=sgd", "epochs=3")
    converging = Arm("converging", (*overrides, "optimizer.lr=0.01"))
    metrics = train_arm(load_arm_config(converging), None)
    assert {"val/acc", "test/acc", "test/loss"} <= metrics.keys()
    diverging = Arm("diverging", (*overrides, "optimizer.lr=1e30", "scheduler=none"))
    assert train_arm(load_arm_config(diverging), None) == {"val/acc": 0.0}


@pytest.mark.slow
def test_training_leaves_no_files(digits_csv: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    arm = Arm("arm", ("model=mlp", "data=csv", f"data.csv={digits_csv}", "epochs=1"))
    metrics = train_arm(load_arm_config(arm), lambda trained: {"folder": str(trained.directory)})
    assert not Path(metrics["folder"]).exists()
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_training_prints_nothing(digits_csv: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arm = Arm("arm", ("model=mlp", "data=csv", f"data.csv={digits_csv}", "epochs=1"))
    train_arm(load_arm_config(arm), None)
    assert capfd.readouterr() == ("", "")

"""A training that diverges counts as the worst learning rate, and as nothing else."""

from pathlib import Path

from csvision.claims.arms import Arm, settings_of
from csvision.claims.training import train_arm


def test_a_training_that_diverges_has_no_accuracy(digits_csv: Path) -> None:
    words = ("model=mlp", "data=csv", f"data.csv={digits_csv}", "optimizer=sgd", "epochs=3")
    fine = train_arm(settings_of(Arm("fine", (*words, "optimizer.lr=0.01"))), None)
    assert {"val/acc", "test/acc", "test/loss"} <= fine.keys()
    wild = Arm("wild", (*words, "optimizer.lr=1e30", "scheduler=none"))
    assert train_arm(settings_of(wild), None) == {"val/acc": 0.0}


def test_nothing_stays_behind(digits_csv: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    arm = Arm("arm", ("model=mlp", "data=csv", f"data.csv={digits_csv}", "epochs=1"))
    found = train_arm(settings_of(arm), lambda trained: {"folder": str(trained.directory)})
    assert not Path(found["folder"]).exists()
    assert set(tmp_path.rglob("*")) == before

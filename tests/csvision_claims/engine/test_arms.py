"""Arms as configurations and as commands."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from csvision_claims.engine.arms import Arm, get_lr, load_arm_config, train_command

SMALL = Arm("small", ("model=mlp", "model.hidden=[8]", "epochs=10"))


def test_override_replaces_earlier_one_of_same_key() -> None:
    assert SMALL.override("epochs=1").overrides == ("model=mlp", "model.hidden=[8]", "epochs=1")
    assert SMALL.override("model=cnn").overrides == ("model.hidden=[8]", "epochs=10", "model=cnn")


def test_learning_rate_is_the_one_trained_with() -> None:
    arm = SMALL.override("optimizer.lr=0.5").override("optimizer.lr=0.25")
    assert get_lr(arm) == load_arm_config(arm).optimizer.lr == 0.25


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_shell_splits_command_into_overrides(overrides: list[str]) -> None:
    line = train_command(Arm("any", tuple(overrides)), seed=3)
    assert shlex.split(line) == ["csvision", "train", *overrides, "seed=3"]

"""Arms as configurations and as lines to type."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from csvision.claims.arms import Arm, command, rate_of, settings_of

SMALL = Arm("small", ("model=mlp", "model.hidden=[8]", "epochs=10"))


def test_an_override_takes_the_place_of_one_for_the_same_key() -> None:
    assert SMALL.but("epochs=1").overrides == ("model=mlp", "model.hidden=[8]", "epochs=1")
    assert SMALL.but("model=cnn").overrides == ("model.hidden=[8]", "epochs=10", "model=cnn")


def test_the_learning_rate_is_that_which_the_arm_is_trained_with() -> None:
    arm = SMALL.but("optimizer.lr=0.5").but("optimizer.lr=0.25")
    assert rate_of(arm) == settings_of(arm).optimizer.lr == 0.25


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_a_shell_reads_the_words_that_an_arm_consists_of(words: list[str]) -> None:
    line = command(Arm("any", tuple(words)), seed=3)
    assert shlex.split(line) == ["python", "scripts/train.py", *words, "seed=3"]

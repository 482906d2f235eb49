"""The benchmark of training: every arm trains the notebook's networks on the notebook's rows."""

import pytest

from tests.scripts.evidence.run_script import run_script
from training_arms import list_arms
from training_benchmark import print_table
from training_results import Result, Task, summarize

ARMS = list_arms()


@pytest.mark.slow
@pytest.mark.parametrize("name", ARMS)
def test_every_arm_learns(name: str) -> None:
    result = ARMS[name](Task("mlp", batch_size=32, epochs=1, seed=0))
    assert result is not None
    assert len(result.seconds) == 1
    # Chance is 0.1; the arm that repeats one batch has no accuracy.
    assert (result.accuracy is None) == (name == "one batch repeated")
    assert result.accuracy is None or 0.5 < result.accuracy < 0.9


def test_the_summary_compares_repeats_and_has_the_mean_accuracy() -> None:
    # The machine is slower in the last repeat.
    results = [Result([3.0, 1.0], 0.5), Result([2.0], 0.7), Result([12.0], 0.6)]
    references = [Result([4.0]), Result([4.0]), Result([24.0])]
    seconds, ratio, accuracy = summarize(results, references)
    assert (seconds, ratio) == (2.0, 0.5)
    assert accuracy == pytest.approx(0.6)
    assert summarize([Result([1.0], None)], [Result([2.0])]) == (1.0, 0.5, None)


def test_ratios_are_to_the_first_arm(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("mlp", {"loop": [Result([2.0], 0.5)], "other": [], "half": [Result([1.0])]})
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert rows[1:] == [["loop", "2.0000", "1.00", "0.5000"], ["half", "1.0000", "0.50"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "value"), [("suite", "write"), ("models", "cnn,rnn"), ("batch_sizes", "32,0")]
)
def test_unknown_options_are_rejected(option: str, value: str) -> None:
    refused = run_script("benchmark.py", "suite=train", f"{option}={value}")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: {option}={value}")

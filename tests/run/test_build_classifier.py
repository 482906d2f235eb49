"""What building the classifier of a run reports."""

import re
from pathlib import Path

import pytest

import csvision
from csvision.run.build_classifier import describe_weights
from tests.conftest import SMALL_MLP, SMALL_TRAINING, digits

RUN = (*SMALL_TRAINING, *SMALL_MLP, "epochs=1", "quiet=false", "data.cache=none")


@pytest.fixture
def animals(working_folder: Path) -> None:
    """Write digits.csv with 40 images of an owl, 80 of a cat and 120 of a dog."""
    table = digits(240)
    table["label"] = ["owl"] * 40 + ["cat"] * 80 + ["dog"] * 120
    table.to_csv("digits.csv", index=False)


@pytest.mark.usefixtures("animals")
def test_each_class_weight_is_reported_with_its_class(capsys: pytest.CaptureFixture[str]) -> None:
    csvision.train(*RUN, "loss.class_weights=[1,2,3.5]")
    assert "class weights: cat 1, dog 2, owl 3.5\n" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("animals")
def test_balanced_weights_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    result = csvision.train(*RUN, "loss.class_weights=balanced")
    names = result.classifier.classes
    labels = result.splits.train.labels
    expected = [len(labels) / (3 * (labels == index).sum()) for index in range(3)]
    line = re.search(r"class weights: (.*)\n", capsys.readouterr().out)
    assert line is not None
    assert line[1] == ", ".join(
        f"{name} {weight:.4g}" for name, weight in zip(names, expected, strict=True)
    )
    assert expected[2] > 2 * expected[1] > 0


def test_weights_of_many_classes_are_shortened() -> None:
    names = [f"c{index}" for index in range(1000)]
    text = describe_weights(names, [1.0] * 1000)
    assert text.startswith("c0 1, c1 1, ")
    assert text.endswith("c18 1, ..., c999 1")

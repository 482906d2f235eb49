"""Rules between the keys of a training run."""

import pytest

from csvision.config.compose import load_config
from csvision.config.monitor import is_better, monitor_mode, worst_value
from csvision.config.validate import find_errors
from csvision.errors import ConfigError

SHAPE = (1, 28, 28)

REFUSED = {
    "loss.class_weights=balance": "loss.class_weights=balance must be balanced, null, or a list",
    "loss.class_weights=[1,0]": "must be balanced, null, or a list of one positive number",
    f"loss.class_weights=[1,{10**400}]": "must be balanced, null, or a list of one positive number",
    "loss.class_weights=[1,nan]": "must be balanced, null, or a list of one positive number",
    "loss.class_weights=[1,-2]": "must be balanced, null, or a list of one positive number",
    "loss.class_weights=3": "must be balanced, null, or a list of one positive number",
    "loss.class_weights=[true,true]": "must be balanced, null, or a list of one positive number",
    "loss.kwargs.gamma=2": "loss.kwargs needs loss.path=FILE.py:CLASS",
    "metric.kwargs.k=2": "metric.kwargs needs metric.path=FILE.py:CLASS",
    "transform.kwargs.size=2": "transform.kwargs needs transform.path=FILE.py:CLASS",
    "metric.path=my.py:acc": "val/acc exists already; rename the class",
    "metric.path=my.py:loss": "val/loss exists already; rename the class",
    "monitor=acc": "monitor=acc must be one of val/loss, val/acc, val/f1, val/balanced_acc",
    "monitor=test/acc": "monitor=test/acc must be one of val/loss, val/acc",
    "scheduler.warmup_epochs=10": "scheduler.warmup_epochs=10 must be < epochs=10",
}


@pytest.mark.parametrize(("override", "message"), REFUSED.items())
def test_invalid_value_is_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("[", r"\[")):
        load_config("train", [override])


@pytest.mark.parametrize("option", ["loss.class_weights=balanced", "loss.label_smoothing=0.1"])
def test_option_of_cross_entropy_with_another_loss_is_refused(option: str) -> None:
    with pytest.raises(ConfigError, match="replaces cross-entropy"):
        load_config("train", ["loss.path=my.py:Loss", option])


def test_number_of_class_weights_is_that_of_the_classes() -> None:
    config = load_config("train", ["loss.class_weights=[1,2,3.5]"])
    assert find_errors(config, SHAPE, 3) == []
    assert find_errors(config, SHAPE, 4) == ["loss.class_weights has 3 values for 4 classes"]


def test_metric_of_the_user_can_be_monitored() -> None:
    overrides = ["metric.path=my.py:Errors", "monitor=val/Errors"]
    assert monitor_mode(load_config("train", overrides)) == "max"
    assert monitor_mode(load_config("train", [*overrides, "metric.mode=min"])) == "min"


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [("val/loss", "min"), ("val/acc", "max"), ("val/f1", "max"), ("val/balanced_acc", "max")],
)
def test_direction_follows_from_the_metric(monitor: str, mode: str) -> None:
    assert monitor_mode(load_config("train", [f"monitor={monitor}"])) == mode


def test_improvement_must_exceed_min_delta() -> None:
    assert is_better(0.5, 0.25, "max")
    assert not is_better(0.5, 0.25, "max", min_delta=0.25)
    assert is_better(0.25, 0.5, "min", min_delta=0.125)
    assert not is_better(0.5, 0.5, "min")
    assert is_better(0.0, worst_value("max"), "max", min_delta=9)
    assert is_better(9.0, worst_value("min"), "min", min_delta=9)

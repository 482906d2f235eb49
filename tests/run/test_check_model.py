"""Custom networks that could not be trained, saved or loaded are refused before training."""

from pathlib import Path

import pytest

import csvision
from csvision.config.compose import load_config
from csvision.errors import ConfigError
from csvision.run.prepare import prepare_run
from tests.conftest import SMALL_TRAINING
from tests.run.interrupt import CUSTOM_MODEL

NET = """
import random, sys
import numpy as np
import torch
from torch import nn

class Base(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))
        self.prepare()

    def prepare(self):
        pass

    def forward(self, images):
        return self.layers(images)

class Net(Base):
"""

pytestmark = pytest.mark.usefixtures("digits_csv")


def check(body: str) -> None:
    """Prepare a run of a network whose class has this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    Path("net.py").write_text(f"{NET}{lines}", encoding="utf-8")
    before = sorted(Path().rglob("*"))
    try:
        prepare_run(load_config("train", [*SMALL_TRAINING, *CUSTOM_MODEL]))
    finally:
        assert sorted(Path().rglob("*")) == before


PREPARE = "def prepare(self):\n    "
FORWARD = "def forward(self, images):\n    logits = super().forward(images)\n    "
IN_TRAINING = f"{FORWARD}if self.training:\n        "
GET_STATE = "def set_extra_state(self, state):\n    pass\ndef get_extra_state(self):\n    "
FORGETFUL = """def prepare(self):
    class Forgetful(nn.Linear):
        def _load_from_state_dict(self, *args):
            pass
    self.layers[1] = Forgetful(64, 10)"""
BUFFER = f"{PREPARE}self.register_buffer('extra', "


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"{PREPARE}self.layers = nn.Flatten()\n{FORWARD}return logits[:, :10]", "no parameters"),
        (f"{PREPARE}self.requires_grad_(False)", "all its parameters are frozen"),
        (f"{FORWARD}return logits.detach()", "depend on no parameter"),
        (f"{IN_TRAINING}logits = logits.detach()\n    return logits", "depend on no parameter"),
        (f"{IN_TRAINING}return logits, images\n    return logits", "returns tuple"),
        (f"{IN_TRAINING}sys.exit(0)\n    return logits", r"calls sys\.exit\(0\)"),
        (
            f"{IN_TRAINING}logits.register_hook(lambda gradient: exit())\n    return logits",
            r"calls sys\.exit\(None\)",
        ),
        (f"{IN_TRAINING}torch.set_grad_enabled(False)\n    return logits", "gradient mode"),
        (f"{FORWARD}return logits.squeeze()", r"images \(1, 1, 8, 8\) returns \(10,\)"),
        (f"{GET_STATE}return {{'steps': 3}}", "_extra_state in its state_dict is a dict"),
        (f"{GET_STATE}return random.Random(0)", "_extra_state in its state_dict is a Random"),
        (f"{BUFFER}torch.eye(3).to_sparse())", "extra in its state_dict is a torch.sparse_coo"),
        (f"{BUFFER}torch.zeros(1).expand(5))", "cannot be loaded into a new network: .*extra"),
        (
            f"{BUFFER}torch.zeros(0))\n{IN_TRAINING}self.extra = torch.ones(3)\n    return logits",
            "cannot be loaded into a new network: size mismatch for .*extra",
        ),
        (f"{PREPARE}self.extra = nn.Parameter(torch.zeros(1).expand(5))", "cannot be loaded"),
        (FORGETFUL, "gives other weights"),
        (
            f"{PREPARE}self.layers[1].bias.data += np.random.default_rng().random()",
            "initial weights differ",
        ),
        (
            f"{BUFFER}torch.tensor(random.SystemRandom().random()), persistent=False)",
            "initial weights differ",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_network_that_cannot_work_is_refused_before_anything_is_written(
    body: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=f"^model.path=net.py:Net: .*{message}"):
        check(body)


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        f"{GET_STATE}return torch.ones(3)",
        f"{BUFFER}torch.tensor(0))\n{FORWARD}self.extra += 1\n    return logits",
        f"{BUFFER}torch.tensor([True, False]))",
        f"{BUFFER}torch.zeros(0))",
        f"{BUFFER}torch.rand(3), persistent=False)",
        f"{PREPARE}self.same = self.layers",
        f"{PREPARE}self.frozen = nn.Linear(2, 2).requires_grad_(False)",
        f"{PREPARE}self.eval()",
        f"{PREPARE}self.layers[1].bias.data += np.random.default_rng(3).random()",
        f"{FORWARD}images.zero_()\n    return logits",
        f"{FORWARD}torch.manual_seed(0)\n    return logits",
        f"{FORWARD}return logits.double()",
    ],
)
def test_unusual_network_is_accepted(body: str) -> None:
    check(body)


@pytest.mark.parametrize("error", ["OSError(28, 'No space left')", "FileNotFoundError('x')"])
def test_error_in_evaluation_mode_is_raised_before_anything_is_written(error: str) -> None:
    with pytest.raises(OSError, match=r"No space left|x"):
        check(f"{FORWARD}raise {error}")


@pytest.mark.slow
def test_error_of_a_training_step_is_left_to_the_training() -> None:
    body = f"{IN_TRAINING}raise ZeroDivisionError('odd')\n    return logits"
    check(body)
    with pytest.raises(ZeroDivisionError, match="odd"):
        csvision.train(*SMALL_TRAINING, *CUSTOM_MODEL)
    (log,) = Path("outputs").rglob("train.log")
    assert "ZeroDivisionError: odd" in log.read_text(encoding="utf-8")


def test_error_of_loading_in_the_network_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        check(f"{GET_STATE}return torch.ones(1)\ndef set_extra_state(self, state):\n    1 / 0")


def test_numbers_drawn_by_an_import_do_not_refuse_a_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A package is imported once; only the first network that is built sees what it draws.
    Path("packages").mkdir()
    Path("packages/drawing_package.py").write_text("import random\nrandom.random()")
    monkeypatch.syspath_prepend("packages")
    check("import drawing_package\nshift = random.random()\n" + f"{BUFFER}torch.tensor(Net.shift))")

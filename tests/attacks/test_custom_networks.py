"""Custom networks that end the process, cannot be trained, or behave in unexpected ways."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack

NET = """
import errno, os, random, sys, threading
import numpy as np
import torch
from torch import nn

class Base(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))
        self.steps = 0
        self.prepare()

    def prepare(self):
        pass

    def forward(self, images):
        self.steps += self.training
        return self.layers(images)

class Net(Base):
"""

TRAIN = (
    "train data=csv data.csv=digits.csv data.val_size=0 epochs=2 batch_size=16 logger=none "
    "accelerator=cpu accelerator.num_threads=1 model=custom model.path=net.py:Net"
)
"""A training of net.py: six steps of 16 images."""


def write_net(body: str) -> Callable[[Path], None]:
    """Return a function that writes a network whose class has this body."""

    def write(folder: Path) -> None:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (folder / "net.py").write_text(f"{NET}{lines}", encoding="utf-8")

    return write


def write_file(text: str, name: str = "net.py") -> Callable[[Path], None]:
    """Return a function that writes a file."""

    def write(folder: Path) -> None:
        (folder / name).write_text(text, encoding="utf-8")

    return write


def refused(name: str, body: str, *says: str, thorough: bool = True) -> Attack:
    """Return an attack by a network that is refused before training."""
    says = ("model.path=net.py:Net: ", *says)
    return Attack(name, f"csvision {TRAIN}", says=says, prepare=write_net(body), thorough=thorough)


def trained(name: str, body: str, *checks: Callable[[Result], None]) -> Attack:
    """Return an attack by a network that is trained, tested again and reproduced."""
    run = "run=$RUN model.path=net.py:Net"
    commands = (
        f"csvision {TRAIN} | tee output.txt && RUN=$(tail -n 1 output.txt) && "
        f"csvision evaluate {run} && csvision reproduce {run}"
    )
    return Attack(
        name,
        commands,
        exit_code=0,
        says=("bitwise identical",),
        prepare=write_net(body),
        checks=(evaluation_agrees, *checks),
        thorough=True,
    )


def evaluation_agrees(result: Result) -> None:
    """Check that `evaluate` gives the metrics of the training."""
    (evaluated,) = result.folder.rglob("evaluations/*/metrics.json")
    metrics = json.loads(evaluated.read_text(encoding="utf-8"))
    recorded = evaluated.parents[2] / "metrics.json"
    assert metrics.items() <= json.loads(recorded.read_text(encoding="utf-8")).items()


PREPARE = "def prepare(self):\n    "
FORWARD = "def forward(self, images):\n    logits = super().forward(images)\n    "
IN_TRAINING = f"{FORWARD}if self.training:\n        "
AT_STEP_3 = f"{FORWARD}if self.steps == 3:\n        "
STATE = "def set_extra_state(self, state):\n    pass\ndef get_extra_state(self):\n    "


@attack_parameters(
    refused("exit on import", "sys.exit(0)", "net.py, line", "sys.exit(0)", thorough=False),
    refused("exit in the constructor", f"{PREPARE}sys.exit(0)", "sys.exit(0)"),
    refused("exit in forward", f"{FORWARD}sys.exit()", "sys.exit(None)"),
    refused("exit in training mode", f"{IN_TRAINING}exit('x')\n    return logits", "exit('x')"),
    refused(
        "no parameters",
        "def prepare(self):\n    self.layers = nn.Flatten()\n"
        "def forward(self, images):\n    return images.flatten(1)[:, :10]",
        "no parameters",
    ),
    refused("frozen", f"{PREPARE}self.requires_grad_(False)", "frozen"),
    refused("detached", f"{FORWARD}return logits.detach()", "depend on no parameter"),
    refused("extra state", f"{STATE}return {{}}", "_extra_state", "dict", thorough=False),
    refused("tuple", f"{FORWARD}return logits, images", "returns tuple"),
    refused("squeezed", f"{FORWARD}return logits.squeeze()", "returns (10,)"),
    refused("float64", f"torch.set_default_dtype(torch.float64)\n{PREPARE}pass", "precision"),
    refused("threads", f"{PREPARE}torch.set_num_threads(7)", "accelerator.num_threads"),
    refused("no gradients", f"{PREPARE}torch.set_grad_enabled(False)", "gradient mode"),
    refused("folder", f"{PREPARE}os.chdir('/')", "current folder"),
    refused("meta device", f"{PREPARE}self.to('meta')", "meta device"),
    refused(
        "unseeded generator",
        f"{PREPARE}self.layers[1].bias.data += np.random.default_rng().random()",
        "initial weights differ",
    ),
    refused(
        "required argument",
        "def __init__(self, image_shape, num_classes, width):\n    pass",
        "'width'",
        "model.kwargs={}",
    ),
    Attack(
        "relative import",
        f"csvision {TRAIN}",
        says=("net.py:Net: ", "relative import", "one file"),
        prepare=write_file("from .helper import value"),
        thorough=True,
    ),
    Attack(
        "syntax error",
        f"csvision {TRAIN}",
        says=("net.py, line 1: ",),
        prepare=write_file("def f(:"),
        thorough=True,
    ),
    Attack(
        "one image in the last batch",
        # 48 training rows.
        f"csvision {TRAIN} batch_size=47",
        says=("batch_size=47: ", "48 training rows", "net.py:Net", "write batch_size=48"),
        prepare=write_net(
            "def prepare(self):\n"
            "    self.layers = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10))"
        ),
        thorough=True,
    ),
    Attack(
        "one image in the last batch of a built-in network",
        "csvision train data=csv data.csv=digits.csv data.val_size=0 batch_size=47 "
        "'model.stages=[{kernel_size:8,padding:0,normalization:batch,pool:none}]'",
        says=("batch_size=47: ", "48 training rows", "stages.0.normalization", "batch_size=48"),
    ),
)
def test_network_that_cannot_work_is_refused(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


@attack_parameters(
    trained("prints", f"{FORWARD}print('hello')\n    return logits"),
    trained("numpy", f"{PREPARE}self.layers[1].bias.data += np.random.rand()"),
    trained("random", f"{PREPARE}self.layers[1].bias.data += random.random()"),
    trained(
        "random on import",
        f"shift = random.random() + np.random.rand()\n{FORWARD}return logits * self.shift",
    ),
    trained("random in forward", f"{FORWARD}return logits + np.random.rand() + torch.rand(10)"),
    trained(
        "seeds in forward", f"{FORWARD}random.seed(0), torch.manual_seed(0)\n    return logits"
    ),
    trained("lazy", f"{PREPARE}self.layers[1] = nn.LazyLinear(10)"),
    trained(
        "shared weights",
        f"{PREPARE}self.other = self.layers\n{FORWARD}return logits + self.other(images)",
    ),
    trained(
        "buffer that is not saved",
        f"{PREPARE}self.register_buffer('mask', torch.rand(10), persistent=False)\n"
        f"{FORWARD}return logits * self.mask",
    ),
    trained(
        "integer buffer",
        f"{PREPARE}self.register_buffer('n', torch.tensor(0))\n{FORWARD}self.n += 1\n"
        "    return logits",
    ),
    trained("input in place", "def forward(self, images):\n    return self.layers(images.sub_(1))"),
    trained("thread", f"{PREPARE}threading.Thread(target=lambda: None).start()"),
    trained("extra state of a tensor", f"{STATE}return torch.ones(3)"),
)
def test_unusual_network_is_trained_and_tested(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


@attack_parameters(
    *(
        Attack(
            f"file name {name}",
            f"csvision {TRAIN} 'model.path={name}:Net'",
            exit_code=0,
            prepare=write_file(NET + "    pass\n", name),
            thorough=True,
        )
        for name in ("my net.py", "größe 実験.py", "a,b=c.py", "torch.py")
    )
)
def test_file_of_a_network_may_have_any_name(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


def state_is_failed(result: Result) -> None:
    """Check that the run is recorded as failed."""
    (manifest,) = result.manifests
    assert json.loads(manifest.read_text(encoding="utf-8"))["state"] == "failed"


def shows_error(line: str) -> Callable[[Result], None]:
    """Return a check that the traceback ends with a line, and that no disk is blamed."""

    def check(result: Result) -> None:
        assert line in result.errors.splitlines()
        assert "cannot be written" not in result.text

    return check


@attack_parameters(
    Attack(
        "exit in a later step",
        f"csvision {TRAIN}",
        says=("error: model.path=net.py:Net: ", "sys.exit(0)"),
        prepare=write_net(f"{AT_STEP_3}sys.exit(0)\n    return logits"),
        checks=(state_is_failed,),
        keeps_run=True,
        thorough=True,
    ),
    Attack(
        "error of the disk in training",
        f"csvision {TRAIN}",
        exit_code=1,
        prepare=write_net(f"{AT_STEP_3}raise OSError(errno.ENOSPC, 'full')\n    return logits"),
        checks=(state_is_failed, shows_error("OSError: [Errno 28] full")),
        shows_traceback=True,
        thorough=True,
    ),
    Attack(
        "missing file in training",
        f"csvision {TRAIN}",
        exit_code=1,
        prepare=write_net(f"{IN_TRAINING}open('nothing.txt')\n    return logits"),
        checks=(
            state_is_failed,
            shows_error("FileNotFoundError: [Errno 2] No such file or directory: 'nothing.txt'"),
        ),
        shows_traceback=True,
        thorough=True,
    ),
    Attack(
        "type error in the constructor",
        f"csvision {TRAIN}",
        exit_code=1,
        prepare=write_net(f"{PREPARE}len(3)"),
        checks=(shows_error("TypeError: object of type 'int' has no len()"),),
        shows_traceback=True,
        thorough=True,
    ),
)
def test_error_of_a_network_is_reported_as_its_own(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)

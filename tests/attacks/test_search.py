"""Attacks on a search: trials that raise, processes that are killed, damaged files."""

import json
from pathlib import Path

import pytest

from tests.attacks.attack import TRAIN, Attack, Result, attack_parameters, run_attack

SEARCH = (
    "csvision $TRAIN -m search=optuna search.n_trials=4 hydra.sweep.dir=s "
    "'optimizer.lr=tag(log, interval(1e-4, 1e-1))'"
)

RAISING_NET = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self, image_shape, num_classes, width):
        super().__init__(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, num_classes))
        self.width = width

    def forward(self, images):
        # The check before the search uses black images.
        if self.width == 5 and images.any():
            raise RuntimeError("five is too many")
        return super().forward(images)
"""


def write_net(folder: Path) -> None:
    """Write a network that raises in training for one width."""
    (folder / "net.py").write_text(RAISING_NET, encoding="utf-8")


def check_states(result: Result) -> None:
    """Check that trials with the width 5 have failed, and all others have finished."""
    states: dict[str, set[int]] = {"failed": set(), "finished": set()}
    assert len(result.manifests) == 6
    for path in result.manifests:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        states[manifest["state"]].add(manifest["config"]["model"]["kwargs"]["width"])
    assert states["failed"] == {5}
    assert states["finished"]
    assert states["finished"] <= {4, 6}


def test_trials_that_raise_do_not_end_the_search(attacked_folder: Path) -> None:
    training = TRAIN.replace("model=mlp model.hidden=[8] ", "")
    command = (
        f"csvision {training} -m search=optuna search.n_trials=6 hydra.sweep.dir=s "
        "model=custom model.path=net.py:Net model.kwargs.width=4,5,6"
    )
    says = ("failed: five is too many", "best: trial", "model.path=net.py:Net")
    attack = Attack("raising", command, 0, says, prepare=write_net, checks=(check_states,))
    run_attack(attack, attacked_folder)


def damage_journal(text: str) -> str:
    """Return a command that runs a search, damages its journal, and resumes it."""
    return f"{SEARCH} search.n_trials=1 >log; {text}; csvision resume run=s search.n_trials=2"


@attack_parameters(
    Attack(
        "journal without a line",
        damage_journal("echo x >s/study.journal"),
        2,
        ("error: ", "study.journal is damaged"),
        keeps_run=True,
        thorough=True,
    ),
    Attack(
        "journal cut in a line",
        damage_journal("printf '{\"op' >>s/study.journal"),
        0,
        ("2 trials: 2 finished",),
        thorough=True,
    ),
    Attack(
        "no search.json",
        damage_journal("echo {} >s/search.json"),
        2,
        ("error: ", "search.json is damaged"),
        keeps_run=True,
        thorough=True,
    ),
)
def test_damaged_search(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


@pytest.mark.thorough
@pytest.mark.parametrize("signal", ["INT", "TERM", "KILL"])
def test_search_in_workers_is_stopped_and_resumed(attacked_folder: Path, signal: str) -> None:
    code = {"INT": 130, "TERM": 143, "KILL": 137}[signal]
    stop = (
        f"set -m; {SEARCH} search.n_jobs=2 epochs=2000 search.pruner=none & pid=$!; "
        "until ls s/*/checkpoints/last.ckpt >/dev/null 2>&1; do sleep 0.1; done; "
        f"kill -{signal} $pid; wait $pid; code=$?; "
        # Workers end by themselves.
        "while pgrep -f 'search.worker '$PWD/s >/dev/null; do sleep 0.1; done; exit $code"
    )
    says = () if signal == "KILL" else ("csvision resume run=s",)
    result = run_attack(Attack("stop", stop, code, says), attacked_folder)
    states = {json.loads(path.read_text("utf-8"))["state"] for path in result.manifests}
    assert states <= {"interrupted", "finished"}
    assert "interrupted" in states

"""Signals at awkward moments: what is left can always be resumed."""

import json
from pathlib import Path

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack

LONG = "csvision $TRAIN epochs=100000 checkpoint_interval_seconds=0.1 output_dir=out"
STARTED = "until ls out/runs/*/checkpoints/last.ckpt >/dev/null 2>&1; do sleep 0.05; done"


def interrupt(signal: str, code: int, start: str = LONG, also: str = "") -> str:
    """Return a command that sends a signal to a run once it has saved a checkpoint."""
    return f"{also}{start} & pid=$!; {STARTED}; kill -{signal} $pid; wait $pid; exit $?"


def state(result: Result) -> str:
    """Return the state of the only run."""
    (manifest,) = result.manifests
    return str(json.loads(manifest.read_text(encoding="utf-8"))["state"])


def check_interrupted(result: Result) -> None:
    """Check that a run was saved."""
    assert state(result) == "interrupted"
    assert "to resume: csvision resume run=out/runs/" in result.text


def check_killed(result: Result) -> None:
    """Check that a killed run has a complete run.json."""
    assert state(result) == "running"


def check_no_leftovers(result: Result) -> None:
    """Check that a run that could not be created has left no run.json."""
    assert not list(result.folder.rglob("run.json"))
    assert not list(result.folder.rglob(".run.json*"))


ATTACKS = (
    Attack("terminal is closed", interrupt("HUP", 129), 129, checks=(check_interrupted,)),
    Attack(
        "request to end", interrupt("TERM", 143), 143, checks=(check_interrupted,), thorough=True
    ),
    Attack(
        "time limit of Slurm",
        interrupt("USR1", 138),
        138,
        checks=(check_interrupted,),
        thorough=True,
    ),
    Attack("kill", interrupt("KILL", 137), 137, checks=(check_killed,), thorough=True),
    Attack(
        "terminal is closed under nohup",
        f"nohup csvision $TRAIN epochs=300 output_dir=out > log & pid=$!; {STARTED}; "
        "kill -HUP $pid; wait $pid",
        0,
        checks=(lambda result: None,),
        thorough=True,
    ),
    Attack(
        "terminal is closed at start-up",
        "csvision $TRAIN & pid=$!; sleep 0.3; kill -HUP $pid; wait $pid; exit $?",
        129,
        thorough=True,
    ),
)


@attack_parameters(*ATTACKS)
def test_interrupted_run_is_saved(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)

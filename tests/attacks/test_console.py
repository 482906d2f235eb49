"""A console that is closed, broken, full or of another encoding: no run depends on it."""

import json
from pathlib import Path

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack
from tests.attacks.runs import finished


def check_finished(result: Result) -> None:
    """Check that every run has finished and has all its messages in train.log."""
    assert result.manifests
    for manifest in result.manifests:
        assert json.loads(manifest.read_text(encoding="utf-8"))["state"] == "finished"
        log = (manifest.parent / "train.log").read_text(encoding="utf-8")
        assert "epoch 1/1" in log
        assert "test/acc" in log


def check_three_runs(result: Result) -> None:
    """Check that all jobs of a sweep have run."""
    assert len(result.manifests) == 3


FULL = "standard output cannot be written: No space left on device"

INSPECT = "csvision inspect-data data=csv data.csv=digits.csv data.val_size=0.25"

ATTACKS = (
    Attack("reader that ends", "csvision $TRAIN | head -1", 0, checks=(check_finished,)),
    Attack("reader that reads nothing", "csvision $TRAIN | true", 0, checks=(check_finished,)),
    Attack("closed output", "csvision $TRAIN >&-", 0, checks=(check_finished,)),
    Attack("closed errors", "csvision $TRAIN 2>&-", 0, checks=(check_finished,), thorough=True),
    Attack(
        "all streams closed",
        "csvision $TRAIN <&- >&- 2>&-",
        0,
        checks=(check_finished,),
    ),
    Attack("full output", "csvision $TRAIN > /dev/full", 0, (FULL,), checks=(check_finished,)),
    Attack(
        "full output and errors",
        "csvision $TRAIN > /dev/full 2>&1",
        0,
        checks=(check_finished,),
        thorough=True,
    ),
    Attack(
        "sweep whose reader ends",
        "csvision $TRAIN -m seed=0,1,2 | head -1",
        0,
        checks=(check_finished, check_three_runs),
        thorough=True,
    ),
    Attack(
        "sweep with a full output",
        "csvision $TRAIN -m seed=0,1 > /dev/full",
        0,
        (FULL,),
        checks=(check_finished,),
        thorough=True,
    ),
    Attack("help whose reader ends", "csvision train --help | head -1", 0),
    Attack("help with a closed output", "csvision --help >&-", 0),
    Attack("help with a full output", "csvision --help > /dev/full", 0, (FULL,)),
    Attack("error with a closed output", "csvision $TRAIN seed=-1 >&-", 2, ("seed=-1",)),
    Attack(
        "ASCII output",
        "mkdir é && csvision $TRAIN output_dir=é",
        0,
        environment={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        checks=(check_finished,),
        thorough=True,
    ),
    Attack(
        "class names that ASCII does not have",
        f"sed -i s/^0,/ä,/ digits.csv && csvision $TRAIN && {INSPECT}",
        0,
        ("\\xe4",),
        environment={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        checks=(check_finished,),
        thorough=True,
    ),
    Attack("report whose reader ends", f"{INSPECT} | head -4", 0),
    Attack(
        "prediction whose reader ends",
        "csvision predict run=run data.csv=digits.csv | head -1",
        0,
        ("60 rows",),
        prepare=finished,
    ),
    Attack("no input", "csvision $TRAIN <&-", 0, checks=(check_finished,), thorough=True),
    Attack("nohup", "nohup csvision $TRAIN", 0, checks=(check_finished,), thorough=True),
)


@attack_parameters(*ATTACKS)
def test_run_does_not_depend_on_its_console(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)

"""Data files that change, grow, move or disappear after training."""

import json
from pathlib import Path

import pandas as pd

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack
from tests.attacks.runs import finished, interrupted, train_run

EVALUATE = "csvision evaluate run=run"


def evaluations(result: Result) -> list[Path]:
    """Return the folders of all evaluations of the run."""
    folder = result.folder / "run" / "evaluations"
    return list(folder.iterdir()) if folder.exists() else []


def check_same_score(result: Result) -> None:
    """Check that the evaluation gives the metrics of training."""
    (folder,) = evaluations(result)
    now, before = (
        json.loads((path / "metrics.json").read_text(encoding="utf-8"))
        for path in (folder, result.folder / "run")
    )
    assert now.items() <= before.items()
    found, trained = (
        pd.read_csv(path / "predictions.csv").drop(columns="row")
        for path in (folder, result.folder / "run")
    )
    pd.testing.assert_frame_equal(found, trained)


def check_nothing_written(result: Result) -> None:
    """Check that there is no evaluation."""
    assert not evaluations(result)


def trained_at_a_constant_rate(path: Path) -> None:
    """Train the run `run` without a schedule."""
    train_run(path, "scheduler=none", "quiet=false").rename(path / "run")


def refused(name: str, command: str, *says: str, thorough: bool = False) -> Attack:
    """Return an attack on a finished run that is refused in one line."""
    checks = (check_nothing_written,)
    return Attack(name, command, 2, says, prepare=finished, checks=checks, thorough=thorough)


def scored(name: str, command: str, *says: str, thorough: bool = False) -> Attack:
    """Return a change of the file after which the very test rows are found."""
    checks = (check_same_score,)
    return Attack(name, command, 0, says, prepare=finished, checks=checks, thorough=thorough)


CHANGED = ("digits.csv has changed", "data.csv=FILE")
NEW_ROW = "sed -n 5p digits.csv | sed 's/^[0-9]*,/77,/'"

ATTACKS = (
    refused("line deleted", f"sed -i 9d digits.csv; {EVALUATE}", *CHANGED),
    refused("last line deleted", f"sed -i '$d' digits.csv; {EVALUATE}", *CHANGED, thorough=True),
    refused(
        "rows shuffled",
        f"(head -1 digits.csv; tail -n +2 digits.csv | tac) >x; mv x digits.csv; {EVALUATE}",
        *CHANGED,
        "in another order",
        thorough=True,
    ),
    refused(
        "one pixel changed",
        f"sed -i '9s/,0,/,1,/' digits.csv; {EVALUATE}",
        *CHANGED,
        thorough=True,
    ),
    refused(
        "two labels exchanged",
        f"sed -i -e '2s/^0,/1,/' -e '3s/^1,/0,/' digits.csv; {EVALUATE}",
        *CHANGED,
        thorough=True,
    ),
    refused(
        "run of an earlier version",
        f"rm run/splits.npz; sed -i 9d digits.csv; {EVALUATE}",
        *CHANGED,
        thorough=True,
    ),
    refused("file deleted", f"rm digits.csv; {EVALUATE}", "does not exist", "rows=test"),
    refused(
        "splits of another run",
        f"csvision $TRAIN data.split_seed=7 quiet=true && cp outputs/runs/*/splits.npz run && "
        f"rm -r outputs && {EVALUATE}",
        "splits.npz is damaged",
        thorough=True,
    ),
    refused(
        "reproduce from a changed file",
        "sed -i 9d digits.csv; csvision reproduce run=run",
        *CHANGED,
        thorough=True,
    ),
    Attack(
        "resume with a changed file",
        "sed -i 9d digits.csv; csvision resume run=run",
        2,
        CHANGED,
        prepare=interrupted,
        thorough=True,
    ),
    scored("new class appended", f"{NEW_ROW} >>digits.csv; {EVALUATE}", "has all of its rows"),
    scored(
        "row inserted",
        f'row=$({NEW_ROW}); sed -i "3i $row" digits.csv; {EVALUATE}',
        "has all of its rows",
        thorough=True,
    ),
    scored("moved", f"mv digits.csv x.csv; {EVALUATE} data.csv=x.csv rows=test"),
    scored(
        "compressed",
        f"gzip digits.csv; {EVALUATE} data.csv=digits.csv.gz rows=test",
        thorough=True,
    ),
    scored("unchanged", f"touch digits.csv; {EVALUATE}", thorough=True),
)


@attack_parameters(*ATTACKS)
def test_only_the_test_rows_of_the_run_are_scored(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


LONGER = (
    Attack(
        "constant learning rate",
        "csvision resume run=run epochs=2 && csvision reproduce run=run",
        0,
        ("training 2 epochs instead of 1", "bitwise identical"),
        prepare=trained_at_a_constant_rate,
    ),
    Attack(
        "schedule for one epoch",
        "csvision resume run=run epochs=2",
        2,
        ("scheduler=onecycle", "(1)"),
        prepare=finished,
        keeps_run=True,
    ),
)


@attack_parameters(*LONGER)
def test_run_is_trained_longer_where_its_schedule_allows(
    attack: Attack, attacked_folder: Path
) -> None:
    run_attack(attack, attacked_folder)

"""Predicting what other programs write to standard input, and exporting runs of others."""

from pathlib import Path

import pandas as pd

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack
from tests.attacks.runs import finished
from tests.attacks.test_read_only_runs import ENVIRONMENT, read_only

PREDICT = "csvision predict run=run data.csv=-"
EXPORT = "$ORDINARY csvision export run=run format=state_dict"


def check_rows(result: Result) -> None:
    """Check that all rows were predicted, and that the copy of standard input was deleted."""
    (path,) = (result.folder / "run" / "predictions").iterdir()
    assert len(pd.read_csv(path)) == 60


def check_nothing_is_left(result: Result) -> None:
    """Check that neither predictions nor a copy of standard input remain."""
    assert not (result.folder / "run" / "predictions").exists()


def check_export(result: Result) -> None:
    """Check that the file is outside the run."""
    assert [*(result.folder / "results").glob("*/model.pt")]
    assert not (result.folder / "run" / "exports").exists()


def on_standard_input(name: str, command: str, exit_code: int, *says: str) -> Attack:
    """Return an attack on `predict data.csv=-`."""
    check = check_rows if exit_code == 0 else check_nothing_is_left
    return Attack(
        name, command, exit_code, says, prepare=finished, checks=(check,), thorough=exit_code != 0
    )


def on_read_only_run(name: str, command: str, exit_code: int, *says: str) -> Attack:
    """Return an attack on the export of a run that may only be read."""
    checks = (check_export,) if exit_code == 0 else ()
    return Attack(
        name,
        command,
        exit_code,
        says,
        environment=ENVIRONMENT,
        prepare=read_only,
        checks=checks,
        thorough=True,
    )


ATTACKS = (
    on_standard_input("a pipe", f"gzip -c digits.csv | {PREDICT}", 0, "60 rows"),
    on_standard_input("nothing", f"{PREDICT} < /dev/null", 2, "error: stdin: the file is empty"),
    on_standard_input("Ctrl-C", f"sleep 20 | timeout --foreground -s INT 8 {PREDICT}", 124),
    on_standard_input("a request to end", f"sleep 20 | timeout --foreground 8 {PREDICT}", 124),
    on_read_only_run("export elsewhere", f"{EXPORT} output_dir=results", 0, "differ by at most"),
    on_read_only_run("export into the run", EXPORT, 2, "run is not writable", "output_dir"),
)


@attack_parameters(*ATTACKS)
def test_standard_input_and_export(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)

"""Runs that may only be read, such as those in the folder of a colleague."""

import os
from pathlib import Path

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack
from tests.attacks.runs import finished

ORDINARY = "setpriv --bounding-set -dac_override --inh-caps -dac_override"
"""Lets permissions apply to root, who may run the tests."""

ENVIRONMENT = {"ORDINARY": ORDINARY if os.geteuid() == 0 else ""}


def read_only(path: Path) -> None:
    """Train the run `run` and take away the permission to write into it."""
    finished(path)
    for folder in (path / "run", path / "run" / "checkpoints"):
        folder.chmod(0o555)


def check_predictions(result: Result) -> None:
    """Check that there are predictions outside the run, and none in it."""
    tables = [*(result.folder / "results").rglob("*.csv")]
    assert any(len(table.read_text(encoding="utf-8").splitlines()) > 10 for table in tables)
    assert not (result.folder / "run" / "evaluations").exists()
    assert not (result.folder / "run" / "predictions").exists()


EVALUATE = "$ORDINARY csvision evaluate run=run"
INSPECT = "$ORDINARY csvision inspect run=run"
PREDICT = "$ORDINARY csvision predict run=run data.csv=digits.csv"


def attack(name: str, command: str, exit_code: int, *says: str, thorough: bool = False) -> Attack:
    """Return an attack on a run that may only be read."""
    return Attack(
        name,
        command,
        exit_code,
        says,
        environment=ENVIRONMENT,
        prepare=read_only,
        checks=(check_predictions,) if exit_code == 0 else (),
        thorough=thorough,
    )


ATTACKS = (
    attack("evaluate", f"{EVALUATE} output_dir=results", 0, "test/acc"),
    attack("predict", f"{PREDICT} output_dir=results", 0, "60 rows", thorough=True),
    attack("evaluate into the run", EVALUATE, 2, "run is not writable", "output_dir"),
    attack("predict into the run", PREDICT, 2, "run is not writable", "output_dir", thorough=True),
    attack("inspect into the run", f"{INSPECT} quiet=true", 2, "run is not writable", "output_dir"),
    attack("results in a file", f"{EVALUATE} output_dir=digits.csv", 2, "output_dir=digits.csv"),
    attack("resume", "$ORDINARY csvision resume run=run epochs=2", 2, "run", thorough=True),
    attack("reproduce", "$ORDINARY csvision reproduce run=run", 2, "run is not writable"),
)


def check_page(result: Result) -> None:
    """Check that the page is outside the run, and nothing in it."""
    assert (result.folder / "results" / "index.html").is_file()
    assert not (result.folder / "run" / "inspection").exists()


INSPECT_ELSEWHERE = Attack(
    "inspect",
    f"{INSPECT} output_dir=results",
    0,
    ("results/index.html",),
    environment=ENVIRONMENT,
    prepare=read_only,
    checks=(check_page,),
    thorough=True,
)


@attack_parameters(*ATTACKS, INSPECT_ELSEWHERE)
def test_results_are_written_elsewhere(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)

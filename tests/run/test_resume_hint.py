"""The command that is printed after an interruption resumes what was interrupted."""

import json
import shlex
import signal
from pathlib import Path

import pytest

from csvision.cli.sweep_session import SESSION, sweep_session
from csvision.errors import RunError
from csvision.run.code_paths import CodePaths
from csvision.run.recorded_code import recorded_code
from csvision.run.sweep_jobs import read_sweep
from tests.cli.conftest import Output, RunCommand
from tests.cli.conftest import csvision_command as csvision_command
from tests.conftest import SMALL_TRAINING
from tests.run.interrupt import signaling_model
from tests.run.test_custom_parts import CODE

PARTS = ("loss.path=parts.py:Focal", "metric.path=parts.py:TopTwo", "transform.path=parts.py:Crop")

ALL = ["model.path=net.py:Net", *PARTS]


@pytest.fixture
def overrides(digits_csv: Path) -> tuple[str, ...]:
    """Return the overrides of runs with code for each part that a signal interrupts once."""
    # The network expects 8x8 pixels.
    Path("parts.py").write_text(CODE.replace("images = images[:, :, m:-m, m:-m]", ""), "utf-8")
    return (*SMALL_TRAINING, *signaling_model(5, signal.SIGINT), *PARTS)


def hint(output: Output, subject: str = "") -> list[str]:
    """Return the words after `csvision` of the only command that an interrupted command prints."""
    assert (output.code, output.err) == (130, "")
    lines = [line for line in output.out.splitlines() if "csvision resume" in line]
    (command,) = [line.partition(f"interrupted; to resume{subject}: ")[2] for line in lines]
    return shlex.split(command)[1:]


@pytest.mark.slow
def test_hint_of_a_run_names_its_code(
    overrides: tuple[str, ...], csvision_command: RunCommand
) -> None:
    words = hint(csvision_command("train", *overrides))
    (run,) = Path("outputs/runs").iterdir()
    assert words == ["resume", f"run={run}", *ALL]
    assert csvision_command(*words).code == 0
    assert (run / "metrics.json").is_file()


@pytest.mark.slow
def test_hints_of_a_sweep_and_of_one_of_its_jobs_name_their_code(
    overrides: tuple[str, ...], csvision_command: RunCommand
) -> None:
    of_sweep = hint(csvision_command("train", "-m", *overrides, "seed=0,1"), " the sweep")
    (sweep,) = Path("outputs/sweeps").iterdir()
    assert of_sweep == ["resume", f"run={sweep}", *ALL]
    Path("signaled").unlink()
    of_job = hint(csvision_command("resume", f"run={sweep}/0_seed=0", *ALL))
    assert of_job == ["resume", f"run={sweep}/0_seed=0", *ALL]
    Path("signaled").unlink()
    assert hint(csvision_command(*of_sweep), " the sweep") == of_sweep
    assert csvision_command(*of_job).code == 0
    assert csvision_command(*of_sweep).code == 0
    assert len([*sweep.glob("*/metrics.json")]) == 2


@pytest.mark.slow
def test_hint_of_a_search_names_its_code(
    overrides: tuple[str, ...], csvision_command: RunCommand
) -> None:
    search = ("search=optuna", "search.n_trials=2", "optimizer.lr=interval(0.01,0.1)", "epochs=2")
    words = hint(csvision_command("train", "-m", *overrides, *search), " the sweep")
    (folder,) = Path("outputs/sweeps").iterdir()
    assert words == ["resume", f"run={folder}", *ALL]
    assert csvision_command(*words).code == 0
    assert len([*folder.glob("*/metrics.json")]) == 2
    # A folder that is chosen again tells how to resume what it contains.
    used = csvision_command("train", "-m", *overrides, *search, f"hydra.sweep.dir={folder}").error
    assert " ".join(words) in used


def write_record(folder: Path, *configs: dict[str, object]) -> None:
    """Write what `recorded_code` reads of a sweep that was started in /start."""
    folder.mkdir()
    content = {"command": {"cwd": "/start"}, "jobs": [{"config": each} for each in configs]}
    (folder / "sweep.json").write_text(json.dumps(content), encoding="utf-8")


def test_recorded_code_is_that_of_all_jobs() -> None:
    folder = Path("sweep")
    write_record(
        folder,
        {"model": {"path": None}, "loss": {"path": "my.py:Loss"}},
        {"model": {"path": "/nets/net.py:Net"}, "loss": {"path": None}},
    )
    assert recorded_code(folder) == CodePaths("/nets/net.py:Net", "/start/my.py:Loss")
    with sweep_session(), pytest.raises(RunError, match=r"loss\.path=/start/my\.py:Loss"):
        SESSION.start(folder, [], "basic")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"command": 3}', '{"jobs": [3]}', "\x00"])
def test_damaged_record_has_no_code(text: str) -> None:
    Path("sweep").mkdir()
    Path("sweep", "sweep.json").write_text(text, encoding="utf-8")
    assert recorded_code(Path("sweep")) == CodePaths()


@pytest.mark.slow
def test_sweep_over_code_is_not_resumed_with_the_code_of_one_job(
    overrides: tuple[str, ...], csvision_command: RunCommand
) -> None:
    text = Path("parts.py").read_text(encoding="utf-8")
    Path("other.py").write_text(text, encoding="utf-8")
    losses = "loss.path=parts.py:Focal,other.py:Focal"
    output = csvision_command("train", "-m", *overrides, losses)
    assert output.code == 130
    (sweep,) = Path("outputs/sweeps").iterdir()
    with pytest.raises(RunError, match=r"different custom loss classes, but loss\.path names one"):
        read_sweep(sweep.absolute(), "net.py:Net", CodePaths("net.py:Net", "parts.py:Focal"))

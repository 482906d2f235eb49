"""The journal of a search: killed processes and damaged files."""

from pathlib import Path

import optuna
import pytest

from csvision.errors import RunError
from csvision.search.storage import JOURNAL, open_storage


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Write the journal of a study with one finished trial."""
    study = optuna.create_study(study_name="search", storage=open_storage(tmp_path))
    study.tell(study.ask({"x": optuna.distributions.FloatDistribution(0, 1)}), 0.5)
    return tmp_path / JOURNAL


def read_values(folder: Path) -> list[float | None]:
    """Return the values of all trials."""
    study = optuna.load_study(study_name="search", storage=open_storage(folder))
    return [trial.value for trial in study.trials]


def test_line_of_a_killed_process_is_removed(journal: Path) -> None:
    complete = journal.read_bytes()
    journal.write_bytes(complete + b'{"op_code": 4, "work')
    assert read_values(journal.parent) == [0.5]
    assert journal.read_bytes() == complete


@pytest.mark.parametrize(
    "line",
    ["no JSON", "3", "[]", "{}", '{"op_code": 99}', '{"op_code": 4, "study_id": 0}', "\x00\xff"],
)
def test_damaged_journal_is_reported_in_one_line(journal: Path, line: str) -> None:
    lines = journal.read_text(encoding="utf-8").splitlines()
    journal.write_text("\n".join([line, *lines]) + "\n", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        read_values(journal.parent)
    (error,) = caught.value.messages
    assert error.startswith(f"{journal} is damaged: ")
    assert "\n" not in error


def test_journal_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).mkdir()
    with pytest.raises(RunError, match="cannot be used: Is a directory"):
        open_storage(tmp_path)

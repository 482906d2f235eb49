"""Which claims there are and how they are asked for."""

import re
from pathlib import Path

import pytest

from csvision.claims import catalogue
from csvision.claims.rules import Difference, Ratio
from csvision.errors import ConfigError

ALL = [f"A{number}" for number in range(1, 13)] + [f"B{number}" for number in range(1, 16)]


def test_every_claim_of_the_notes_has_its_file() -> None:
    assert list(catalogue.files()) == ALL


@pytest.mark.parametrize("name", ALL)
def test_a_claim_says_what_it_states_why_how_and_by_which_rule(name: str) -> None:
    claim = catalogue.load(name)
    assert claim.id == name
    for text in (claim.title, claim.why, claim.method, *(entry.text for entry in claim.statements)):
        assert len(text) > 10
        assert text == text.strip()
    pattern = rf"{name}[a-z]?"
    assert all(re.fullmatch(pattern, entry.id) for entry in claim.statements)
    assert len({entry.id for entry in claim.statements}) == len(claim.statements)
    for entry in claim.statements:
        if isinstance(entry.rule, Difference | Ratio):
            assert entry.rule.least >= 8


def test_none_asked_for_means_all() -> None:
    assert catalogue.choose([]) == ALL


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (["B12", "A3"], ["A3", "B12"]),
        (["a3", "A3", "A3b"], ["A3"]),
        (["b12a", " B2"], ["B2", "B12"]),
        ("b3", ["B3"]),
    ],
)
def test_claims_come_once_in_the_order_of_the_notes(
    asked: str | list[str], chosen: list[str]
) -> None:
    assert catalogue.choose(asked) == chosen


@pytest.mark.parametrize("name", ["A13", "B0", "C1", "", "A", "3", "A3bb", "../x"])
def test_a_claim_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        catalogue.choose(["A3", name])
    (fault,) = refused.value.faults
    assert fault == f"claim={name}: there is none; choose from A1 to A12 and B1 to B15"


def test_a_claim_that_is_added_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a02_two.py", "b01_one.py", "a10_ten.py", "notes.py", "__init__.py"):
        (tmp_path / name).touch()
    monkeypatch.setattr(catalogue, "NOTES", tmp_path)
    assert catalogue.files() == {"A2": "a02_two", "A10": "a10_ten", "B1": "b01_one"}

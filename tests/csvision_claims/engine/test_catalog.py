"""The catalog of claims, and how claims are selected."""

import re
from pathlib import Path

import pytest

from csvision import ConfigError
from csvision_claims.engine import catalog
from csvision_claims.engine.rules import Difference, Ratio

ALL = [f"A{number}" for number in range(1, 13)] + [f"B{number}" for number in range(1, 16)]


def test_every_claim_has_its_file() -> None:
    assert list(catalog.find_claims()) == ALL


@pytest.mark.parametrize("name", ALL)
def test_claim_has_statements_reason_method_and_rules(name: str) -> None:
    claim = catalog.load_claim(name)
    assert claim.id == name
    assert claim.version >= 1
    for text in (claim.title, claim.why, claim.method, *(entry.text for entry in claim.statements)):
        assert len(text) > 10
        assert text == text.strip()
    pattern = rf"{name}[a-z]?"
    assert all(re.fullmatch(pattern, entry.id) for entry in claim.statements)
    assert len({entry.id for entry in claim.statements}) == len(claim.statements)
    for entry in claim.statements:
        if isinstance(entry.rule, Difference | Ratio):
            assert entry.rule.min_pairs >= 8


def test_statements_are_complete_sentences_and_unique() -> None:
    texts = [entry.text for name in ALL for entry in catalog.load_claim(name).statements]
    assert len(set(texts)) == len(texts)
    # A statement that starts with one of these refers to the statement before it.
    references = ("...", "So ", "That ", "This ", "These ", "It ", "They ", "and ")
    assert [text for text in texts if text.startswith(references)] == []


def test_empty_selection_means_all_claims() -> None:
    assert catalog.select_claims([]) == ALL


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        (["B12", "A3"], ["A3", "B12"]),
        (["a3", "A3", "A3b"], ["A3"]),
        (["b12a", " B2"], ["B2", "B12"]),
        ("b3", ["B3"]),
    ],
)
def test_selected_claims_are_unique_and_in_order(
    names: str | list[str], selected: list[str]
) -> None:
    assert catalog.select_claims(names) == selected


@pytest.mark.parametrize("name", ["A13", "B0", "C1", "", "A", "3", "A3bb", "../x"])
def test_unknown_claim_lists_valid_claims(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        catalog.select_claims(["A3", name])
    (message,) = caught.value.messages
    assert message.startswith(f"claim={name}: ")
    assert "A1 to A12 and B1 to B15" in message


def test_new_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a02_two.py", "b01_one.py", "a10_ten.py", "notes.py", "__init__.py"):
        (tmp_path / name).touch()
    monkeypatch.setattr(catalog, "COURSE_NOTES", tmp_path)
    assert catalog.find_claims() == {"A2": "a02_two", "A10": "a10_ten", "B1": "b01_one"}

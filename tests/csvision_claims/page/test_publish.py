"""Decided claims are written to a results folder and to docs/ of the project."""

from dataclasses import replace
from pathlib import Path

import pytest

from csvision.errors import RunError
from csvision_claims.engine.record import ClaimRecord, read_records
from csvision_claims.page.markdown import BEGIN, END, summary_table
from csvision_claims.page.page import render_page
from csvision_claims.page.publish import publish, upsert, write_page
from tests.csvision_claims.page.samples import RECORDS

READABLE = RECORDS[:2]
"""Records without words that JSON does not know."""

ORDER = ["A1", "A2", "B1", "B2"]


def record(name: str, finding: str = "Something.") -> ClaimRecord:
    return replace(RECORDS[0], id=name, finding=finding)


def test_records_are_in_the_order_of_the_notes_and_the_newest_replaces(tmp_path: Path) -> None:
    for entry in (record("B1"), record("A2"), record("B1", "Something new.")):
        upsert(entry, tmp_path / "full", ORDER)
    found = read_records(tmp_path / "full" / "claims.json")
    assert [(entry.id, entry.finding) for entry in found] == [
        ("A2", "Something."),
        ("B1", "Something new."),
    ]


@pytest.mark.slow
def test_page_is_rendered_from_the_records(tmp_path: Path) -> None:
    upsert(record("B1"), tmp_path, ORDER)
    path = write_page(tmp_path)
    assert path == tmp_path / "claims.html"
    assert path.read_text() == render_page(read_records(tmp_path / "claims.json"))


@pytest.mark.slow
def test_publish_writes_records_page_and_table_into_docs(tmp_path: Path) -> None:
    document = tmp_path / "docs" / "claims.md"
    document.parent.mkdir()
    document.write_text(f"before\n{BEGIN}\nthe table before\n{END}\nafter\n")
    page = publish(READABLE, tmp_path)
    assert page == tmp_path / "docs" / "claims.html"
    assert page.read_text() == render_page(READABLE)
    assert read_records(tmp_path / "docs" / "claims.json")
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert summary_table(READABLE) in text
    assert "the table before" not in text


@pytest.mark.parametrize("text", [None, "no markers", f"{END} {BEGIN}"])
def test_folder_without_a_place_for_the_table_is_unchanged(
    text: str | None, tmp_path: Path
) -> None:
    document = tmp_path / "docs" / "claims.md"
    document.parent.mkdir()
    if text is not None:
        document.write_text(text)
    before = {path: path.read_text() for path in document.parent.iterdir()}
    with pytest.raises(RunError, match=r"publish=true: .*claims\.md: .*project folder"):
        publish(READABLE, tmp_path)
    assert {path: path.read_text() for path in document.parent.iterdir()} == before

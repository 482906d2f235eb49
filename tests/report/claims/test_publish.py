"""Where decided claims go: a folder of records with its page, and the project itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from csvision.claims.record import ClaimRecord, read_records
from csvision.errors import RunError
from csvision.report.claims.markdown import BEGIN, END, summary_table
from csvision.report.claims.page import render_page
from csvision.report.claims.publish import keep, record_in_project, write_page
from tests.report.claims.samples import RECORDS

READABLE = RECORDS[:2]
"""Records without words that JSON does not know."""

ORDER = ["A1", "A2", "B1", "B2"]


def record(name: str, finding: str = "Something.") -> ClaimRecord:
    return replace(RECORDS[0], id=name, finding=finding)


def test_records_stand_in_the_order_of_the_notes_and_the_newest_counts(tmp_path: Path) -> None:
    for entry in (record("B1"), record("A2"), record("B1", "Something new.")):
        keep(entry, tmp_path / "full", ORDER)
    found = read_records(tmp_path / "full" / "claims.json")
    assert [(entry.id, entry.finding) for entry in found] == [
        ("A2", "Something."),
        ("B1", "Something new."),
    ]


def test_the_page_is_made_of_the_records(tmp_path: Path) -> None:
    keep(record("B1"), tmp_path, ORDER)
    path = write_page(tmp_path)
    assert path == tmp_path / "claims.html"
    assert path.read_text() == render_page(read_records(tmp_path / "claims.json"))


def test_the_project_gets_records_page_and_table(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"before\n{BEGIN}\nthe table before\n{END}\nafter\n")
    page = record_in_project(READABLE, tmp_path)
    assert page == tmp_path / "docs" / "claims.html"
    assert page.read_text() == render_page(READABLE)
    assert read_records(tmp_path / "docs" / "claims.json")
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert summary_table(READABLE) in text
    assert "the table before" not in text


@pytest.mark.parametrize("readme", [None, "no markers", f"{END} {BEGIN}"])
def test_what_is_no_project_is_left_as_it_is(readme: str | None, tmp_path: Path) -> None:
    if readme is not None:
        (tmp_path / "README.md").write_text(readme)
    before = {path: path.read_text() for path in tmp_path.iterdir()}
    with pytest.raises(RunError, match=r"record=true: .*README.md.*; run it in the project"):
        record_in_project(READABLE, tmp_path)
    assert {path: path.read_text() for path in tmp_path.iterdir()} == before

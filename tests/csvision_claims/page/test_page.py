"""The page as HTML text: contents, escaping, and rejected records."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import escape
from html.parser import HTMLParser

import pytest

from csvision_claims.engine.rules import Verdict
from csvision_claims.page.page import render_page
from csvision_claims.page.rows import MAX_CASES, case_rows, rank, summary_rows
from tests.csvision_claims.page.samples import AGREEING, AWKWARD, EXACT, LONG, RECORDS, WRONG, claim


class Reader(HTMLParser):
    """Collects the elements of a page in order, with their attributes, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements with a tag."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(RECORDS)


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.mark.slow
def test_page_is_deterministic(page: str) -> None:
    assert render_page(RECORDS) == page


@pytest.mark.slow
def test_text_of_a_record_is_escaped(page: str, read: Reader) -> None:
    assert AWKWARD not in page
    assert str(escape(AWKWARD).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")) in page
    assert AWKWARD in read.text
    assert LONG in read.text
    assert len(read.all("script")) == 1


def test_content_security_policy_allows_only_the_script_of_the_page(page: str) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.S)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy


def test_page_loads_no_other_files(read: Reader) -> None:
    addresses = [
        value or ""
        for _, attributes in read.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action")
    ]
    assert len(addresses) > 20
    assert [a for a in addresses if not a.startswith(("#", "data:"))] == []
    assert read.all("link") == [{"rel": "icon", "href": "data:,"}]


def test_ids_are_unique_and_links_have_targets(read: Reader) -> None:
    ids = [a["id"] for _, a in read.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] or "" for a in read.all("a")]
    assert {link[1:] for link in links} <= set(ids)
    for entry in (entry for record in RECORDS for entry in record.statements):
        assert f"#{entry.id}" in links


def test_claim_and_its_only_statement_share_one_id() -> None:
    reader = Reader()
    reader.feed(render_page([claim("A5", [replace(EXACT, id="A5")])]))
    assert [a["id"] for _, a in reader.elements if a.get("id") == "A5"] == ["A5"]
    assert {"href": "#A5"} in reader.all("a")


def test_each_statement_has_a_row_and_each_claim_a_section(page: str, read: Reader) -> None:
    (body,) = re.findall(r'<tbody role="rowgroup">(.*?)</tbody>', page, re.S)
    assert body.count("<tr") == 10
    assert [a["id"] for a in read.all("section") if a.get("class") == "claim"] == [
        record.id for record in RECORDS
    ]
    assert len(read.all("article")) == 10


def test_each_picture_has_a_text_alternative(read: Reader) -> None:
    pictures = read.all("svg")
    labels = [a["aria-label"] for a in pictures]
    charts = [chart for record in RECORDS for chart in record.charts]
    interval_plots = 3 + 1 + 1
    assert len(pictures) == len(charts) + interval_plots == len(read.all("figure"))
    assert {a["role"] for a in pictures} == {"img"}
    assert {chart.alt for chart in charts} <= set(labels)
    assert all(labels)
    assert len(read.all("figcaption")) == len(charts)


def test_verdicts_are_counted(page: str) -> None:
    for verdict, count in zip(Verdict, (3, 2, 4, 1), strict=True):
        assert f'<li class="{verdict.name}"><b>{count}</b>' in page


def test_page_names_commands_date_machine_versions_and_rules(read: Reader) -> None:
    text = " ".join(read.text.split())
    for fact in (
        "csvision claims 'claim=[A1,B1,B2,B3]'",
        "2026-01-02, in 6 min of one processor",
        "Linux-6.1, 2 processors, AVX2",
        "python 3.11.7, torch 2.13.0",
    ):
        assert fact in text
    for record in RECORDS:
        assert record.command in text
        assert all(" ".join(line.split()) in text for line in record.arms.values())
        assert all(entry.rule in text for entry in record.statements)


@pytest.mark.slow
def test_empty_parts_of_a_record_are_omitted() -> None:
    bare = render_page([claim("A1", [], table=[], arms={})])
    for element in ("<figure", "<details", 'class="results"', "<article", 'class="scroll"'):
        assert element not in bare
        assert element in render_page(RECORDS)


def test_quick_profile_and_no_claims_are_rejected() -> None:
    with pytest.raises(ValueError, match="profile=quick"):
        render_page([replace(RECORDS[0], profile="quick")])
    with pytest.raises(ValueError, match="no claims"):
        render_page([])


@pytest.mark.slow
def test_disagreeing_cases_are_listed_first() -> None:
    assert [case.name for case in case_rows(WRONG.evidence)][:3] == [
        "28x28, p=1",
        "near",
        "3x3, p=0",
    ]
    assert [case.equal for case in case_rows(WRONG.evidence)] == [False] * 2 + [True] * 3
    near = case_rows(WRONG.evidence)[1]
    assert (near.claimed, near.measured) == ("0.1", "0.100000001")
    assert len(case_rows(AGREEING)) == MAX_CASES
    assert f"and {len(AGREEING) - MAX_CASES} more cases" in render_page(RECORDS)


def test_equal_keys_share_a_rank() -> None:
    assert rank(["b", "a", "b", "c"]) == [1, 0, 1, 2]
    rows = summary_rows(RECORDS)
    assert [row.ranks["id"] for row in rows] == list(range(10))
    assert [row.ranks["verdict"] for row in rows][:4] == [0, 1, 0, 1]

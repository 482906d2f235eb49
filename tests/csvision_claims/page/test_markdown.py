"""The generated part of docs/claims.md: its facts, rows and escapes, between two markers."""

from dataclasses import replace

import pytest

from csvision_claims.page.markdown import escape_markdown, replace_table, summary_table
from tests.csvision_claims.page.samples import RECORDS

TEXT = "before\n\n<!-- claims -->\nold\n<!-- /claims -->\n\nafter\n"


def table_rows(text: str) -> list[str]:
    """Return the lines of the table, without its two header lines."""
    header, rule, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert (header, rule) == ("| | statement | verdict | effect |", "|---|---|---|---|")
    return rows


def test_each_statement_has_a_row() -> None:
    text = summary_table(RECORDS)
    assert text.splitlines()[0].startswith(
        "4 claims of the notes, 10 statements: 3 hold, 2 are refuted, 4 are undecided, 1 is not "
        "decided here."
    )
    rows = table_rows(text)
    assert len(rows) == 10
    assert rows[2] == (
        "| B1a | A CNN is better by over a point | ✓ holds | 3.20 points [2.92, 3.48], 8 pairs |"
    )


def test_facts_name_commands_machine_and_time() -> None:
    lines = summary_table(RECORDS).splitlines()
    setup, command = (
        lines.index("csvision prepare-fashion-mnist"),
        lines.index("csvision claims 'claim=[A1,B1,B2,B3]'"),
    )
    assert setup < command
    facts = dict(line.removeprefix("- ").split(": ", 1) for line in lines if line[:2] == "- ")
    assert "6 min of one processor's time" in facts["Measured"]
    assert "Linux-6.1, 2 processors, AVX2" in facts["Machine"]


def test_text_of_a_record_is_escaped() -> None:
    assert escape_markdown("a|b *c* _d_ `e` $f$ <g> & [h](i)\n~j~ #k \\l") == (
        r"a\|b \*c\* \_d\_ \`e\` \$f\$ &lt;g\> &amp; [h\](i) \~j\~ \#k \\l"
    )
    # A row has four cells, whatever its text.
    for row in table_rows(summary_table(RECORDS)):
        assert row.replace(r"\|", "").count("|") == 5


def test_table_replaces_the_one_between_the_markers() -> None:
    table = summary_table(RECORDS)
    written = replace_table(TEXT, table)
    assert written == (f"before\n\n<!-- claims -->\n\n{table}\n\n<!-- /claims -->\n\nafter\n")
    assert replace_table(written, table) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- claims -->",
        "<!-- /claims -->",
        "<!-- /claims --> <!-- claims -->",
        TEXT + "<!-- claims -->",
        TEXT + "<!-- /claims -->",
    ],
)
def test_text_without_both_markers_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="<!-- claims --> once"):
        replace_table(text, "new")


def test_quick_profile_is_rejected() -> None:
    with pytest.raises(ValueError, match="profile=quick"):
        summary_table([replace(RECORDS[0], profile="quick")])

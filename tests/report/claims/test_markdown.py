"""README's table: its rows, its escapes, its place between two markers."""

from dataclasses import replace

import pytest

from csvision.report.claims.markdown import literal, replace_table, summary_table
from tests.report.claims.samples import RECORDS

TEXT = "before\n\n<!-- claims -->\nold\n<!-- /claims -->\n\nafter\n"


def test_a_row_a_statement() -> None:
    head, empty, names, rule, *rows = summary_table(RECORDS).splitlines()
    assert head == (
        "4 claims of the notes, 10 statements: 3 hold, 2 are refuted, 4 are undecided, 1 is not "
        "decided here. Measured by `python scripts/claims.py 'claim=[A1,B1,B2,B3]'` on Linux-6.1, "
        "2 processors, AVX2, in 6 min of one processor's time."
    )
    assert (empty, names, rule) == ("", "| | statement | verdict | effect |", "|---|---|---|---|")
    assert len(rows) == 10
    assert rows[2] == (
        "| B1a | A CNN is better by over a point | ✓ holds | 3.20 points [2.92, 3.48], 8 pairs |"
    )


def test_text_of_a_record_is_no_markup() -> None:
    assert literal("a|b *c* _d_ `e` $f$ <g> & [h](i)\n~j~ #k \\l") == (
        r"a\|b \*c\* \_d\_ \`e\` \$f\$ &lt;g\> &amp; [h\](i) \~j\~ \#k \\l"
    )
    # However awkward the text, a row has four cells.
    for row in summary_table(RECORDS).splitlines()[2:]:
        assert row.replace(r"\|", "").count("|") == 5


def test_the_table_takes_its_place() -> None:
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
def test_a_text_without_both_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="<!-- claims --> once"):
        replace_table(text, "new")


def test_what_is_no_evidence_is_refused() -> None:
    with pytest.raises(ValueError, match="profile=quick"):
        summary_table([replace(RECORDS[0], profile="quick")])

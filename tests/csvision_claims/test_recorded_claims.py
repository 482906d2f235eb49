"""The records in docs/ agree with the code, with its rules and arms, and with the page."""

import re
import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from csvision import load_config
from csvision_claims.course_notes import (
    b02_overfitting,
    b03_arrangement,
    b04_edge_filters,
    b05_shrinking,
    b08_receptive_field,
    b09_stride_cost,
    b10_memory,
    b12_invariance,
    b14_max_pooling,
    b15_location,
)
from csvision_claims.engine.arms import Arm, load_arm_config, train_command
from csvision_claims.engine.catalog import find_claims, load_claim
from csvision_claims.engine.charts import Chart, Curves, Panels, Series
from csvision_claims.engine.claim import Claim, Statement
from csvision_claims.engine.jobs import JobCache
from csvision_claims.engine.profile import FULL
from csvision_claims.engine.record import ClaimRecord, read_records, write_records
from csvision_claims.engine.rules import MIN_SEEDS, Difference, Ratio, Verdict
from csvision_claims.engine.run_claims import claim_command
from csvision_claims.engine.runner import Runner
from csvision_claims.engine.training import Metrics, Probe
from csvision_claims.page.markdown import replace_table, summary_table
from csvision_claims.page.page import render_page
from csvision_claims.page.publish import PAGE, RECORDS, TABLE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

DOCS = ROOT / "docs"

ALL = list(find_claims())


@pytest.fixture(scope="module")
def records() -> dict[str, ClaimRecord]:
    return {record.id: record for record in read_records(DOCS / RECORDS)}


def statements() -> list[tuple[str, Statement]]:
    return [(name, entry) for name in ALL for entry in load_claim(name).statements]


def test_all_claims_are_recorded_from_the_full_profile(records: dict[str, ClaimRecord]) -> None:
    assert list(records) == ALL
    assert {record.profile for record in records.values()} == {"full"}
    assert all(len(record.versions) > 5 and record.machine for record in records.values())


def test_page_and_table_are_those_of_the_records(records: dict[str, ClaimRecord]) -> None:
    entries = list(records.values())
    assert render_page(entries) == (DOCS / PAGE).read_text(encoding="utf-8")
    document = (DOCS / TABLE).read_text(encoding="utf-8")
    assert replace_table(document, summary_table(entries)) == document


def test_readme_counts_the_recorded_verdicts(records: dict[str, ClaimRecord]) -> None:
    verdicts = Counter(
        entry.decision.verdict for record in records.values() for entry in record.statements
    )
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    (counts,) = re.findall(r"tests (\d+) .*?: (\d+) hold, (\d+) are refuted, (\d+) are open", text)
    holds, refuted = verdicts[Verdict.holds], verdicts[Verdict.refuted]
    total = verdicts.total()
    assert [int(count) for count in counts] == [total, holds, refuted, total - holds - refuted]


def test_readme_quotes_recorded_numbers(records: dict[str, ClaimRecord]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([AB]\d+)([a-z]) \|.*\| refuted: (.*) \|$", readme, re.MULTILINE)
    assert len(rows) == 5
    table = (DOCS / TABLE).read_text(encoding="utf-8")
    for claim, letter, quoted in rows:
        (row,) = re.findall(rf"^\| {claim}{letter} \|.*\| ✗ refuted \| .*$", table, re.MULTILINE)
        recorded = set(re.findall(r"[\d.,]*\d", row + records[claim].finding))
        assert set(re.findall(r"[\d.,]*\d", quoted)) <= recorded


def test_page_and_table_depend_on_every_record(records: dict[str, ClaimRecord]) -> None:
    others = [record for name, record in records.items() if name != "B3"]
    assert render_page(others) != (DOCS / PAGE).read_text(encoding="utf-8")
    document = (DOCS / TABLE).read_text(encoding="utf-8")
    assert replace_table(document, summary_table(others)) != document


def test_records_are_written_as_they_are_read(
    records: dict[str, ClaimRecord], tmp_path: Path
) -> None:
    write_records(tmp_path / RECORDS, list(records.values()))
    assert (tmp_path / RECORDS).read_bytes() == (DOCS / RECORDS).read_bytes()


@pytest.mark.parametrize("name", ALL)
def test_recorded_texts_are_those_of_the_code(name: str, records: dict[str, ClaimRecord]) -> None:
    claim, record = load_claim(name), records[name]
    assert (record.title, record.why, record.method) == (claim.title, claim.why, claim.method)
    assert record.setup == list(claim.setup)
    assert record.command == claim_command(name, FULL) == f"csvision claims claim={name}"


@pytest.mark.parametrize(
    ("claim", "statement"), statements(), ids=[entry.id for _, entry in statements()]
)
def test_rule_gives_the_recorded_decision(
    claim: str, statement: Statement, records: dict[str, ClaimRecord]
) -> None:
    (entry,) = (entry for entry in records[claim].statements if entry.id == statement.id)
    assert (entry.text, entry.rule) == (statement.text, statement.rule.text)
    assert statement.decide(entry.evidence) == entry.decision
    if entry.decision.verdict is Verdict.not_decided_here:
        return
    if isinstance(statement.rule, Difference | Ratio):
        assert entry.decision.count >= MIN_SEEDS


def evidence(record: ClaimRecord) -> dict[str, Any]:
    return {entry.id: entry.evidence for entry in record.statements}


def series(record: ClaimRecord, chart: int) -> list[Series]:
    curves = record.charts[chart]
    assert isinstance(curves, Curves)
    return curves.series


def logits_difference(record: ClaimRecord) -> float:
    return float(record.finding.removesuffix(".").rpartition(" ")[2])


Describe = Callable[[ClaimRecord], str]

FINDINGS: dict[str, Describe] = {
    "B2": lambda r: b02_overfitting.describe(r.table, evidence(r), len(FULL.seeds)),
    "B3": lambda r: b03_arrangement.describe(r.table, logits_difference(r)),
    "B4": lambda r: b04_edge_filters.describe(evidence(r)["B4a"], *series(r, 1)),
    "B5": lambda r: b05_shrinking.describe(r.table),
    "B8": lambda r: b08_receptive_field.describe(r.table),
    "B9": lambda r: b09_stride_cost.describe(r.table, evidence(r)),
    "B10": lambda r: b10_memory.describe(r.table),
    "B12": lambda r: b12_invariance.describe(r.table),
    "B14": lambda r: b14_max_pooling.describe(r.table),
    "B15": lambda r: b15_location.describe(r.table),
}
"""The findings of measurements that take long, from the recorded numbers."""


@pytest.mark.parametrize("name", FINDINGS)
def test_code_derives_the_recorded_finding(name: str, records: dict[str, ClaimRecord]) -> None:
    record = records[name]
    assert FINDINGS[name](record) == record.finding
    assert "does not reproduce" not in record.finding


Draw = Callable[[ClaimRecord], Chart]


def filter_panels(record: ClaimRecord) -> Panels:
    panels = record.charts[0]
    assert isinstance(panels, Panels)
    return b04_edge_filters.draw_filters(panels.panels, evidence(record)["B4a"])


CHARTS: list[tuple[str, int, Draw]] = [
    ("B2", 0, lambda r: b02_overfitting.draw_curves(series(r, 0), r.table)),
    ("B3", 0, lambda r: b03_arrangement.draw_panels(b03_arrangement.permuted_pictures())),
    ("B4", 0, filter_panels),
    ("B4", 1, lambda r: b04_edge_filters.draw_curves(*series(r, 1))),
    ("B5", 0, lambda r: b05_shrinking.draw_curves(series(r, 0), r.table)),
    ("B8", 0, lambda r: b08_receptive_field.draw_bars(r.table)),
    ("B8", 1, lambda r: b08_receptive_field.draw_examples()),
    ("B9", 0, lambda r: b09_stride_cost.draw_bars(r.table)),
    ("B10", 0, lambda r: b10_memory.draw_curves(series(r, 0), r.table)),
    ("B12", 0, lambda r: b12_invariance.draw_curves(series(r, 0), r.table)),
    ("B14", 0, lambda r: b14_max_pooling.draw_panels()),
    ("B14", 1, lambda r: b14_max_pooling.draw_bars(r.table)),
    ("B15", 0, lambda r: b15_location.draw_bars(r.table)),
    ("B15", 1, lambda r: b15_location.draw_examples()),
]


@pytest.mark.parametrize(
    ("name", "index", "draw"), CHARTS, ids=[f"{name}-{index}" for name, index, _ in CHARTS]
)
def test_code_draws_the_recorded_chart(
    name: str, index: int, draw: Draw, records: dict[str, ClaimRecord]
) -> None:
    assert draw(records[name]) == records[name].charts[index]


def test_every_recorded_arm_composes(records: dict[str, ClaimRecord]) -> None:
    commands = [command for record in records.values() for command in record.arms.values()]
    assert len(commands) > 50
    for command in commands:
        program, name, *overrides = shlex.split(command)
        assert (program, name) == ("csvision", "train")
        load_config("train", overrides)


class RecordedRates(Runner):
    """Uses recorded learning rates, and collects the arms to be trained instead of training."""

    def __init__(self, record: ClaimRecord, folder: Path) -> None:
        super().__init__(FULL, JobCache(folder), 1)
        self.rates = {str(next(iter(row.values()))): row["learning rate"] for row in record.table}
        self.commands: dict[str, str] = {}

    def tune_lr(self, arms: Sequence[Arm], data: Sequence[str] | None = None) -> list[Arm]:
        return [arm.override(f"optimizer.lr={self.rates[arm.name]:g}") for arm in arms]

    def train(
        self,
        arms: Sequence[Arm],
        probe: Probe | None = None,
        data: Sequence[str] | None = None,
    ) -> dict[str, list[Metrics]]:
        for arm in self.with_data(arms, data):
            load_arm_config(arm)
            self.commands[arm.name] = train_command(arm, self.profile.seeds[0])
        return {}


TRAINED = ["B2", "B3", "B4", "B5", "B8", "B12", "B14"]


@pytest.mark.parametrize("name", TRAINED)
def test_code_trains_the_recorded_arms(
    name: str, records: dict[str, ClaimRecord], tmp_path: Path
) -> None:
    claim: Claim = load_claim(name)
    runner = RecordedRates(records[name], tmp_path)
    runner.start(name, claim.version)
    # There are no results to read after the trainings.
    with pytest.raises(KeyError):
        claim.measure(runner)
    assert runner.commands == records[name].arms


def test_only_trained_claims_have_arms(records: dict[str, ClaimRecord]) -> None:
    assert [name for name, record in records.items() if record.arms] == TRAINED


def test_setup_provides_the_files_of_the_arms(records: dict[str, ClaimRecord]) -> None:
    needed: Mapping[str, str] = {
        "data=fmnist": "csvision prepare-fashion-mnist",
        "data.csv=outputs/data/dots.csv": "python -m csvision_claims.measuring.dots",
    }
    for record in records.values():
        words = {word for command in record.arms.values() for word in shlex.split(command)}
        setup = [command for override, command in needed.items() if override in words]
        if record.arms:
            assert record.setup == setup

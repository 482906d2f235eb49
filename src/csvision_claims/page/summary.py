"""Summarize all records: verdicts, machine, versions, date, cost and commands."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from csvision.page.numbers import format_duration
from csvision_claims.engine.catalog import find_claims
from csvision_claims.engine.profile import FULL
from csvision_claims.engine.record import ClaimRecord, StatementRecord
from csvision_claims.engine.rules import Verdict
from csvision_claims.page.text import pluralize


@dataclass(frozen=True)
class Summary:
    """The statements of all records, their verdicts, and how they were measured.

    `setup` are the commands to run before `command` in a new clone.
    """

    claims: int
    statements: list[StatementRecord]
    verdicts: dict[Verdict, int]
    machines: list[str]
    versions: list[str]
    dates: str
    cost: str
    setup: list[str]
    command: str

    @property
    def outcome(self) -> str:
        """The number of statements with each verdict, as a sentence."""
        total = pluralize(len(self.statements), "statement")
        forms = {
            Verdict.holds: ("holds", "hold"),
            Verdict.refuted: ("is refuted", "are refuted"),
            Verdict.undecided: ("is undecided", "are undecided"),
            Verdict.not_decided_here: ("is not decided here", "are not decided here"),
        }
        counts = {verdict: self.verdicts[verdict] for verdict in forms}
        shown = [pluralize(count, *forms[name]) for name, count in counts.items() if count]
        claims = pluralize(self.claims, "claim")
        return f"{claims} of the notes, {total}: {', '.join(shown)}."


def summarize(records: Sequence[ClaimRecord]) -> Summary:
    """Return the summary of all records.

    Raises ValueError if there are none, or if one was not measured with the full profile.
    """
    if not records:
        raise ValueError("no claims are recorded")
    for record in records:
        if record.profile != FULL.name:
            raise ValueError(
                f"{record.id} was measured with profile={record.profile}, which is not published; "
                f"run it with profile={FULL.name}"
            )
    statements = [statement for record in records for statement in record.statements]
    counter = Counter(statement.decision.verdict for statement in statements)
    days = sorted({record.date[:10] for record in records})
    return Summary(
        claims=len(records),
        statements=statements,
        verdicts={verdict: counter[verdict] for verdict in Verdict},
        machines=list(dict.fromkeys(describe_machine(record) for record in records)),
        versions=list(dict.fromkeys(describe_versions(record) for record in records)),
        dates=days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}",
        cost=format_duration(sum(record.seconds for record in records)),
        setup=list(dict.fromkeys(line for record in records for line in record.setup)),
        command=claims_command([record.id for record in records]),
    )


def claims_command(claims: list[str]) -> str:
    """Return the command that decides these claims."""
    selected = "" if claims == list(find_claims()) else f" 'claim=[{','.join(claims)}]'"
    return f"csvision claims{selected}"


def describe_machine(record: ClaimRecord) -> str:
    """Return the machine of a record on one line."""
    machine = dict(record.machine)
    platform, processors = machine.pop("platform", ""), machine.pop("processors", None)
    parts = [platform] if platform else []
    if processors:
        parts.append(pluralize(processors, "processor"))
    return ", ".join([*parts, *(str(value) for value in machine.values())])


def describe_versions(record: ClaimRecord) -> str:
    """Return the package versions of a record on one line."""
    return ", ".join(f"{name} {version}" for name, version in record.versions.items())

"""What all records say together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from csvision.claims import catalogue
from csvision.claims.profile import FULL
from csvision.claims.record import ClaimRecord, StatementRecord
from csvision.claims.rules import Verdict
from csvision.report.claims.numbers import duration
from csvision.report.claims.wording import counted


@dataclass(frozen=True)
class Summary:
    """How many statements came out how, and on what, when and at what cost it was measured."""

    claims: int
    statements: list[StatementRecord]
    verdicts: dict[Verdict, int]
    machines: list[str]
    versions: list[str]
    dates: str
    cost: str
    command: str

    @property
    def outcome(self) -> str:
        """The counts as a sentence."""
        total = counted(len(self.statements), "statement")
        parts = [
            counted(self.verdicts[Verdict.holds], "holds", "hold"),
            counted(self.verdicts[Verdict.refuted], "is refuted", "are refuted"),
            counted(self.verdicts[Verdict.undecided], "is undecided", "are undecided"),
            counted(self.verdicts[Verdict.not_decided_here], "is not", "are not") + " decided here",
        ]
        shown = [part for part in parts if not part.startswith("0 ")]
        claims = counted(self.claims, "claim")
        return f"{claims} of the notes, {total}: {', '.join(shown)}."


def summarize(records: Sequence[ClaimRecord]) -> Summary:
    """Raises ValueError without a record, and for one that is no evidence."""
    if not records:
        raise ValueError("there is no record of a claim")
    for record in records:
        if record.profile != FULL.name:
            raise ValueError(
                f"{record.id} was measured with profile={record.profile}, which is no evidence"
            )
    statements = [statement for record in records for statement in record.statements]
    counter = Counter(statement.decision.verdict for statement in statements)
    days = sorted({record.date[:10] for record in records})
    return Summary(
        claims=len(records),
        statements=statements,
        verdicts={verdict: counter[verdict] for verdict in Verdict},
        machines=list(dict.fromkeys(machine_text(record) for record in records)),
        versions=list(dict.fromkeys(versions_text(record) for record in records)),
        dates=days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}",
        cost=duration(sum(record.seconds for record in records)),
        command=command_for([record.id for record in records]),
    )


def command_for(claims: list[str]) -> str:
    """The command that decides these claims."""
    chosen = "" if claims == list(catalogue.files()) else f" 'claim=[{','.join(claims)}]'"
    return f"python scripts/claims.py{chosen}"


def machine_text(record: ClaimRecord) -> str:
    """The machine of a record in a line."""
    named = dict(record.machine)
    platform, processors = named.pop("platform", ""), named.pop("processors", None)
    parts = [platform] if platform else []
    if processors:
        parts.append(counted(processors, "processor"))
    return ", ".join([*parts, *(str(value) for value in named.values())])


def versions_text(record: ClaimRecord) -> str:
    """The versions of a record in a line."""
    return ", ".join(f"{name} {version}" for name, version in record.versions.items())

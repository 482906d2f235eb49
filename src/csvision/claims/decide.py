"""Decide claims: measure each, let its rules speak, keep the record."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from csvision.claims.arms import command
from csvision.claims.bench import Bench
from csvision.claims.claim import Claim, Measurement
from csvision.claims.jobs import Store
from csvision.claims.profile import Profile
from csvision.claims.progress import Progress
from csvision.claims.record import ClaimRecord, statement_record
from csvision.run.provenance import machine, versions


def decided(
    claims: Sequence[Claim], profile: Profile, folder: Path, processes: int
) -> Iterator[ClaimRecord]:
    """The records of claims, each as soon as it is decided; `folder` keeps finished jobs."""
    minutes = {claim.id: profile.time * claim.minutes for claim in claims}
    progress = Progress(minutes, processes)
    bench = Bench(profile, Store(folder), processes, progress)
    for claim in claims:
        progress.begin(claim.id)
        bench.reset()
        record = record_of_claim(claim, claim.measure(bench), bench)
        progress.end({entry.id: entry.decision for entry in record.statements})
        yield record


def record_of_claim(claim: Claim, found: Measurement, bench: Bench) -> ClaimRecord:
    """The record of a claim; every statement needs evidence, if only None."""
    assert {statement.id for statement in claim.statements} == found.evidence.keys()
    seeds = bench.profile.seeds
    return ClaimRecord(
        id=claim.id,
        title=claim.title,
        why=claim.why,
        method=claim.method,
        statements=[
            statement_record(statement, found.evidence[statement.id])
            for statement in claim.statements
        ],
        finding=found.finding,
        table=[dict(row) for row in found.table],
        charts=list(found.charts),
        arms={arm.name: command(arm, seeds[0]) for arm in found.arms},
        command=f"python scripts/claims.py 'claim=[{claim.id}]'{bench.profile.words}",
        profile=bench.profile.name,
        seconds=bench.seconds,
        date=bench.date,
        machine=machine(),
        versions=versions(),
    )

"""Run claims: measure each, decide its statements, return the record."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from csvision import machine_info, package_versions
from csvision_claims.engine.arms import train_command
from csvision_claims.engine.claim import Claim, Measurement
from csvision_claims.engine.jobs import JobCache
from csvision_claims.engine.log import log
from csvision_claims.engine.profile import Profile
from csvision_claims.engine.record import ClaimRecord, make_statement_record
from csvision_claims.engine.runner import Runner


def run_claims(
    claims: Sequence[Claim], profile: Profile, folder: Path, num_workers: int
) -> Iterator[ClaimRecord]:
    """Yield the record of each claim when it is decided; `folder` caches finished jobs."""
    runner = Runner(profile, JobCache(folder), num_workers)
    for index, claim in enumerate(claims):
        start = time.perf_counter()
        runner.start(claim.id, claim.version)
        record = make_record(claim, claim.measure(runner), runner)
        verdicts = [f"{entry.id} {entry.decision.verdict}" for entry in record.statements]
        log.info(
            "%s  (%.0f s, claim %d of %d)",
            ", ".join(verdicts),
            time.perf_counter() - start,
            index + 1,
            len(claims),
        )
        yield record


def make_record(claim: Claim, measurement: Measurement, runner: Runner) -> ClaimRecord:
    """Return the record of a claim; evidence must have an entry for every statement."""
    assert {statement.id for statement in claim.statements} == measurement.evidence.keys()
    return ClaimRecord(
        id=claim.id,
        title=claim.title,
        why=claim.why,
        method=claim.method,
        statements=[
            make_statement_record(statement, measurement.evidence[statement.id])
            for statement in claim.statements
        ],
        finding=measurement.finding,
        table=[dict(row) for row in measurement.table],
        charts=list(measurement.charts),
        arms={arm.name: train_command(arm, runner.profile.seeds[0]) for arm in measurement.arms},
        setup=list(claim.setup) if runner.profile.full else [],
        command=claim_command(claim.id, runner.profile),
        profile=runner.profile.name,
        seconds=runner.seconds,
        date=runner.date,
        machine=machine_info(),
        versions=package_versions(),
    )


def claim_command(claim: str, profile: Profile) -> str:
    """Return the command that decides a claim again."""
    return f"csvision claims claim={claim}{profile.cli_args}"

"""Every claim, measured from end to end in little time."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from csvision_claims.engine.catalog import find_claims, load_claim
from csvision_claims.engine.record import read_records

pytestmark = pytest.mark.slow

MAX_PROCESSOR_SECONDS = 240


def test_quick_profile_runs_all_claims_in_four_processor_minutes(tmp_path: Path) -> None:
    before = processor_seconds()
    command = [sys.executable, "-m", "csvision", "claims", "profile=quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = processor_seconds() - before
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    records = read_records(tmp_path / "outputs" / "claims" / "quick" / "claims.json")
    assert [record.id for record in records] == list(find_claims())
    for record in records:
        claim = load_claim(record.id)
        assert [entry.id for entry in record.statements] == [entry.id for entry in claim.statements]
        assert record.finding.endswith(".")
        assert record.profile == "quick"
    assert seconds < MAX_PROCESSOR_SECONDS


def processor_seconds() -> float:
    """Return the processor time of all processes started so far, which other tests do not slow."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

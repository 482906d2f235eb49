"""Every claim, measured from end to end in little time."""

import subprocess
import sys
import time
from pathlib import Path

from csvision_claims.engine.catalog import find_claims, load_claim
from csvision_claims.engine.record import read_records

MAX_SECONDS = 240


def test_quick_profile_runs_all_claims_in_four_minutes(tmp_path: Path) -> None:
    start = time.monotonic()
    command = [sys.executable, "-m", "csvision", "claims", "profile=quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    records = read_records(tmp_path / "outputs" / "claims" / "quick" / "claims.json")
    assert [record.id for record in records] == list(find_claims())
    for record in records:
        claim = load_claim(record.id)
        assert [entry.id for entry in record.statements] == [entry.id for entry in claim.statements]
        assert record.finding.endswith(".")
        assert record.profile == "quick"
    assert seconds < MAX_SECONDS

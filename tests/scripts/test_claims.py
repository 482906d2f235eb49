"""Every claim of the notes, measured from end to end in little time."""

import subprocess
import sys
import time
from pathlib import Path

from csvision.claims import catalogue
from csvision.claims.record import read_records

ROOT = Path(__file__).parents[2]

MOST_SECONDS = 240


def test_the_quick_profile_takes_all_claims_through_in_four_minutes(tmp_path: Path) -> None:
    start = time.monotonic()
    command = [sys.executable, str(ROOT / "scripts" / "claims.py"), "profile=quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    records = read_records(tmp_path / "outputs" / "claims" / "quick" / "claims.json")
    assert [record.id for record in records] == list(catalogue.files())
    for record in records:
        claim = catalogue.load(record.id)
        assert [entry.id for entry in record.statements] == [entry.id for entry in claim.statements]
        assert record.finding.endswith(".")
        assert record.profile == "quick"
    assert seconds < MOST_SECONDS

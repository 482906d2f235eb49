"""Run a script of scripts/evidence as a user does."""

import subprocess
import sys

from tests.conftest import ROOT


def run_script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a process of its own, whatever its exit code."""
    command = [sys.executable, str(ROOT / "scripts" / "evidence" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

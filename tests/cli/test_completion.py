"""Shell completion in a real bash: commands, groups, choices and keys."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent

COMPLETE = """
eval "$(csvision train --shell-completion install=bash)"
COMP_LINE="$1"; COMP_POINT=${#1}; COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
[[ "$1" == *" " ]] && COMP_CWORD=$((COMP_CWORD + 1))
function=$(complete -p csvision | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$function
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(line: str) -> list[str]:
    """Return what bash offers for a command line."""
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    result = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", line],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("csvision tr", ["train"]),
        ("csvision re", ["reproduce", "resume"]),
        ("csvision train model=", ["model=cnn", "model=custom", "model=mlp"]),
        ("csvision train model=mlp optimizer.l", ["optimizer.lr="]),
        ("csvision train seed=1 schedul", ["scheduler.", "scheduler="]),
        ("csvision evaluate dev", ["device="]),
    ],
)
def test_bash_completes_commands_groups_and_keys(line: str, expected: list[str]) -> None:
    assert sorted(complete(line)) == expected


@pytest.mark.slow
def test_bash_lists_all_commands() -> None:
    assert {"train", "evaluate", "inspect-data", "claims"} <= set(complete("csvision "))

"""Write commands for messages as the user would type them."""

import sys
from pathlib import Path
from shlex import quote


def command_line(command: str, *arguments: str) -> str:
    """Return a command that can be pasted into the shell from which this process was started.

    Started as scripts/COMMAND.py, it is `python scripts/COMMAND.py ...`, else `csvision ...`.
    """
    script = Path(sys.argv[0])
    words = [*map(quote, arguments)]
    if script.parent.name == "scripts" and script.suffix == ".py":
        name = script.with_name(f"{command.replace('-', '_')}.py")
        return " ".join(["python", quote(str(name)), *words])
    return " ".join(["csvision", command, *words])

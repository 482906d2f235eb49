"""Write commands and paths in messages as the user would type them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

SCRIPTS = {"inspect": "inspect_run"}
"""Scripts with another name than their command: inspect.py would hide a module of Python."""


def display_path(path: Path) -> Path:
    """Return a path relative to the current directory if it is inside, else the absolute path."""
    path = path.absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def command_line(command: str, *arguments: str) -> str:
    """Return a command that can be pasted into the shell from which this process was started.

    Started as scripts/COMMAND.py, it is `python scripts/COMMAND.py ...`, else `csvision ...`.
    """
    script = Path(sys.argv[0])
    words = [*map(quote, arguments)]
    if script.parent.name == "scripts" and script.suffix == ".py":
        name = script.with_name(f"{SCRIPTS.get(command, command).replace('-', '_')}.py")
        return " ".join(["python", quote(str(name)), *words])
    return " ".join(["csvision", command, *words])


def resume_command(directory: Path, code: Sequence[str] = ()) -> str:
    """Return the command that resumes a run, a sweep or a search.

    `code` are the KEY=FILE.py:CLASS that name the user's own code again.
    """
    return command_line("resume", f"run={display_path(directory)}", *code)

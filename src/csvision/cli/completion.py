"""Shell completion: Hydra completes groups and keys, this module completes commands.

`csvision train --shell-completion install=bash` prints a script for the shell. On each TAB it calls
`csvision -sc query=bash` with the command line in COMP_LINE.
"""

import os
from collections.abc import Iterable, Sequence

OPTIONS = ("-sc", "--shell-completion")


def is_completion_query(words: Sequence[str]) -> bool:
    """Return whether a shell asks for completions."""
    return len(words) > 1 and words[0] in OPTIONS and words[1].startswith("query=")


def complete_command(commands: Iterable[str], words: Sequence[str]) -> list[str]:
    """Print the commands that complete COMP_LINE, or return the query of the command in it.

    Hydra expects COMP_LINE without the name of the command.
    """
    line = os.environ.get("COMP_LINE", "")
    program, _, rest = line.lstrip().partition(" ")
    name, space, arguments = rest.lstrip().partition(" ")
    names = list(commands)
    if not space or name not in names:
        print(" ".join(command for command in names if command.startswith(name)))
        raise SystemExit(0)
    os.environ["COMP_LINE"] = f"{program} {arguments}"
    return [name, *words]

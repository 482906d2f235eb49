"""Which claims there are; told by the names of their files, so that asking loads none of them."""

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from csvision.errors import ConfigError

if TYPE_CHECKING:
    from csvision.claims.claim import Claim

NOTES = Path(__file__).parent / "notes"


def files() -> dict[str, str]:
    """The module of each claim by its id, in the order of the notes: A1 to A12, B1 to B15."""
    found = {}
    for path in NOTES.glob("[ab][0-9]*_*.py"):
        letter, number = path.name[0].upper(), int(path.name[1:3])
        found[letter, number] = path.stem
    return {f"{letter}{number}": found[letter, number] for letter, number in sorted(found)}


def choose(names: str | Sequence[str]) -> list[str]:
    """The ids that were asked for, one or several, in the order of the notes; all for none.

    A statement's id (A3b) stands for its claim. Raises ConfigError for one that there is not.
    """
    known = list(files())
    chosen = set()
    names = list(names) if isinstance(names, Sequence) and not isinstance(names, str) else [names]
    for name in names:
        claim = re.sub(r"[a-z]$", "", str(name).strip())
        claim = claim[:1].upper() + claim[1:]
        if claim not in known:
            raise ConfigError(
                f"claim={name}: there is none; choose from {known[0]} to "
                f"{[id for id in known if id[0] == 'A'][-1]} and B1 to {known[-1]}"
            )
        chosen.add(claim)
    return [claim for claim in known if claim in chosen or not names]


def load(name: str) -> "Claim":
    """A claim by its id."""
    module = import_module(f"csvision.claims.notes.{files()[name]}")
    claim: Claim = module.CLAIM
    assert claim.id == name
    return claim

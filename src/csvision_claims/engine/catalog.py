"""Find the claims by their file names, so that listing them imports none of them."""

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from csvision import ConfigError

if TYPE_CHECKING:
    from csvision_claims.engine.claim import Claim

COURSE_NOTES = Path(__file__).parents[1] / "course_notes"


def find_claims() -> dict[str, str]:
    """Return the module name of each claim by its id, in the order A1 to A12, B1 to B15."""
    found = {}
    for path in COURSE_NOTES.glob("[ab][0-9]*_*.py"):
        letter, number = path.name[0].upper(), int(path.name[1:3])
        found[letter, number] = path.stem
    return {f"{letter}{number}": found[letter, number] for letter, number in sorted(found)}


def select_claims(names: str | Sequence[str]) -> list[str]:
    """Return the ids of the claims named, each once and in order; all if the list is empty.

    The id of a statement (A3b) selects its claim. Raises ConfigError for an unknown name.
    """
    known = list(find_claims())
    selected = set()
    names = list(names) if isinstance(names, Sequence) and not isinstance(names, str) else [names]
    for name in names:
        claim = re.sub(r"[a-z]$", "", str(name).strip())
        claim = claim[:1].upper() + claim[1:]
        if claim not in known:
            last_a = [id for id in known if id[0] == "A"][-1]
            raise ConfigError(
                f"claim={name}: unknown claim; choose from {known[0]} to {last_a} "
                f"and B1 to {known[-1]}"
            )
        selected.add(claim)
    return [claim for claim in known if claim in selected or not names]


def load_claim(name: str) -> "Claim":
    """Import a claim by its id."""
    module = import_module(f"csvision_claims.course_notes.{find_claims()[name]}")
    claim: Claim = module.CLAIM
    assert claim.id == name
    return claim

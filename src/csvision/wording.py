"""Parts of messages: numbers with nouns, and the names that were probably meant."""

import difflib
from collections.abc import Iterable


def pluralize(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural unless it is 1: 1 row, 1,200 rows."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `did you mean NAME?` with the most similar known name; empty if none is similar."""
    matches = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {matches[0]}?" if matches else ""

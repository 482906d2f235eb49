"""The study of the course notes: each claim as statement, rule, measurement and verdict."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csvision_claims.engine.record import ClaimRecord


def run_claims(*overrides: str) -> "list[ClaimRecord]":
    """Run claims as `csvision claims OVERRIDES` does and return their records.

    Raises ConfigError for an unknown claim, DataError if the official test images are missing,
    and RunError if results cannot be written.
    """
    from csvision_claims.command import run_overrides

    return run_overrides(overrides)


__all__ = ["run_claims"]

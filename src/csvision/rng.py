"""Derive independent random streams from one seed."""

import hashlib


def derive_seed(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed for the stream with these names.

    Each use of random numbers (initial weights, batch order, dropout) has its own stream, so that
    enabling one does not change another.
    """
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

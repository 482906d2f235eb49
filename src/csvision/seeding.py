"""One seed, many independent streams of random numbers."""

import hashlib


def stream_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream of that name.

    Each use of chance (initial weights, order of an epoch, dropout) has a stream of its own, so
    that switching one on does not shift another.
    """
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

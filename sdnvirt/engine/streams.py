"""Named random streams, all derived from the network's one seed.

Each purpose draws from a stream of its own (``"link h1--s1 loss"``), so that a change in one
place does not shift the numbers of another, and the same seed gives the same bytes on every
machine. Python's Mersenne Twister and its ``random()`` and ``getrandbits()`` are stable across
versions; the seed of a stream is a BLAKE2b hash, which does not depend on PYTHONHASHSEED.
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random


class Streams:
    """The random streams of one network."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, Random] = {}

    def stream(self, name: str) -> Random:
        """Return the stream of a name, the same object at every call."""
        found = self._streams.get(name)
        if found is None:
            digest = blake2b(f"{self.seed}\0{name}".encode(), digest_size=16).digest()
            found = self._streams[name] = Random(int.from_bytes(digest, "big"))
        return found

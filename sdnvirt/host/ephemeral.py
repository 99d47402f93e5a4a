"""Which port a socket gets that asks for none: one by chance (RFC 6056, 3.3.1).

TCP and UDP choose alike, each from a random stream of the host's own, so that strangers cannot tell
the next port while a run can be repeated, and one client's late answers do not reach the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

EPHEMERAL_PORTS: Final = range(49152, 65536)
"""The ports (RFC 6335, section 6; RFC 6056 allows for more, which many take for services)."""


def choose_port(random: Random, is_free: Callable[[int], bool]) -> int | None:
    """Return a port that is free, the first from one by chance on, or None if there is none.

    Args:
        random: the stream that chance comes from.
        is_free: whether a port may be taken.
    """
    count = len(EPHEMERAL_PORTS)
    first = int(random.random() * count)
    for n in range(count):
        port = EPHEMERAL_PORTS[(first + n) % count]
        if is_free(port):
            return port
    return None

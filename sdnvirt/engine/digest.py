"""The trace digest: one number that two runs share only if every frame was the same.

BLAKE2b (RFC 7693) over each record's time, node, port and bytes, in the order of the run. The
node's name and the frame are preceded by their lengths, so no two traces share an encoding.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct

record_head = Struct("!QIHI").pack
"""Makes the head of a record: its time, port, and the lengths of the node's name and the frame."""


class TraceDigest:
    """A running digest of the frames that ports received.

    Attributes:
        add: takes the bytes of a record, for who counts ``records`` himself.
        records: how many there were.
    """

    __slots__ = ("_hash", "add", "records")

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)
        self.add = self._hash.update
        self.records = 0

    def update(self, time_ns: int, node: str, port: int, data: bytes) -> None:
        """Add one frame: when it arrived, at which port of which node, and its bytes."""
        name = node.encode()
        self.add(record_head(time_ns, port, len(name), len(data)) + name + data)
        self.records += 1

    def hexdigest(self) -> str:
        """Return the digest so far, as 32 hexadecimal digits."""
        return self._hash.hexdigest()

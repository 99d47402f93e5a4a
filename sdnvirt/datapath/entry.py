"""Flow entries (OpenFlow 1.3.5, 5.2)."""

from __future__ import annotations

from sdnvirt.openflow.v13.instructions import Instruction
from sdnvirt.openflow.v13.match import Match


class FlowEntry:
    """One entry of a flow table.

    Attributes:
        table_id: its table, 0 to 254.
        priority: 0 to 65535; of the entries that match, the one of highest priority counts.
        match: which packets it is for.
        instructions: what happens to them, in the order in which they are executed.
        cookie: the controller's mark.
        flags: OFPFF bits.
        idle_timeout_ns: lifetime without packets, 0 for unlimited.
        hard_timeout_ns: lifetime, 0 for unlimited.
        created_ns: when it was added.
        renewed_ns: when it was added or last learned again, from which its lifetime counts.
        used_ns: when it last matched, or was added.
        sequence: order of addition in the datapath; breaks ties between equal priorities.
        packets, bytes: what it matched, without what cached flows have not yet reported.
        live: whether it still stands in its table.
    """

    __slots__ = (
        "bytes", "cookie", "created_ns", "flags", "hard_timeout_ns", "idle_timeout_ns",
        "instructions", "live", "match", "packets", "priority", "renewed_ns", "sequence",
        "table_id", "used_ns",
    )  # fmt: skip

    def __init__(
        self,
        table_id: int,
        priority: int,
        match: Match,
        instructions: tuple[Instruction, ...],
        *,
        cookie: int = 0,
        flags: int = 0,
        idle_timeout_ns: int = 0,
        hard_timeout_ns: int = 0,
        created_ns: int = 0,
        sequence: int = 0,
    ) -> None:
        self.table_id = table_id
        self.priority = priority
        self.match = match
        self.instructions = instructions
        self.cookie = cookie
        self.flags = flags
        self.idle_timeout_ns = idle_timeout_ns
        self.hard_timeout_ns = hard_timeout_ns
        self.created_ns = created_ns
        self.renewed_ns = created_ns
        self.used_ns = created_ns
        self.sequence = sequence
        self.packets = 0
        self.bytes = 0
        self.live = True

    def deadline(self) -> int | None:
        """Return when the entry expires if no packet matches any more (ns), or None for never."""
        hard = self.renewed_ns + self.hard_timeout_ns if self.hard_timeout_ns else None
        idle = self.used_ns + self.idle_timeout_ns if self.idle_timeout_ns else None
        if hard is None or idle is None:
            return idle if hard is None else hard
        return min(hard, idle)

    def __str__(self) -> str:
        """Return the entry as ``ovs-ofctl dump-flows`` prints its own, without counters."""
        done = ",".join(map(str, self.instructions)) or "drop"
        return f"table={self.table_id}, priority={self.priority},{self.match} {done}"


def rank(entry: FlowEntry) -> tuple[int, int]:
    """Return what entries of a table are ordered by: the first of those that match is the one."""
    return -entry.priority, entry.sequence

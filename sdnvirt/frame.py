"""A frame on the move: immutable bytes, what is known of them, and where they came from.

Provenance is out of band. No device may decide by it (a real switch cannot see it either); it is
what isolation checks, packet stories and the conservation ledger read.
"""

from __future__ import annotations

from typing import Final


class Provenance:
    """Where a packet came from; kept through copies, rewrites and encapsulation.

    Attributes:
        packet_id: number of the packet within the network, from 1, in order of origin.
        origin: name of the host, function or tool that made the packet.
        tenant: tenant of the origin, or "" where it has none.
        network: tenant network of the origin as ``tenant/network``, or "".
        cause: id of the conversation that the packet belongs to (a ping, a lease), or 0. An
            answer carries its question's cause, so that one can ask for the story of both.
        arrivals: how many times a port received it or a copy of it, as far as a trace counts.
        visits: what the search for loops remembers of a packet with many arrivals.
    """

    __slots__ = ("arrivals", "cause", "network", "origin", "packet_id", "tenant", "visits")

    def __init__(
        self, packet_id: int, origin: str, tenant: str = "", network: str = "", cause: int = 0
    ) -> None:
        self.packet_id = packet_id
        self.origin = origin
        self.tenant = tenant
        self.network = network
        self.cause = cause
        self.arrivals: int = 0
        self.visits: dict[object, int] | None = None

    def __repr__(self) -> str:
        return f"<packet {self.packet_id} of {self.origin}>"


NOBODY: Final = Provenance(0, "nobody")
"""Provenance of frames that were made outside any network, as in unit tests."""


TUNNEL_ID_MASK: Final = (1 << 64) - 1
"""The bits of a frame's tunnel metadata that are the tunnel id."""

TUNNEL_DST_SHIFT: Final = 64
"""Where the outer packet's destination stands in the tunnel metadata, 32 bits of IPv4."""

TUNNEL_SRC_SHIFT: Final = 96
"""Where its source stands, 32 bits."""

_ADDRESS_MASK: Final = (1 << 32) - 1


class Frame:
    """An Ethernet frame without its frame check sequence.

    A device that changes a frame makes a new one with :meth:`rewritten`; the bytes of a frame
    never change, so copies share it.

    Attributes:
        data: the frame's bytes, from the destination MAC address on.
        size: how many they are.
        tunnel: what is given to or taken from a tunnel port with the frame, 0 for nothing: the
            tunnel id (OpenFlow's field of that name, a VNI) in the lower 64 bits, and above it
            the outer packet's destination and source. One number, so that those who carry
            frames ask for it once.
        key: the flow key, computed by the first device that needs it and carried from then on;
            None until then.
        provenance: where it came from; never read by a device.
    """

    __slots__ = ("data", "key", "provenance", "size", "tunnel")

    def __init__(self, data: bytes, provenance: Provenance = NOBODY, tunnel: int = 0) -> None:
        self.data = data
        self.size: int = len(data)
        self.tunnel = tunnel
        self.key: bytes | None = None
        self.provenance = provenance

    @property
    def tunnel_id(self) -> int:
        """The tunnel id, 0 for none."""
        return self.tunnel & TUNNEL_ID_MASK

    @property
    def tunnel_dst(self) -> int:
        """The outer packet's IPv4 destination, 0 for none."""
        return self.tunnel >> TUNNEL_DST_SHIFT & _ADDRESS_MASK

    @property
    def tunnel_src(self) -> int:
        """The outer packet's IPv4 source, 0 for none."""
        return self.tunnel >> TUNNEL_SRC_SHIFT

    def rewritten(self, data: bytes, tunnel: int | None = None) -> Frame:
        """Return the frame that a device makes of this one: other bytes, the same provenance."""
        return Frame(data, self.provenance, self.tunnel if tunnel is None else tunnel)

    def duplicated(self) -> Frame:
        """Return the second frame that a faulty link makes of this one.

        Its packet has the same name and a history of its own: it is sent once more, and has not
        come back.
        """
        p = self.provenance
        twin = Provenance(p.packet_id, p.origin, p.tenant, p.network, p.cause)
        frame = Frame(self.data, twin, self.tunnel)
        frame.key = self.key
        return frame

    def __repr__(self) -> str:
        return f"<Frame {self.size} B of {self.provenance!r}>"

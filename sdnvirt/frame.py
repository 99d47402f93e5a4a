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
    """

    __slots__ = ("cause", "network", "origin", "packet_id", "tenant")

    def __init__(
        self, packet_id: int, origin: str, tenant: str = "", network: str = "", cause: int = 0
    ) -> None:
        self.packet_id = packet_id
        self.origin = origin
        self.tenant = tenant
        self.network = network
        self.cause = cause

    def __repr__(self) -> str:
        return f"<packet {self.packet_id} of {self.origin}>"


NOBODY: Final = Provenance(0, "nobody")
"""Provenance of frames that were made outside any network, as in unit tests."""


class Frame:
    """An Ethernet frame without its frame check sequence.

    A device that changes a frame makes a new one with :meth:`rewritten`; the bytes of a frame
    never change, so copies share it.

    Attributes:
        data: the frame's bytes, from the destination MAC address on.
        size: how many they are.
        tunnel_id: VNI given to or taken from a tunnel port with the frame (OpenFlow's tunnel_id
            metadata), 0 for none.
        key: the flow key, computed by the first device that needs it and carried from then on;
            None until then.
        provenance: where it came from; never read by a device.
    """

    __slots__ = ("data", "key", "provenance", "size", "tunnel_id")

    def __init__(self, data: bytes, provenance: Provenance = NOBODY, tunnel_id: int = 0) -> None:
        self.data = data
        self.size: int = len(data)
        self.tunnel_id = tunnel_id
        self.key: bytes | None = None
        self.provenance = provenance

    def rewritten(self, data: bytes, tunnel_id: int | None = None) -> Frame:
        """Return the frame that a device makes of this one: other bytes, the same provenance."""
        return Frame(data, self.provenance, self.tunnel_id if tunnel_id is None else tunnel_id)

    def __repr__(self) -> str:
        return f"<Frame {self.size} B of {self.provenance!r}>"

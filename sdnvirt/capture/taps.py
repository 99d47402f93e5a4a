"""Putting taps on ports and taking them off, and the name of a packet in what taps tell."""

from __future__ import annotations

from collections.abc import Iterable

from sdnvirt.devices.device import Port, Tap
from sdnvirt.frame import Provenance


def tap_all(ports: Iterable[Port], tap: Tap) -> None:
    """Let a tap see the frames of ports from now on, after the taps that they have already."""
    for port in ports:
        assert tap not in port.taps, f"{port.full_name} has this tap already"
        port.taps += (tap,)


def untap(ports: Iterable[Port], tap: Tap) -> None:
    """Take a tap off ports; those that do not have it stay as they are."""
    for port in ports:
        port.taps = tuple(other for other in port.taps if other is not tap)


def packet_name(provenance: Provenance) -> str:
    """Return what people call a packet, such as ``packet 17 of acme-a (acme/web)``."""
    network = f" ({provenance.network})" if provenance.network else ""
    return f"packet {provenance.packet_id} of {provenance.origin}{network}"

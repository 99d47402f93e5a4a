"""Zones: on which link a link-local address is meant (RFC 4007, 6 and 11).

A host's zones are its interfaces. Text names one behind ``%``, by name or by number; socket names
have the number as their scope, which is the one that ``ip link`` shows.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sdnvirt.addresses import IpAddress
from sdnvirt.programs.endpoint import address_of, port_of

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

_SCOPE_AT: Final = 3
"""Where socket names of IPv6 have the scope, behind address, port and flow label."""

LOOPBACK: Final = 1
"""The number of ``lo``; the interfaces that lead out of the host have the next ones."""


class Peer(NamedTuple):
    """Whom a program means: an address, a port, and the interface to leave by, or None for any."""

    address: IpAddress
    port: int
    interface: Interface | None


def peer_of(host: Host, name: Any) -> Peer:
    """Return whom a socket name means to a host, as ``("fe80::1%eth0", 9)``.

    Raises:
        MalformedError: the address is none.
        OSError: there is no such interface.
    """
    text, _, zone = str(name[0]).partition("%")
    address, scope = address_of(text), int(name[_SCOPE_AT]) if len(name) > _SCOPE_AT else 0
    if zone:
        scope = scope_of(host, address, zone)
    interface = interface_at(host, scope) if scope and address.is_link_local else None
    return Peer(address, port_of(name[1]), interface)


def scope_of(host: Host, address: IpAddress, zone: str) -> int:
    """Return the number of the interface that the zone of an address names.

    Raises:
        socket.gaierror: there is none, or the address needs no zone.
    """
    if ":" not in str(address) or not address.is_link_local:
        raise socket.gaierror(socket.EAI_NONAME, f"{address} has no zone: it is of no link alone")
    for number, interface in _numbered(host):
        if zone in (interface.name, str(number)):
            return number
    raise socket.gaierror(socket.EAI_NONAME, f"{host.name} has no interface {zone!r}")


def interface_at(host: Host, number: int) -> Interface:
    """Return an interface by its number, as ``ip link`` shows it.

    Raises:
        OSError: there is none.
    """
    for one, interface in _numbered(host):
        if one == number:
            return interface
    raise OSError(errno.ENODEV, f"{host.name} has no interface {number}")


def zone_of(interface: Interface) -> int:
    """Return the number of an interface on its host."""
    return next(number for number, one in _numbered(interface.host) if one is interface)


def _numbered(host: Host) -> Iterator[tuple[int, Interface]]:
    yield from enumerate(host.all_interfaces(), LOOPBACK + 1)
    yield LOOPBACK, host.loopback

"""Options of UDP sockets, as programs set them: groups to join, hops to cross, a traffic class.

The values are those of Linux: RFC 3493, 5 for IPv6, and ip(7) for IPv4.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

from sdnvirt.addresses import ANY_IPV4, IpAddress, Ipv4, Ipv6
from sdnvirt.host.udp import UdpSocket
from sdnvirt.programs.endpoint import Options
from sdnvirt.programs.zones import interface_at

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

HOPS_MAX: Final = 255

_DSCP_SHIFT: Final = 2
"""The traffic class is the DSCP and, behind it, the two bits of ECN (RFC 2474, 3; RFC 3168, 5)."""

_IN_ADDR: Final = 4
"""Bytes of an in_addr."""


class Hops:
    """How far datagrams go: a number for groups, and one for single receivers.

    Attributes:
        to_one: routers that a datagram may cross plus one, or None for the usual number.
        to_group: the same for groups.
        by: the interface by which datagrams to groups leave, or None for the usual one.
    """

    __slots__ = ("by", "to_group", "to_one")

    def __init__(self) -> None:
        self.to_one: int | None = None
        self.to_group: int | None = None
        self.by: Interface | None = None

    def of(self, dst: IpAddress) -> int | None:
        """Return what holds for a destination."""
        return self.to_group if dst.is_multicast else self.to_one


def options(host: Host, sock: UdpSocket, hops: Hops) -> Options:
    """Return what sets the options of a socket.

    Args:
        host: where the socket is.
        sock: the socket.
        hops: what its transport sends with.
    """

    def change(*, join: bool, ipv6: bool) -> Any:
        def membership(value: Any) -> None:
            group, where = (_request_v6 if ipv6 else _request_v4)(host, bytes(value))
            if not group.is_multicast:
                raise OSError(errno.EINVAL, f"{group} is not the address of a group")
            if not join:
                sock.leave(group, where)
            elif not sock.join(group, where):
                raise OSError(errno.ENOBUFS, f"{host.name} is a member of too many groups")

        return membership

    def set_hops(name: str) -> Any:
        def setter(value: Any) -> None:
            setattr(hops, name, hops_of(value))

        return setter

    def set_class(value: Any) -> None:
        sock.dscp = dscp_of(value)

    def leave_by_v4(value: Any) -> None:
        # An address of the interface alone, or behind that of any group.
        given = bytes(value)
        hops.by = _request_v4(host, bytes(_IN_ADDR) + given if len(given) == _IN_ADDR else given)[1]

    def leave_by_v6(value: Any) -> None:
        hops.by = interface_at(host, int(value)) if int(value) else None

    def hear_itself(value: Any) -> None:
        if not (value[0] if isinstance(value, bytes) else int(value)):
            text = f"a member of a group on {host.name} always hears what the host sends to it"
            raise OSError(errno.ENOPROTOOPT, text)

    return {
        (socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP): change(join=True, ipv6=False),
        (socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP): change(join=False, ipv6=False),
        (socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP): change(join=True, ipv6=True),
        (socket.IPPROTO_IPV6, socket.IPV6_LEAVE_GROUP): change(join=False, ipv6=True),
        (socket.IPPROTO_IP, socket.IP_TTL): set_hops("to_one"),
        (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS): set_hops("to_one"),
        (socket.IPPROTO_IP, socket.IP_MULTICAST_TTL): set_hops("to_group"),
        (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS): set_hops("to_group"),
        (socket.IPPROTO_IP, socket.IP_MULTICAST_IF): leave_by_v4,
        (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF): leave_by_v6,
        (socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP): hear_itself,
        (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP): hear_itself,
        (socket.IPPROTO_IP, socket.IP_TOS): set_class,
        (socket.IPPROTO_IPV6, socket.IPV6_TCLASS): set_class,
    }


def hops_of(value: Any) -> int | None:
    """Return the hops that a program asks for, or None for the usual number.

    Raises:
        OSError: there is no such number of hops.
    """
    number = value[0] if isinstance(value, bytes) else int(value)
    if not -1 <= number <= HOPS_MAX:
        raise OSError(errno.EINVAL, f"{number} hops; expected 0 to {HOPS_MAX}")
    return None if number < 0 else number


def dscp_of(value: Any) -> int:
    """Return the differentiated services code point in a traffic class."""
    return int(value) >> _DSCP_SHIFT & 0x3F


def _request_v4(host: Host, value: bytes) -> tuple[IpAddress, Interface | None]:
    """Return group and interface of an ip_mreq or ip_mreqn; None is the first interface."""
    if len(value) < 8:
        raise OSError(errno.EINVAL, f"{len(value)} bytes of an ip_mreq; expected 8 or 12")
    own = Ipv4(value[4:8])
    if len(value) >= 12 and (index := struct.unpack_from("@i", value, 8)[0]):
        return Ipv4(value[:4]), interface_at(host, index)
    if own == ANY_IPV4:
        return Ipv4(value[:4]), None
    where = host.ip.owner(own)
    if where is None:
        raise OSError(errno.ENODEV, f"{own} is not an address of {host.name}")
    return Ipv4(value[:4]), where


def _request_v6(host: Host, value: bytes) -> tuple[IpAddress, Interface | None]:
    """Return group and interface of an ipv6_mreq; None is the first interface."""
    if len(value) < 20:
        raise OSError(errno.EINVAL, f"{len(value)} bytes of an ipv6_mreq; expected 20")
    index = struct.unpack_from("@I", value, 16)[0]
    return Ipv6(value[:16]), interface_at(host, index) if index else None

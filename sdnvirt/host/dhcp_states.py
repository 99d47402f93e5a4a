"""The states of a DHCP client, its transitions and its lease (RFC 2131, section 4.4 and figure 5).

There is one class for each state, which holds what that state has and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Interface
from typing import Final

from sdnvirt.addresses import Ipv4
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.dhcpv4 import Dhcpv4

FOREVER_S: Final = 0xFFFFFFFF
"""A lease without end (RFC 2131, 3.3)."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An address and what came with it.

    Attributes:
        address: the address with the prefix of its subnet.
        server: identifier of the server that gave it.
        routers: gateways, the best first.
        dns_servers: name servers, the best first.
        domain: domain in which names are resolved, or None.
        mtu: MTU of the interface in bytes, or None if the server does not say.
        since_ns: when it was asked for, from which all its times count.
        renew_ns: when the client asks its server to prolong it, T1.
        rebind_ns: when it asks every server, T2.
        expire_ns: when it ends; like the others NEVER for a lease without end.
    """

    address: IPv4Interface
    server: Ipv4
    routers: tuple[Ipv4, ...]
    dns_servers: tuple[Ipv4, ...]
    domain: str | None
    mtu: int | None
    since_ns: int
    renew_ns: int
    rebind_ns: int
    expire_ns: int

    @property
    def ip(self) -> Ipv4:
        """The address without its prefix."""
        return Ipv4(self.address.ip)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that is repeated until it is answered.

    Attributes:
        xid: the transaction.
        since_ns: when the first question of the configuration was sent, for ``secs``.
        asked_ns: when this question was sent first, from which a lease counts.
        asked: how often it was sent.
        due_ns: when it is to be sent again.
    """

    xid: int
    since_ns: int
    asked_ns: int
    asked: int
    due_ns: int


@dataclass(frozen=True, slots=True)
class Init:
    """Nothing is known; the client begins at ``begin_ns``."""

    begin_ns: int


@dataclass(frozen=True, slots=True)
class Selecting:
    """Servers were asked for offers."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Requesting:
    """An offer was taken; its server has to confirm."""

    exchange: Exchange
    offer: Dhcpv4
    secs: int


@dataclass(frozen=True, slots=True)
class Rebooting:
    """The client asks for an address that it remembers (section 3.2)."""

    exchange: Exchange
    address: Ipv4


@dataclass(frozen=True, slots=True)
class Bound:
    """The client has a lease."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Renewing:
    """After T1: the client asks the server of its lease to prolong it."""

    lease: Lease
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Rebinding:
    """After T2: the client asks every server to prolong its lease."""

    lease: Lease
    exchange: Exchange


State = Init | Selecting | Requesting | Rebooting | Bound | Renewing | Rebinding


class Event(Enum):
    """What makes a client change its state."""

    BEGIN = "it is time to begin"
    REMEMBER = "it is time to begin, with an address from before"
    OFFER = "a usable offer came"
    ACK = "a server confirmed"
    NAK = "a server refused"
    UNANSWERED = "the question was asked often enough"
    T1 = "the time to renew has come"
    T2 = "the time to rebind has come"
    EXPIRED = "the lease has ended"
    RELEASE = "the owner gives the address back"


TRANSITIONS: Final[dict[tuple[type[State], Event], type[State]]] = {
    (Init, Event.BEGIN): Selecting,
    (Init, Event.REMEMBER): Rebooting,
    (Selecting, Event.OFFER): Requesting,
    (Requesting, Event.ACK): Bound,
    (Requesting, Event.NAK): Init,
    (Requesting, Event.UNANSWERED): Init,
    (Rebooting, Event.ACK): Bound,
    (Rebooting, Event.NAK): Init,
    (Rebooting, Event.UNANSWERED): Init,
    (Bound, Event.T1): Renewing,
    (Bound, Event.RELEASE): Init,
    (Renewing, Event.ACK): Bound,
    (Renewing, Event.NAK): Init,
    (Renewing, Event.T2): Rebinding,
    (Renewing, Event.RELEASE): Init,
    (Rebinding, Event.ACK): Bound,
    (Rebinding, Event.NAK): Init,
    (Rebinding, Event.EXPIRED): Init,
    (Rebinding, Event.RELEASE): Init,
}
"""Figure 5 of RFC 2131; what is not here does not change the state."""


def lease_of(message: Dhcpv4, since_ns: int) -> Lease | None:
    """Return what an offer or acknowledgement gives, or None if it lacks what it must have."""
    lease_s, server, address = message.lease_time_s, message.server_id, message.yiaddr
    width = _prefix_length(address, message.subnet_mask)
    if not lease_s or server is None or width is None or not 0 < address[0] < 224:
        return None
    renew_s, rebind_s = message.renewal_time_s, message.rebinding_time_s
    # Times that are missing or make no sense are a half and seven eighths (section 4.4.5).
    if renew_s is None or rebind_s is None or not 0 < renew_s < rebind_s < lease_s:
        renew_ns, rebind_ns = lease_s * NS_PER_S // 2, lease_s * NS_PER_S * 7 // 8
    else:
        renew_ns, rebind_ns = renew_s * NS_PER_S, rebind_s * NS_PER_S
    endless = lease_s == FOREVER_S
    return Lease(
        IPv4Interface((bytes(address), width)), server, message.routers, message.dns_servers,
        message.domain_name, message.interface_mtu, since_ns,
        NEVER if endless else since_ns + renew_ns,
        NEVER if endless else since_ns + rebind_ns,
        NEVER if endless else since_ns + lease_s * NS_PER_S,
    )  # fmt: skip


def _prefix_length(address: Ipv4, mask: Ipv4 | None) -> int | None:
    """Return the prefix length of a mask, that of the address class without one, None if wrong."""
    if mask is None:
        return 8 if address[0] < 128 else 16 if address[0] < 192 else 24  # RFC 791, 2.3
    hosts = 0xFFFFFFFF - int(mask)
    return None if hosts & (hosts + 1) else 32 - hosts.bit_length()

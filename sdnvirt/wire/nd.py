"""Neighbour discovery messages of IPv6 (RFC 4861, section 4).

Each value is made of an :class:`~sdnvirt.wire.icmpv6.Icmpv6` message and makes one; reserved bits
are ignored and sent as zero. What depends on the packet around a message (its hop limit, its
addresses) is for the receiver to check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from sdnvirt.addresses import Ipv6
from sdnvirt.errors import MalformedError
from sdnvirt.wire.cursor import Cursor
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.nd_options import NdOptions

HOP_LIMIT: Final = 255
"""Of every message: a smaller one has crossed a router and is forged (RFC 4861, 3.1)."""

NO_OPTIONS: Final = NdOptions()

_ROUTER: Final = 1 << 31
_SOLICITED: Final = 1 << 30
_OVERRIDE: Final = 1 << 29
_MANAGED: Final = 1 << 23
_OTHER: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class RouterSolicitation:
    """A host asks for router advertisements (4.1)."""

    options: NdOptions = NO_OPTIONS

    @classmethod
    def of(cls, message: Icmpv6) -> Self:
        """Return what a message of this type says; a WireError if it cannot be one."""
        return cls(NdOptions.parse(Cursor(_coded_zero(message).payload)))

    def message(self) -> Icmpv6:
        """Return the message that says this."""
        return Icmpv6(Icmpv6Type.ROUTER_SOLICITATION, 0, 0, self.options.emit())

    def __str__(self) -> str:
        return "router solicitation"


@dataclass(frozen=True, slots=True)
class RouterAdvertisement:
    """A router tells of itself and of the link (4.2).

    Attributes:
        hop_limit: what hosts are to send with, 0 if the router does not say.
        lifetime_s: how long it is a default router, 0 if it is none; up to 65535.
        reachable_ms: how long a neighbour's answer is believed, 0 if not said.
        retransmit_ms: time between solicitations, 0 if not said.
        managed: addresses are to be had by DHCPv6.
        other: other configuration is to be had by DHCPv6.
        options: prefixes, MTU, DNS servers, the router's MAC address.
    """

    hop_limit: int = 0
    lifetime_s: int = 0
    reachable_ms: int = 0
    retransmit_ms: int = 0
    managed: bool = False
    other: bool = False
    options: NdOptions = NO_OPTIONS

    @classmethod
    def of(cls, message: Icmpv6) -> Self:
        """Return what a message of this type says; a WireError if it cannot be one."""
        body = Cursor(_coded_zero(message).payload)
        reachable, retransmit = body.u32(), body.u32()
        rest = message.rest
        return cls(
            rest >> 24, rest & 0xFFFF, reachable, retransmit, bool(rest & _MANAGED),
            bool(rest & _OTHER), NdOptions.parse(body),
        )  # fmt: skip

    def message(self) -> Icmpv6:
        """Return the message that says this."""
        flags = _MANAGED * self.managed | _OTHER * self.other
        timers = self.reachable_ms.to_bytes(4, "big") + self.retransmit_ms.to_bytes(4, "big")
        return Icmpv6(
            Icmpv6Type.ROUTER_ADVERTISEMENT, 0, self.hop_limit << 24 | flags | self.lifetime_s,
            timers + self.options.emit(),
        )  # fmt: skip

    def __str__(self) -> str:
        prefixes = [f"{one.prefix}/{one.length}" for one in self.options.prefixes]
        return ", ".join(["router advertisement", f"lifetime {self.lifetime_s} s", *prefixes])


@dataclass(frozen=True, slots=True)
class NeighbourSolicitation:
    """Somebody asks for the MAC address of ``target``, or whether anybody has it (4.3)."""

    target: Ipv6
    options: NdOptions = NO_OPTIONS

    @classmethod
    def of(cls, message: Icmpv6) -> Self:
        """Return what a message of this type says; a WireError if it cannot be one."""
        body = Cursor(_coded_zero(message).payload)
        return cls(_target(body), NdOptions.parse(body))

    def message(self) -> Icmpv6:
        """Return the message that says this."""
        payload = self.target + self.options.emit()
        return Icmpv6(Icmpv6Type.NEIGHBOUR_SOLICITATION, 0, 0, payload)

    def __str__(self) -> str:
        return f"neighbour solicitation, who has {self.target}"


@dataclass(frozen=True, slots=True)
class NeighbourAdvertisement:
    """Somebody tells of the MAC address of ``target`` (4.4).

    Attributes:
        target: the address that it is about.
        router: whether its holder is a router.
        solicited: whether this answers a solicitation.
        override: whether it is to replace what is known.
        options: the target's MAC address.
    """

    target: Ipv6
    router: bool = False
    solicited: bool = False
    override: bool = False
    options: NdOptions = NO_OPTIONS

    @classmethod
    def of(cls, message: Icmpv6) -> Self:
        """Return what a message of this type says; a WireError if it cannot be one."""
        body = Cursor(_coded_zero(message).payload)
        rest = message.rest
        return cls(
            _target(body), bool(rest & _ROUTER), bool(rest & _SOLICITED), bool(rest & _OVERRIDE),
            NdOptions.parse(body),
        )  # fmt: skip

    def message(self) -> Icmpv6:
        """Return the message that says this."""
        flags = _ROUTER * self.router | _SOLICITED * self.solicited | _OVERRIDE * self.override
        payload = self.target + self.options.emit()
        return Icmpv6(Icmpv6Type.NEIGHBOUR_ADVERTISEMENT, 0, flags, payload)

    def __str__(self) -> str:
        return f"neighbour advertisement, {self.target} is at {self.options.target_mac or '?'}"


@dataclass(frozen=True, slots=True)
class Redirect:
    """A router tells of a better next hop to a destination (4.5).

    Attributes:
        target: the better next hop; the destination itself if it is on the link.
        destination: what is reached by it.
        options: the target's MAC address, and the packet that was redirected.
    """

    target: Ipv6
    destination: Ipv6
    options: NdOptions = NO_OPTIONS

    @classmethod
    def of(cls, message: Icmpv6) -> Self:
        """Return what a message of this type says; a WireError if it cannot be one."""
        body = Cursor(_coded_zero(message).payload)
        target, destination = Ipv6(body.take(16)), Ipv6(body.take(16))
        # A group is no destination to be redirected (RFC 4861, 8.1).
        if destination.is_multicast:
            raise MalformedError(f"a redirect for the group {destination}")
        return cls(target, destination, NdOptions.parse(body))

    def message(self) -> Icmpv6:
        """Return the message that says this."""
        payload = self.target + self.destination + self.options.emit()
        return Icmpv6(Icmpv6Type.REDIRECT, 0, 0, payload)

    def __str__(self) -> str:
        return f"redirect, {self.destination} by {self.target}"


def _coded_zero(message: Icmpv6) -> Icmpv6:
    """Return the message if its code is 0, as all of them must have (RFC 4861, 6.1 and 7.1)."""
    if message.code:
        raise MalformedError(f"a neighbour discovery message with the code {message.code}")
    return message


def _target(body: Cursor) -> Ipv6:
    target = Ipv6(body.take(16))
    if target.is_multicast:  # (RFC 4861, 7.1.1 and 7.1.2)
        raise MalformedError(f"neighbour discovery of the group {target}")
    return target

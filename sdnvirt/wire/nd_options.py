"""The options of neighbour discovery (RFC 4861, 4.6; DNS servers RFC 8106, 5.1).

An option is a type, a length that counts 8 bytes, and a body. Unknown options are skipped, as
RFC 4861 demands (4.6); known ones that do not fit their layout make the message malformed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import Ipv6, Mac
from sdnvirt.errors import MalformedError
from sdnvirt.wire.cursor import Cursor

UNIT: Final = 8

OPTION_LIMIT: Final = 64
"""Options of one message: what 1500 bytes hold is about three times as many (RFC 6980 forbids
fragments), so this bounds nothing that is sent for a purpose."""

INFINITE_S: Final = 0xFFFFFFFF
"""A lifetime that does not end (RFC 4861, 4.6.2)."""

_PREFIX: Final = struct.Struct("!BBIII16s")
_ON_LINK: Final = 0x80
_AUTONOMOUS: Final = 0x40


class OptionType(IntEnum):
    """The options that are known here (the IANA registry of IPv6 neighbour discovery options)."""

    SOURCE_MAC = 1
    TARGET_MAC = 2
    PREFIX = 3
    REDIRECTED = 4
    MTU = 5
    DNS_SERVERS = 25


@dataclass(frozen=True, slots=True)
class PrefixInformation:
    """A prefix of the link.

    Attributes:
        prefix: an address in the prefix; bits behind the length are ignored.
        length: bits of the prefix, 0 to 128.
        on_link: whether its addresses are reached without a router.
        autonomous: whether hosts may make addresses in it (RFC 4862).
        valid_s: how long the prefix and addresses in it hold; INFINITE_S for ever.
        preferred_s: how long addresses in it are used for new conversations.
    """

    prefix: Ipv6
    length: int
    on_link: bool = True
    autonomous: bool = True
    valid_s: int = 2_592_000
    preferred_s: int = 604_800

    @classmethod
    def parse(cls, body: Cursor) -> Self:
        """Return what the body of the option says; a WireError if it has another length."""
        length, flags, valid, preferred, _, prefix = _PREFIX.unpack(_exactly(body, 30))
        if length > 128:
            raise MalformedError(f"an IPv6 prefix of {length} bits")
        return cls(
            Ipv6(prefix), length, bool(flags & _ON_LINK), bool(flags & _AUTONOMOUS), valid,
            preferred,
        )  # fmt: skip

    def emit(self) -> bytes:
        """Return the body of the option."""
        flags = _ON_LINK * self.on_link | _AUTONOMOUS * self.autonomous
        return _PREFIX.pack(self.length, flags, self.valid_s, self.preferred_s, 0, self.prefix)


@dataclass(frozen=True, slots=True)
class DnsServers:
    """Recursive DNS servers (RFC 8106, 5.1): how long they hold (s), and their addresses."""

    lifetime_s: int
    servers: tuple[Ipv6, ...]

    @classmethod
    def parse(cls, body: Cursor) -> Self:
        """Return what the body of the option says; a WireError if it cannot be one."""
        body.take(2)
        lifetime = body.u32()
        count, left = divmod(body.remaining, 16)
        if left or not count:
            raise MalformedError("a DNS server option without whole addresses")
        return cls(lifetime, tuple(Ipv6(body.take(16)) for _ in range(count)))

    def emit(self) -> bytes:
        """Return the body of the option."""
        return bytes(2) + self.lifetime_s.to_bytes(4, "big") + b"".join(self.servers)


@dataclass(frozen=True, slots=True)
class NdOptions:
    """The options of a message; None or empty where there is none of a kind.

    Attributes:
        source_mac: link-layer address of the sender.
        target_mac: link-layer address of the target.
        prefixes: prefixes of the link.
        redirected: the beginning of the packet that made a router redirect.
        mtu: bytes of the largest IP packet on the link.
        dns_servers: recursive DNS servers.
    """

    source_mac: Mac | None = None
    target_mac: Mac | None = None
    prefixes: tuple[PrefixInformation, ...] = ()
    redirected: bytes | None = None
    mtu: int | None = None
    dns_servers: tuple[DnsServers, ...] = ()

    @classmethod
    def parse(cls, options: Cursor) -> Self:
        """Return the options up to the cursor's end.

        Raises:
            TruncatedError: the bytes end within an option.
            MalformedError: an option of length 0, or one that does not fit its layout.
        """
        source = target = redirected = mtu = None
        prefixes: list[PrefixInformation] = []
        dns: list[DnsServers] = []
        for _ in range(OPTION_LIMIT):
            if options.at_end:
                return cls(source, target, tuple(prefixes), redirected, mtu, tuple(dns))
            kind, units = options.u8(), options.u8()
            if units == 0:  # the whole message is to be discarded (RFC 4861, 4.6)
                raise MalformedError("a neighbour discovery option of length 0")
            body = options.narrow(units * UNIT - 2)
            match kind:
                case OptionType.SOURCE_MAC:
                    source = Mac(_exactly(body, 6))
                case OptionType.TARGET_MAC:
                    target = Mac(_exactly(body, 6))
                case OptionType.PREFIX:
                    prefixes.append(PrefixInformation.parse(body))
                case OptionType.REDIRECTED:
                    body.take(6)
                    redirected = body.rest()
                case OptionType.MTU:
                    mtu = int.from_bytes(_exactly(body, 6)[2:], "big")
                case OptionType.DNS_SERVERS:
                    dns.append(DnsServers.parse(body))
                case _:
                    pass
        raise MalformedError(f"more than {OPTION_LIMIT} neighbour discovery options")

    def emit(self) -> bytes:
        """Return the bytes of all options."""
        bodies: list[tuple[OptionType, bytes]] = []
        if self.source_mac is not None:
            bodies.append((OptionType.SOURCE_MAC, self.source_mac))
        if self.target_mac is not None:
            bodies.append((OptionType.TARGET_MAC, self.target_mac))
        bodies += [(OptionType.PREFIX, prefix.emit()) for prefix in self.prefixes]
        if self.redirected is not None:
            quoted = self.redirected[: len(self.redirected) // UNIT * UNIT]
            bodies.append((OptionType.REDIRECTED, bytes(6) + quoted))
        if self.mtu is not None:
            bodies.append((OptionType.MTU, bytes(2) + self.mtu.to_bytes(4, "big")))
        bodies += [(OptionType.DNS_SERVERS, one.emit()) for one in self.dns_servers]
        return b"".join(bytes((kind, (len(body) + 2) // UNIT)) + body for kind, body in bodies)


def _exactly(body: Cursor, length: int) -> bytes:
    if body.remaining != length:
        raise MalformedError(
            f"a neighbour discovery option of {body.remaining + 2} bytes, not {length + 2}"
        )
    return body.rest()

"""The filter language of tcpdump, a subset of pcap-filter(7), as a predicate on frames.

No library has it without libpcap, which needs a compiler. What there is::

    expression := term {(and | && | or | "||") term}       "and" and "or" bind alike, from the left
    term       := [not | !] ( "(" expression ")" | primitive )
    primitive  := [ip | ip6 | arp | tcp | udp] [SIDE] (host | net | port | portrange) VALUE
                | ether (src | dst | host) MAC | ether proto (NUMBER | ip | ip6 | arp)
                | [ether] (broadcast | multicast) | (ip | ip6) multicast
                | ip | ip6 | arp | tcp | udp | icmp | icmp6 | igmp | vlan [ID]
                | less LENGTH | greater LENGTH | ADDRESS | [ip | ip6] proto NUMBER
    SIDE       := src | dst | src or dst

A net may be short, as ``net 10.0``, or have a ``mask``; ports may be names of services. Bytes of
packets, as in ``tcp[13] & 2 != 0``, and ``len`` are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Final

from sdnvirt.addresses import BROADCAST, Ipv4, Mac
from sdnvirt.commands.command import address
from sdnvirt.commands.tcpdump.facts import Facts
from sdnvirt.errors import MalformedError
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.ipv4 import IpProtocol

Predicate = Callable[[Facts], bool]

DEPTH_LIMIT: Final = 50
"""Brackets and negations within each other; each costs a frame of our own stack."""

_TOKEN: Final = re.compile(r"\s*(&&|\|\||[()!]|[^\s()!&|]+)")
_REFUSED: Final = re.compile(r"\w+\[[^\]]*\]?|\blen\b")
_NUMBER: Final = re.compile(r"0x[0-9a-fA-F]{1,8}|0|[1-9]\d{0,8}")
_KINDS: Final[dict[str, Predicate]] = {
    "ip": lambda one: one.ethertype == EtherType.IPV4,
    "ip6": lambda one: one.ethertype == EtherType.IPV6,
    "arp": lambda one: one.ethertype == EtherType.ARP,
    "tcp": lambda one: _is(one, IpProtocol.TCP),
    "udp": lambda one: _is(one, IpProtocol.UDP),
    "icmp": lambda one: _is(one, IpProtocol.ICMP),
    "icmp6": lambda one: _is(one, IpProtocol.ICMPV6),
    "igmp": lambda one: _is(one, IpProtocol.IGMP),
}
_OCTETS: Final = 4
_TYPES: Final = ("host", "net", "port", "portrange")
_DIRECTIONS: Final = {"src": (0,), "dst": (1,)}
_ETHERTYPES: Final = {"ip": EtherType.IPV4, "ip6": EtherType.IPV6, "arp": EtherType.ARP}

SERVICES: Final = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68,
    "tftp": 69, "http": 80, "ntp": 123, "snmp": 161, "bgp": 179, "https": 443, "syslog": 514,
    "openflow": 6653, "vxlan": 4789,
}  # fmt: skip
"""Ports by the names that people know (the registry of RFC 6335)."""


class FilterError(Exception):
    """An expression that is none; the text says where."""


def _is(one: Facts, protocol: int) -> bool:
    return one.ip is not None and one.ip.protocol == protocol


def compile_filter(text: str) -> Predicate:
    """Return what picks frames out as an expression says; all of them for an empty one.

    Raises:
        FilterError: it is none.
    """
    refused = _REFUSED.search(text)
    if refused is not None:
        raise FilterError(f"'{refused[0]}' is not there: bytes and lengths are not computed with")
    tokens = [found[1] for found in _TOKEN.finditer(text)]
    if "".join(tokens) != "".join(text.split()):
        raise FilterError("can't parse filter expression: syntax error")
    if not tokens:
        return lambda _one: True
    parser = _Parser(tokens)
    predicate = parser.expression(0)
    if parser.token:
        raise FilterError(f"can't parse filter expression: syntax error at '{parser.token}'")
    return predicate


class _Parser:
    """Reads tokens from the left, one rule of the grammar a method."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*reversed(tokens)]
        self._like: tuple[str | None, tuple[int, ...], str] | None = None
        """What qualified the primitive before, which ``port 80 or 443`` repeats."""

    @property
    def token(self) -> str:
        """The next token, or "" at the end."""
        return self._tokens[-1] if self._tokens else ""

    def _take(self, *wanted: str) -> str:
        if self.token and (not wanted or self.token in wanted):
            return self._tokens.pop()
        return ""

    def expression(self, depth: int) -> Predicate:
        """Read terms and what joins them."""
        left = self._term(depth)
        while operator := self._take("and", "&&", "or", "||"):
            right = self._term(depth)
            left = _both(left, right) if operator in ("and", "&&") else _either(left, right)
        return left

    def _term(self, depth: int) -> Predicate:
        if depth > DEPTH_LIMIT:
            raise FilterError("can't parse filter expression: too deep")
        if self._take("not", "!"):
            inner = self._term(depth + 1)
            return lambda one: not inner(one)
        if self._take("("):
            inner = self.expression(depth + 1)
            if not self._take(")"):
                raise FilterError("can't parse filter expression: syntax error: no ')'")
            return inner
        return self._primitive()

    def _primitive(self) -> Predicate:
        word = self._take()
        if not word:
            raise FilterError("can't parse filter expression: a term is missing at the end")
        if word == "ether":
            return self._ether()
        if word in ("broadcast", "multicast"):
            return _group(word)
        if word == "vlan":
            wanted = self._number() if self.token.isdecimal() else None
            return lambda one: one.vlan is not None and wanted in (None, one.vlan)
        if word in ("less", "greater"):
            size = self._number()
            return lambda one: one.length <= size if word == "less" else one.length >= size
        kind = word if word in _KINDS else None
        if kind == "ip" and self.token == "broadcast":
            raise FilterError(
                "'ip broadcast' is not there: which addresses are depends on the subnet's mask"
            )
        if kind in ("ip", "ip6") and self._take("multicast"):
            return _both(_KINDS[kind], _to_group)
        if kind is not None:
            if self._take("proto"):
                return _both(_KINDS[kind], _protocol(self._number()))
            if self.token not in (*_TYPES, *_DIRECTIONS):
                return _KINDS[kind]
            word = self._take()
        elif word == "proto":
            return _protocol(self._number())
        return self._qualified(kind, word)

    def _qualified(self, kind: str | None, word: str) -> Predicate:
        sides: tuple[int, ...] = (0, 1)
        if word in _DIRECTIONS:
            sides = self._sides(word)
            word = self._take(*_TYPES) or "host"
        elif word not in _TYPES:  # a value that goes by the qualifiers before, or a host
            like = self._like if self._like is not None and word else (None, sides, "host")
            if address(word) is not None and like[2] not in ("host", "net"):
                like = (None, sides, "host")
            return _matching(*like, word)
        self._like = (kind, sides, word)
        value = self._take()
        if not value:
            raise FilterError(f"can't parse filter expression: a value is missing behind '{word}'")
        if word == "net" and self._take("mask"):
            value += f"/{self._take()}"
        return _matching(kind, sides, word, value)

    def _sides(self, word: str) -> tuple[int, ...]:
        """Read ``src``, ``dst`` or ``src or dst``, which is what holds without them."""
        if len(self._tokens) > 1 and self.token == "or" and self._tokens[-2] in _DIRECTIONS:
            self._take()
            return tuple(sorted({*_DIRECTIONS[word], *_DIRECTIONS[self._take()]}))
        return _DIRECTIONS[word]

    def _ether(self) -> Predicate:
        word = self._take("src", "dst", "host", "proto", "broadcast", "multicast")
        if word == "proto":
            name = self._take(*_ETHERTYPES)
            ethertype: int = _ETHERTYPES[name] if name else self._number()
            return lambda one: one.ethertype == ethertype
        if word in ("broadcast", "multicast"):
            return _group(word)
        text = self._take()
        try:
            mac = Mac(text)
        except MalformedError:
            raise FilterError(f"'{text}' is not a MAC address") from None
        src, dst = word in ("src", "host"), word in ("dst", "host")
        return lambda one: (src and one.src_mac == mac) or (dst and one.dst_mac == mac)

    def _number(self) -> int:
        text = self._take()
        if not _NUMBER.fullmatch(text):
            raise FilterError(f"can't parse filter expression: a number in place of '{text}'")
        return int(text, 0)


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda one: left(one) and right(one)


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda one: left(one) or right(one)


def _group(word: str) -> Predicate:
    if word == "broadcast":
        return lambda one: one.dst_mac == BROADCAST
    return lambda one: one.dst_mac.is_group


def _to_group(one: Facts) -> bool:
    return one.ip is not None and one.ip.dst.is_multicast


def _protocol(number: int) -> Predicate:
    return lambda one: one.ip is not None and one.ip.protocol == number


def _matching(kind: str | None, sides: tuple[int, ...], what: str, value: str) -> Predicate:
    """Return whether an address or port of the sides is the value."""
    test = _ports(sides, what, value) if what.startswith("port") else _hosts(sides, what, value)
    return test if kind is None else _both(_KINDS[kind], test)


def _ports(sides: tuple[int, ...], what: str, value: str) -> Predicate:
    first, _, last = value.partition("-")
    first = str(SERVICES.get(value, first))
    last = last if what == "portrange" and value not in SERVICES else first
    if not (first.isdecimal() and last.isdecimal()) or max(int(first), int(last)) > 0xFFFF:
        raise FilterError(f"invalid port '{value}'")
    low, high = int(first), int(last)
    return lambda one: one.ports is not None and any(low <= one.ports[n] <= high for n in sides)


def _whole(value: str) -> str:
    """Return a net that may have been written short, as ``10.0`` for 10.0.0.0/16."""
    parts = value.split(".")
    if len(parts) < _OCTETS and all(part.isdecimal() for part in parts):
        return ".".join(parts + ["0"] * (_OCTETS - len(parts))) + f"/{8 * len(parts)}"
    return value


def _hosts(sides: tuple[int, ...], what: str, value: str) -> Predicate:
    try:
        network = ip_network(_whole(value) if what == "net" else value, strict=what == "net")
    except ValueError:
        raise FilterError(f"'{value}' is not an address{' prefix' * (what == 'net')}") from None
    bits = network.max_prefixlen - network.prefixlen
    wanted, is_v4 = int(network.network_address) >> bits, network.version == 4

    def holds(one: Facts) -> bool:
        found = one.addresses
        return found is not None and any(
            isinstance(found[n], Ipv4) == is_v4 and int(found[n]) >> bits == wanted for n in sides
        )

    return holds

"""A frame as tcpdump prints it."""

from __future__ import annotations

from typing import Final

from sdnvirt.addresses import IpAddress
from sdnvirt.commands.tcpdump import icmp
from sdnvirt.commands.tcpdump.facts import Facts, is_later_fragment
from sdnvirt.errors import WireError
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.icmp import Icmp
from sdnvirt.wire.icmpv6 import Icmpv6
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import PROTOCOL_NAMES, IpProtocol, Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet
from sdnvirt.wire.tcp import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, Tcp
from sdnvirt.wire.udp import Udp

_FLAGS: Final = (
    (FIN, "F"), (SYN, "S"), (RST, "R"), (PSH, "P"), (URG, "U"), (ECE, "E"), (CWR, "W"), (ACK, "."),
)  # fmt: skip
_NAMES: Final = {EtherType.ARP: "ARP", EtherType.IPV4: "IPv4", EtherType.IPV6: "IPv6"}


class Printer:
    """Prints frames; it remembers where streams of TCP began, to count from there.

    Args:
        link: whether addresses of Ethernet are told.
        verbose: whether the header of IP is told.
    """

    def __init__(self, *, link: bool, verbose: bool) -> None:
        self._link = link
        self._verbose = verbose
        self._begins: dict[tuple[IpAddress, int, IpAddress, int], int] = {}

    def line(self, one: Facts, time_ns: int) -> str:
        """Return the line of a frame that passed at a time (ns)."""
        head = ""
        if self._link:
            name = _NAMES.get(EtherType(one.ethertype), "") if one.ethertype in _NAMES else ""
            name = f"ethertype {name or 'Unknown'} (0x{one.ethertype:04x})"
            tag = "" if one.vlan is None else f"vlan {one.vlan}, "
            head = f"{one.src_mac} > {one.dst_mac}, {tag}{name}, length {one.length}: "
        return f"{clock(time_ns)} {head}{self._network(one)}"

    def _network(self, one: Facts) -> str:
        kind = "" if self._link else _prefix(one)
        if one.arp is not None:
            text = str(one.arp)
            text = text.removeprefix("ARP, ") if self._link else text
            return f"{text}, length {len(one.payload)}"
        if one.ip is None:
            return f"{kind}length {len(one.payload)}"
        header = f"({_header(one.ip)})\n    " if self._verbose else ""
        return f"{kind}{header}{self._transport(one, one.ip)}"

    def _transport(self, one: Facts, packet: IpPacket) -> str:
        ends = f"{packet.src} > {packet.dst}"
        if is_later_fragment(packet):
            return f"{ends}: {_name(packet.protocol)}"
        if one.ports is not None:
            ends = f"{packet.src}.{one.ports[0]} > {packet.dst}.{one.ports[1]}"
        try:
            return f"{ends}: {self._content(packet)}"
        except WireError:
            return f"{ends}: {_name(packet.protocol)}, length {len(packet.payload)}"

    def _content(self, packet: IpPacket) -> str:
        if packet.is_fragment:
            return f"{_name(packet.protocol)}, length {len(packet.payload)}"
        if packet.protocol == IpProtocol.TCP:
            return self._tcp(packet, Tcp.parse(packet.payload, packet.src, packet.dst))
        if packet.protocol == IpProtocol.UDP:
            datagram = Udp.parse(packet.payload, packet.src, packet.dst)
            return f"UDP, length {len(datagram.payload)}"
        if packet.protocol == IpProtocol.ICMP:
            return icmp.words(Icmp.parse(packet.payload))
        if packet.protocol == IpProtocol.ICMPV6 and isinstance(packet, Ipv6Packet):
            return icmp.words(Icmpv6.parse(packet.payload, packet.src, packet.dst))
        return f"{_name(packet.protocol)}, length {len(packet.payload)}"

    def _tcp(self, packet: IpPacket, segment: Tcp) -> str:
        ends = (packet.src, segment.src_port, packet.dst, segment.dst_port)
        back = (packet.dst, segment.dst_port, packet.src, segment.src_port)
        fresh = segment.flags & SYN
        if fresh:
            self._begins[ends] = segment.seq
        if len(self._begins) > STREAMS_LIMIT:
            del self._begins[next(iter(self._begins))]
        begin = 0 if fresh else self._begins.get(ends, 0)
        seq = (segment.seq - begin) & 0xFFFFFFFF
        length = len(segment.payload)
        flags = "".join(letter for flag, letter in _FLAGS if segment.flags & flag) or "none"
        words = [f"Flags [{flags}]"]
        if length:
            words.append(f"seq {seq}:{(seq + length) & 0xFFFFFFFF}")
        elif segment.flags & (SYN | FIN | RST):
            words.append(f"seq {seq}")
        if segment.flags & ACK:
            begin = self._begins.get(back, 0) if not fresh else 0
            words.append(f"ack {(segment.ack - begin) & 0xFFFFFFFF}")
        words.append(f"win {segment.window}")
        if options := _options(segment):
            words.append(f"options [{options}]")
        return ", ".join([*words, f"length {length}"])


STREAMS_LIMIT: Final = 10_000
"""Directions of streams of which the beginning is remembered."""


def clock(time_ns: int) -> str:
    """Return a virtual time as the time of a day, to the microsecond."""
    seconds, rest = divmod(time_ns, NS_PER_S)
    hours, minutes = seconds // 3600 % 24, seconds // 60 % 60
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}.{rest // 1000:06}"


def _prefix(one: Facts) -> str:
    if one.ethertype == EtherType.IPV4:
        return "IP "
    if one.ethertype == EtherType.IPV6:
        return "IP6 "
    return f"{one.src_mac} > {one.dst_mac}, ethertype Unknown (0x{one.ethertype:04x}), "


def _header(packet: IpPacket) -> str:
    name = f"proto {_name(packet.protocol)} ({packet.protocol})"
    if isinstance(packet, Ipv4Packet):
        kind = (packet.dscp << 2) | packet.ecn
        flags = "DF" if packet.dont_fragment else "+" if packet.more_fragments else "none"
        length = 20 + len(packet.options) + len(packet.payload)
        return (
            f"tos 0x{kind:x}, ttl {packet.ttl}, id {packet.identification}, "
            f"offset {packet.fragment_offset}, flags [{flags}], {name}, length {length}"
        )
    return (
        f"hlim {packet.hop_limit}, next-header {_name(packet.protocol)} ({packet.protocol}) "
        f"payload length: {packet.length - 40}"
    )


def _name(protocol: int) -> str:
    return PROTOCOL_NAMES.get(protocol, f"ip-proto-{protocol}")


def _options(segment: Tcp) -> str:
    words = []
    offered = segment.syn_options
    if offered.mss is not None:
        words.append(f"mss {offered.mss}")
    if offered.sack_permitted:
        words.append("sackOK")
    if segment.timestamp is not None:
        words.append(f"TS val {segment.timestamp[0]} ecr {segment.timestamp[1]}")
    if offered.window_scale is not None:
        words.append(f"wscale {offered.window_scale}")
    if segment.sack:
        blocks = "".join(f"{{{start}:{end}}}" for start, end in segment.sack)
        words.append(f"sack {len(segment.sack)} {blocks}")
    return ",".join(words)

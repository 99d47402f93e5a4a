"""TCP segments over IPv4 and IPv6 (RFC 9293, 3.1; options RFC 7323 and RFC 2018; ECN RFC 3168).

Options that only a SYN may carry are a value of their own, so a segment of the middle of a
connection has none of them. Options that are not known here are skipped (RFC 9293, MUST-6).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.checksum import ChecksumError, address_sum, internet_checksum
from sdnvirt.wire.cursor import Cursor
from sdnvirt.wire.ipv4 import IpProtocol

HEADER_LENGTH: Final = 20
"""Bytes of the header without options."""

MAX_OPTIONS_LENGTH: Final = 40
"""The data offset has four bits and counts words, five of which the header takes."""

TIMESTAMP_LENGTH: Final = 12
"""Bytes that timestamps take in each segment, two of padding included (RFC 7323, appendix A)."""

MAX_SACK_BLOCKS: Final = 4
"""As many as fit into the options, if there are no timestamps (RFC 2018, section 3)."""

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10
URG: Final = 0x20
ECE: Final = 0x40
CWR: Final = 0x80

_LETTERS: Final = ((SYN, "S"), (FIN, "F"), (RST, "R"), (PSH, "P"), (URG, "U"), (ECE, "E"),
                   (CWR, "W"), (ACK, "."))  # fmt: skip
"""Flags as tcpdump writes them, in its order."""

_PROTOCOL: Final = int(IpProtocol.TCP)  # plain integers add faster
_LAYOUT: Final = struct.Struct("!HHIIHHHH")
_TIMES: Final = struct.Struct("!II")
_WITH_TIMES: Final = struct.Struct("!HHIIHHHHIII")
"""The header with timestamps and nothing else as its options: that of nearly all segments."""

_END: Final = 0
_NO_OPERATION: Final = 1
_MSS: Final = 2
_WINDOW_SCALE: Final = 3
_SACK_PERMITTED: Final = 4
_SACK: Final = 5
_TIMESTAMP: Final = 8
"""Kinds of options (the IANA registry of TCP option kinds)."""

_TIMESTAMP_HEAD: Final = 0x0101080A
"""Two no-operations, kind and length: how most segments' options begin (RFC 7323, appendix A)."""

_TIMESTAMP_OFFSET: Final = (HEADER_LENGTH + TIMESTAMP_LENGTH) >> 2 << 4
"""The byte of a header with timestamps only that holds the data offset."""

SackBlocks = tuple[tuple[int, int], ...]
"""Blocks of received bytes: the first sequence number of each, and the one behind its last."""

Timestamp = tuple[int, int]
"""The sender's clock (TSval), and the other side's that it saw last (TSecr), 32 bits each."""


@dataclass(frozen=True, slots=True)
class SynOptions:
    """What a SYN offers.

    Attributes:
        mss: largest segment that its sender takes, bytes without headers; None if it does not say.
        window_scale: how far its later windows are shifted, bits; None if they are not.
        sack_permitted: whether it understands selective acknowledgements.
    """

    mss: int | None = None
    window_scale: int | None = None
    sack_permitted: bool = False


NO_SYN_OPTIONS: Final = SynOptions()


@dataclass(slots=True)
class Tcp:
    """A TCP segment; only who makes it changes it, before it is sent. One is made for each packet.

    Attributes:
        src_port: port of the sender, 16 bits.
        dst_port: port of the receiver, 16 bits.
        seq: sequence number of the first byte, or of the SYN, 32 bits.
        ack: the next sequence number expected, 32 bits; means nothing without the flag ACK.
        flags: of FIN to CWR, 8 bits.
        window: as it stands in the header, not shifted, 16 bits.
        payload: the data.
        timestamp: the timestamps, or None.
        sack: blocks that arrived beyond ``ack``, the latest first.
        syn_options: what a SYN offers; nothing in other segments.
        urgent: the urgent pointer, 16 bits; means nothing without the flag URG.
    """

    src_port: int
    dst_port: int
    seq: int
    ack: int
    flags: int
    window: int
    payload: bytes = b""
    timestamp: Timestamp | None = None
    sack: SackBlocks = ()
    syn_options: SynOptions = NO_SYN_OPTIONS
    urgent: int = 0

    @property
    def length(self) -> int:
        """The sequence numbers that it takes: its data, SYN and FIN (RFC 9293, 3.4)."""
        flags = self.flags
        return len(self.payload) + (flags & FIN) + ((flags & SYN) >> 1)

    @classmethod
    def parse(cls, data: bytes, src: bytes, dst: bytes) -> Self:
        """Return the segment that the whole payload of an IP packet is.

        Args:
            data: the payload.
            src: source address of the packet, 4 or 16 bytes, which the checksum covers.
            dst: destination address of the packet.

        Raises:
            TruncatedError: the bytes end before the header does, or its options do within one.
            MalformedError: the data offset, or the length of an option, is not allowed.
            ChecksumError: the checksum is wrong.
        """
        return cls.parse_between(data, address_sum(src, dst))

    @classmethod
    def parse_between(cls, data: bytes, addresses: int) -> Self:
        """Return the segment that the whole payload of an IP packet is; see :meth:`parse`.

        Args:
            data: the payload.
            addresses: what the packet's addresses add to the checksum, by :func:`address_sum`.
        """
        size = len(data)
        if size < HEADER_LENGTH:
            raise TruncatedError(f"a TCP segment of {size} bytes has no whole header")
        if internet_checksum(data, addresses + _PROTOCOL + size):
            raise ChecksumError("the TCP checksum is wrong")
        if data[12] & 0xF0 == _TIMESTAMP_OFFSET and size >= _WITH_TIMES.size:
            src_port, dst_port, seq, ack, offset, window, _, urgent, head, value, echo = (
                _WITH_TIMES.unpack_from(data)
            )
            if head == _TIMESTAMP_HEAD:
                return cls(
                    src_port, dst_port, seq, ack, offset & 0xFF, window, data[_WITH_TIMES.size :],
                    (value, echo), (), NO_SYN_OPTIONS, urgent,
                )  # fmt: skip
        src_port, dst_port, seq, ack, offset, window, _, urgent = _LAYOUT.unpack_from(data)
        end = offset >> 12 << 2
        flags = offset & 0xFF
        if end == HEADER_LENGTH:
            return cls(src_port, dst_port, seq, ack, flags, window, data[end:], urgent=urgent)
        if end < HEADER_LENGTH:
            raise MalformedError(f"a TCP header of {end} bytes")
        if end > size:
            raise TruncatedError(f"a TCP header of {end} bytes in {size}")
        options = _Options(Cursor(data, HEADER_LENGTH, end))
        return cls(
            src_port, dst_port, seq, ack, flags, window, data[end:], options.timestamp,
            options.sack, options.offered() if flags & SYN else NO_SYN_OPTIONS, urgent,
        )  # fmt: skip

    def emit(self, src: bytes, dst: bytes) -> bytes:
        """Return the bytes of the segment, with the checksum for these addresses."""
        return self.emit_between(address_sum(src, dst))

    def emit_between(self, addresses: int) -> bytes:
        """Return the bytes of the segment.

        Args:
            addresses: what its addresses add to the checksum, by :func:`address_sum`.
        """
        # The sum does not see where its words stand, so the header is added as numbers and
        # packed once (RFC 1071, section 2).
        payload = self.payload
        timestamp = self.timestamp
        total = (
            addresses + _PROTOCOL + len(payload) + self.src_port + self.dst_port + self.seq
            + self.ack + self.window + self.urgent
        )  # fmt: skip
        if timestamp is not None and not self.sack and self.syn_options is NO_SYN_OPTIONS:
            value, echo = timestamp
            offset = _TIMESTAMP_OFFSET << 8 | self.flags
            total += _WITH_TIMES.size + offset + _TIMESTAMP_HEAD + value + echo
            return _WITH_TIMES.pack(
                self.src_port, self.dst_port, self.seq, self.ack, offset, self.window,
                internet_checksum(payload, total), self.urgent, _TIMESTAMP_HEAD, value, echo,
            ) + payload  # fmt: skip
        options = self._emit_options()
        header = HEADER_LENGTH + len(options)
        offset = header << 10 | self.flags
        checksum = internet_checksum(
            payload, total + header + offset + int.from_bytes(options, "big")
        )
        return (
            _LAYOUT.pack(
                self.src_port, self.dst_port, self.seq, self.ack, offset, self.window, checksum,
                self.urgent,
            ) + options + payload
        )  # fmt: skip

    def _emit_options(self) -> bytes:
        options = b""
        if self.syn_options is not NO_SYN_OPTIONS:
            options = _emit_syn_options(self.syn_options)
        if self.timestamp is not None:
            options += _TIMESTAMP_HEAD.to_bytes(4, "big") + _TIMES.pack(*self.timestamp)
        if self.sack:
            options += bytes((_NO_OPERATION, _NO_OPERATION, _SACK, 2 + 8 * len(self.sack)))
            for block in self.sack:
                options += _TIMES.pack(*block)
        assert len(options) <= MAX_OPTIONS_LENGTH, "TCP options too long"
        return options

    def __str__(self) -> str:
        return f"TCP, {self.src_port} > {self.dst_port} {self.summary()}"

    def summary(self) -> str:
        """Return what the segment says, without its ports, as tcpdump would."""
        flags = "".join(letter for flag, letter in _LETTERS if self.flags & flag) or "none"
        ack = f", ack {self.ack}" if self.flags & ACK else ""
        sack = "".join(f" {start}-{end}" for start, end in self.sack)
        return (
            f"[{flags}], seq {self.seq}{ack}, "
            f"win {self.window}{f', sack{sack}' if sack else ''}, length {len(self.payload)}"
        )


def _emit_syn_options(options: SynOptions) -> bytes:
    """Return the options of a SYN, each padded to whole words."""
    data = b""
    if options.mss is not None:
        data += bytes((_MSS, 4)) + options.mss.to_bytes(2, "big")
    if options.window_scale is not None:
        data += bytes((_NO_OPERATION, _WINDOW_SCALE, 3, options.window_scale))
    if options.sack_permitted:
        data += bytes((_NO_OPERATION, _NO_OPERATION, _SACK_PERMITTED, 2))
    return data


class _Options:
    """The options of a header, as they are found one after the other; the last of a kind counts."""

    __slots__ = ("mss", "sack", "sack_permitted", "timestamp", "window_scale")

    def __init__(self, cursor: Cursor) -> None:
        self.mss: int | None = None
        self.window_scale: int | None = None
        self.sack_permitted = False
        self.sack: SackBlocks = ()
        self.timestamp: Timestamp | None = None
        while not cursor.at_end:
            kind = cursor.u8()
            if kind == _END:
                return
            if kind != _NO_OPERATION:
                length = cursor.u8()
                if length < 2:  # RFC 9293, MUST-7
                    raise MalformedError(f"a TCP option {kind} with a length of {length}")
                self._take(kind, cursor.take(length - 2))

    def _take(self, kind: int, value: bytes) -> None:
        length = len(value)
        if kind == _TIMESTAMP and length == _TIMES.size:
            self.timestamp = _TIMES.unpack(value)
        elif kind == _SACK and length and not length % _TIMES.size:
            self.sack = tuple(_TIMES.iter_unpack(value))
        elif kind == _MSS and length == 2:
            self.mss = int.from_bytes(value, "big")
        elif kind == _WINDOW_SCALE and length == 1:
            self.window_scale = value[0]
        elif kind == _SACK_PERMITTED and not length:
            self.sack_permitted = True
        elif kind in (_MSS, _WINDOW_SCALE, _SACK_PERMITTED, _SACK, _TIMESTAMP):
            raise MalformedError(f"a TCP option {kind} with a length of {length + 2}")

    def offered(self) -> SynOptions:
        """Return what a SYN with these options offers."""
        return SynOptions(self.mss, self.window_scale, self.sack_permitted)

"""The datagrams of iperf 2: a number and the time of sending; the last ones have negative numbers.

The receiver answers the last with what it found out: the *server report*.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sdnvirt.units import NS_PER_S

HEADER: Final = struct.Struct("!iII")
"""Number, seconds and microseconds."""

REPORT: Final = struct.Struct("!iiiiiiiiii")
"""Flags, bytes (two words), seconds, microseconds, lost, out of order, datagrams, and the jitter in
seconds and microseconds."""

HAS_REPORT: Final = 1 << 31

_NS_PER_US: Final = 1000


class ServerReport(NamedTuple):
    """What the receiver found out."""

    size: int
    duration_ns: int
    lost: int
    late: int
    total: int
    jitter_ns: int


def stamp(number: int, now: int, length: int) -> bytes:
    """Return a datagram of so many bytes."""
    seconds, rest = divmod(now, NS_PER_S)
    return HEADER.pack(number, seconds, rest // _NS_PER_US).ljust(length, b"\0")


def read(data: bytes) -> tuple[int, int] | None:
    """Return the number of a datagram and when it was sent (ns), or None if it is none."""
    if len(data) < HEADER.size:
        return None
    number, seconds, microseconds = HEADER.unpack_from(data)
    return number, seconds * NS_PER_S + microseconds * _NS_PER_US


def emit_report(answered: bytes, report: ServerReport) -> bytes:
    """Return the answer to a last datagram."""
    seconds, rest = divmod(report.duration_ns, NS_PER_S)
    jitter_s, jitter = divmod(report.jitter_ns, NS_PER_S)
    high, low = divmod(report.size, 1 << 32)
    words = (
        HAS_REPORT, high, low, seconds, rest // _NS_PER_US, report.lost, report.late,
        report.total, jitter_s, jitter // _NS_PER_US,
    )  # fmt: skip
    signed = (word - (1 << 32) if word >= 1 << 31 else word for word in words)
    return answered[: HEADER.size] + REPORT.pack(*signed)


def parse_report(data: bytes) -> ServerReport | None:
    """Return the report in an answer, or None if there is none."""
    if len(data) < HEADER.size + REPORT.size:
        return None
    words = [word & 0xFFFFFFFF for word in REPORT.unpack_from(data, HEADER.size)]
    if not words[0] & HAS_REPORT:
        return None
    _, high, low, seconds, microseconds, lost, late, total, jitter_s, jitter_us = words
    return ServerReport(
        high << 32 | low, seconds * NS_PER_S + microseconds * _NS_PER_US, lost, late, total,
        jitter_s * NS_PER_S + jitter_us * _NS_PER_US,
    )  # fmt: skip

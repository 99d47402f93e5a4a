"""What an owner of connections may choose, and the limits that hold for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.host.tcp.congestion import CongestionControl
from sdnvirt.host.tcp.cubic import Cubic
from sdnvirt.units import NS_PER_S

DEFAULT_BUFFER: Final = 2 * 1024 * 1024
"""Bytes that wait to be sent or read, at most: enough for 1 Gbit/s over 16 ms or 100 Mbit/s over
160 ms, and 1,000 connections that read nothing hold 2 GB at worst."""

SMALLEST_BUFFER: Final = 4096
"""Less would not hold a few segments, and windows would be silly (RFC 9293, 3.8.6.2)."""

MAX_WINDOW_SCALE: Final = 14
"""A window is below 1 GiB (RFC 7323, 2.3)."""

LARGEST_BUFFER: Final = 0xFFFF << MAX_WINDOW_SCALE
"""What a window can tell of."""

DELAYED_ACK_NS: Final = NS_PER_S // 25
"""An acknowledgement waits for a second segment or for data to go with: 40 ms as in Linux; less
than 0.5 s is required (RFC 9293, 3.8.6.3, MUST-40)."""

QUICK_ACKS: Final = 16
"""Segments that are acknowledged at once while a connection is young: slow start counts
acknowledgements, and Linux does so, too."""

GIVE_UP_NS: Final = 100 * NS_PER_S
"""Without an answer for so long the connection is lost: R2 (RFC 9293, 3.8.3, SHLD-11)."""

GIVE_UP_SYN_NS: Final = 180 * NS_PER_S
"""The same for a SYN: three minutes at least (RFC 9293, 3.8.3, MUST-23)."""

TIME_WAIT_NS: Final = 60 * NS_PER_S
"""Twice the lifetime of a segment, which is 30 s in hosts as people know them. Nothing lives
longer in an emulated network (RFC 9293, 3.4.1 has 2 minutes as an engineering choice)."""

FIN_WAIT_2_NS: Final = 60 * NS_PER_S
"""How long a connection that its owner has left waits for the peer's FIN, which may never come."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Probes on a connection where nothing happens (RFC 9293, 3.8.4).

    Attributes:
        idle_ns: time without a segment from the peer until the first probe; two hours at least by
            default (MUST-28), less by the owner's choice.
        interval_ns: time between probes.
        count: probes without an answer after which the connection is lost (MUST-29).
    """

    idle_ns: int = 7200 * NS_PER_S
    interval_ns: int = 75 * NS_PER_S
    count: int = 9


@dataclass(frozen=True, slots=True)
class TcpParameters:
    """How a connection behaves.

    Attributes:
        congestion: the strategy of congestion control.
        send_buffer: bytes that may wait to be sent or acknowledged, from SMALLEST_BUFFER.
        receive_buffer: bytes that may wait to be read, from SMALLEST_BUFFER to LARGEST_BUFFER.
        no_delay: whether small segments are sent at once, without Nagle's algorithm.
        delayed_ack_ns: how long an acknowledgement may wait, below 500 ms.
        timestamps: whether to offer timestamps (RFC 7323, 3).
        window_scaling: whether to offer scaled windows (RFC 7323, 2).
        sack: whether to offer selective acknowledgements (RFC 2018).
        ecn: whether to ask for explicit congestion notification; whoever is asked agrees always.
        keep_alive: probes on an idle connection; None, the default, for none (MUST-25).
        give_up_ns: without an answer for so long the connection is lost: R2 (MUST-21).
    """

    congestion: type[CongestionControl] = Cubic
    send_buffer: int = DEFAULT_BUFFER
    receive_buffer: int = DEFAULT_BUFFER
    no_delay: bool = False
    delayed_ack_ns: int = DELAYED_ACK_NS
    timestamps: bool = True
    window_scaling: bool = True
    sack: bool = True
    ecn: bool = False
    keep_alive: KeepAlive | None = None
    give_up_ns: int = GIVE_UP_NS

    def __post_init__(self) -> None:
        assert self.send_buffer >= SMALLEST_BUFFER, "send buffer too small"
        assert SMALLEST_BUFFER <= self.receive_buffer <= LARGEST_BUFFER, "receive buffer"
        assert 0 <= self.delayed_ack_ns < NS_PER_S // 2, "RFC 9293, MUST-40"

    @property
    def window_scale(self) -> int:
        """The least shift that lets a window tell of the whole receive buffer."""
        return max(self.receive_buffer.bit_length() - 16, 0) if self.window_scaling else 0


DEFAULT_PARAMETERS: Final = TcpParameters()

"""The receiving side of a connection: the window, and when to acknowledge.

RFC 9293, 3.8.6.2.2 (windows) and 3.8.6.3 (delayed acknowledgements); RFC 3168 (marks).
"""

from __future__ import annotations

from typing import Final

from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.tcp.parameters import QUICK_ACKS, TcpParameters
from sdnvirt.host.tcp.reassembly import ReceiveBuffer

_WINDOW_MAX: Final = 0xFFFF


class Receiver:
    """The receive sequence space of RFC 9293, 3.3.1, in unwrapped numbers.

    Attributes:
        buffer: what has arrived.
        edge: the number behind the last byte that the peer was allowed to send.
        scale: how far the windows that are told are shifted, bits.
        acked: the number that was last sent as an acknowledgement.
        ack_now: whether the peer is to hear at once.
        ack_deadline_ns: when it is to hear at the latest, or NEVER.
        fin: the number of the peer's FIN once that has arrived, or None.
        congested: whether the peer is to be told of a mark of congestion (ECE).
    """

    __slots__ = (
        "_answers", "_arrived_ns", "_capacity", "_delay_ns", "_largest", "_quick", "_waiting",
        "ack_deadline_ns", "ack_now", "acked", "buffer", "congested", "edge", "fin", "scale",
    )  # fmt: skip

    def __init__(self, parameters: TcpParameters) -> None:
        self._capacity = parameters.receive_buffer
        self._delay_ns = parameters.delayed_ack_ns
        self._largest = 1
        self._quick = QUICK_ACKS
        self._waiting = 0
        self.ack_now = False
        self.ack_deadline_ns = NEVER
        self.scale = 0
        self.fin: int | None = None
        self.congested = False
        self._arrived_ns = 0
        self._answers = False
        self.begin(0)

    def begin(self, irs: int) -> None:
        """Stand behind the peer's SYN with the number ``irs``."""
        self.buffer = ReceiveBuffer(irs + 1)
        self.acked = irs
        self.edge = irs + 1 + min(self._capacity, _WINDOW_MAX)

    @property
    def nxt(self) -> int:
        """The next number that is acknowledged: behind the data, and the FIN that follows them."""
        nxt = self.buffer.nxt
        return nxt + (nxt == self.fin)

    @property
    def finished(self) -> bool:
        """Whether the peer's FIN and all before it have arrived."""
        return self.buffer.nxt == self.fin

    @property
    def drained(self) -> bool:
        """Whether the owner has read everything, and nothing more comes."""
        return self.buffer.nxt == self.fin and not self.buffer.unread

    def first_window(self) -> int:
        """Return the window of a SYN, which is never shifted (RFC 7323, 2.2)."""
        return min(self._capacity, _WINDOW_MAX)

    def window_opened(self) -> bool:
        """Whether the owner has read so much that the peer should hear of it by itself."""
        known = self.edge - self.buffer.nxt
        if 2 * known >= self._capacity:
            return False
        opened = self._capacity - self.buffer.unread - known
        return opened >= min(2 * self._largest, self._capacity >> 1)

    def acceptable(self, seq: int, length: int) -> bool:
        """Whether a segment touches the window (RFC 9293, 3.10.7.4, first, table 6).

        Without data it may stand at the very edge, too: that is where the acknowledgements of a
        peer stand that has filled the window.
        """
        nxt = self.nxt
        if not length:
            return nxt <= seq <= self.edge
        return seq < self.edge and seq + length > nxt

    def take(self, seq: int, data: bytes, now: int) -> bool:
        """Take the data of an acceptable segment; return whether there was room for them."""
        buffer = self.buffer
        end = self.edge if self.fin is None else min(self.edge, self.fin)
        if seq + len(data) > end:
            data = data[: max(end - seq, 0)]
        if not data or seq + len(data) <= buffer.nxt:
            self.ack_now = True
            return True
        size = len(data)
        in_order = seq == buffer.nxt and not buffer.gaps
        if not buffer.insert(seq, data):
            self.ack_now = True
            return False
        self._arrived(size, now)
        if not in_order:  # there is a gap, or was until now (RFC 5681, 4.2)
            self.ack_now = True
        return True

    def take_next(self, data: bytes, now: int) -> None:
        """Take data that begin at ``nxt``, end within the window, and have no gaps behind."""
        self.buffer.append(data)
        self._arrived(len(data), now)

    def _arrived(self, size: int, now: int) -> None:
        """Decide when to acknowledge so many bytes more."""
        self._arrived_ns = now
        if size > self._largest:
            self._largest = size
        self._waiting += size
        if self._quick or self._waiting >= 2 * self._largest:
            if self._quick:
                self._quick -= 1
            self.ack_now = True
        elif self.ack_deadline_ns == NEVER:
            self.ack_deadline_ns = now + self._delay_ns

    def pushed(self) -> None:
        """The peer has sent all that it may for now (PSH): so it waits for the acknowledgement.

        Delaying that would wait for a segment that does not come. An owner who answers what it
        receives is given the time to, as in Linux: then one segment carries both.
        """
        if not self._answers:
            self.ack_now = True

    def answered(self, now: int) -> None:
        """Data were sent; if others have just arrived, they are an answer."""
        if self._arrived_ns and now - self._arrived_ns < self._delay_ns:
            self._answers = True

    def take_fin(self, seq: int) -> None:
        """The peer's stream ends at a number within the window."""
        if self.fin is None and self.buffer.nxt <= seq <= self.edge:
            self.fin = seq
        self.ack_now = True

    def acknowledge(self) -> tuple[int, int]:
        """Return what a segment that is sent now acknowledges, and its window; nothing waits then.

        A window that was told before is never taken back (SHLD-14), and it is opened by a whole
        segment at least (RFC 9293, 3.8.6.2.2).
        """
        buffer = self.buffer
        nxt = buffer.nxt
        edge = nxt + self._capacity - buffer.unread
        opened = edge - self.edge
        if opened >= self._largest or 2 * opened >= self._capacity:
            self.edge = edge
        window = (self.edge - nxt) >> self.scale
        if nxt == self.fin:
            nxt += 1
        self._waiting = 0
        self.ack_now = False
        self.ack_deadline_ns = NEVER
        self.acked = nxt
        return nxt, window if window < _WINDOW_MAX else _WINDOW_MAX

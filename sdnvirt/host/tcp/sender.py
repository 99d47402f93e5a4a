"""The sending side of a connection: what goes out when, and what goes out again.

Windows and small segments are RFC 9293, 3.8.6; loss recovery is RFC 6675 with selective
acknowledgements. Without them it is NewReno's (RFC 6582), told in the same terms: each duplicate
acknowledgement says that one segment more has left the network. That is the amount by which
NewReno inflates its window, and limited transmit (RFC 3042) follows from it, too.
"""

from __future__ import annotations

from enum import Enum

from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.tcp.congestion import CongestionControl
from sdnvirt.host.tcp.parameters import TcpParameters
from sdnvirt.host.tcp.rtt import RttEstimator
from sdnvirt.host.tcp.scoreboard import DUPLICATES, Scoreboard
from sdnvirt.host.tcp.send_buffer import SendBuffer
from sdnvirt.wire.tcp import SackBlocks

Chunk = tuple[int, bytes, bool, bool]
"""A part of the stream that is to be sent now: the sequence number of its first byte, unwrapped;
the bytes; whether the stream ends behind them; and whether it is sent for the first time."""


class Recovery(Enum):
    """What is done about losses."""

    NONE = "nothing is known to be lost"
    FAST = "acknowledgements told of a loss (RFC 5681, 3.2)"
    TIMEOUT = "the retransmission timer expired, or the path takes smaller segments only"


class Sender:
    """The send sequence space of RFC 9293, 3.3.1, in unwrapped numbers.

    Attributes:
        una: the oldest number that is not acknowledged.
        nxt: the next number to be sent.
        window: bytes from ``una`` on that the peer takes.
        largest_window: the largest that it ever took.
        mss: bytes of a full segment's data.
        buffer: what was written and is not acknowledged.
        finished: whether the owner writes no more, so that a FIN follows the buffer.
        sack_permitted: whether the peer sends selective acknowledgements.
        no_delay: whether small segments are sent at once.
        congestion: the strategy of congestion control.
        rtt: the round trips.
        recovery: what is done about losses.
        deadline_ns: when :meth:`expired` is to be called, or NEVER.
        timed_seq: the acknowledgement of this number measures the round trip; None if no segment
            on the way was sent just once.
        progress_ns: when the peer last acknowledged something, or was asked to.
        reduced: whether the next new segment has to tell that the window was reduced (CWR).
    """

    __slots__ = (
        "_duplicates", "_ecn_until", "_expired_at", "_forced", "_limited", "_lost_edge",
        "_probing", "_recover", "_resent", "_resent_before", "_scoreboard", "_sent_ns",
        "_timed_ns", "buffer", "congestion", "deadline_ns", "finished", "largest_window", "mss",
        "no_delay", "nxt", "progress_ns", "recovery", "reduced", "rtt", "sack_permitted",
        "timed_seq", "una", "window",
    )  # fmt: skip

    def __init__(self, iss: int, mss: int, parameters: TcpParameters) -> None:
        """Stand behind a SYN with the number ``iss``, which is not acknowledged yet."""
        self.una = iss
        self.nxt = iss + 1
        self.window = 0
        self.mss = mss
        self.buffer = SendBuffer(self.nxt, parameters.send_buffer)
        self.finished = False
        self.sack_permitted = False
        self.no_delay = parameters.no_delay
        self.congestion: CongestionControl = parameters.congestion(mss)
        self.rtt = RttEstimator()
        self.recovery = Recovery.NONE
        self.deadline_ns = NEVER
        self.progress_ns = 0
        self.reduced = False
        self._scoreboard = Scoreboard()
        self.largest_window = 0
        self._duplicates = 0
        self._recover = self._ecn_until = self._expired_at = iss
        self._lost_edge = self._resent = self._resent_before = iss
        """In recovery: all that is missing before the first is lost, before the second was sent
        again; what is behind the third was sent after all that."""
        self._forced = self._probing = self._limited = False
        self.timed_seq: int | None = None
        self._timed_ns = self._sent_ns = 0

    @property
    def fin_acknowledged(self) -> bool:
        """Whether the peer has everything, the FIN included."""
        return self.finished and self.una > self.buffer.end

    @property
    def flight(self) -> int:
        """Bytes that were sent and not acknowledged (RFC 5681, FlightSize)."""
        return self.nxt - self.una

    def resize(self, mss: int) -> None:
        """Before anything is sent: full segments have so many bytes of data."""
        self.mss = mss
        self.congestion = type(self.congestion)(mss)

    def use(self, strategy: type[CongestionControl]) -> None:
        """Go on by another strategy of congestion control, from the window as it is."""
        before, self.congestion = self.congestion, strategy(self.mss)
        self.congestion.cwnd, self.congestion.ssthresh = before.cwnd, before.ssthresh

    def opened(self, now: int) -> None:
        """The SYN was acknowledged."""
        self.una += 1
        self.deadline_ns = NEVER
        self.progress_ns = now

    def offered(self, window: int) -> None:
        """The peer takes so many bytes from ``una`` on."""
        if window and not self.window and self.una >= self.buffer.start:
            self.rtt.settle()  # probes went unanswered for want of room, not of a way
            self.deadline_ns = NEVER
            if self.nxt > self.una:
                self._begin_again()
        self.window = window
        if window > self.largest_window:
            self.largest_window = window

    def pump(self, now: int) -> list[Chunk]:
        """Return what is to be sent now: what was lost first, then new data."""
        chunks: list[Chunk] = []
        if self.nxt == self.buffer.end + self.finished and self.recovery is Recovery.NONE:
            self._limited = False
            return chunks
        if self.nxt == self.una:
            self._wake(now)
        budget = self.congestion.cwnd - self._pipe()
        if self.recovery is not Recovery.NONE:
            budget = self._resend(chunks, budget, self._lost_edge)
        if self.nxt <= self.buffer.end:
            budget = self._send_new(chunks, budget, now)
        if not chunks and self.recovery is Recovery.FAST and self._scoreboard.total:
            # Nothing else to do: what may be lost (RFC 6675, section 4, NextSeg, rule 3).
            self._resend(chunks, budget, self._scoreboard.highest)
        if self.deadline_ns == NEVER and (self.nxt > self.una or self.nxt < self._end()):
            # Something is on the way, or waits for a window that may never be told (3.8.6.1).
            self.deadline_ns = now + self.rtt.rto_ns
        return chunks

    def acknowledge(
        self, ack: int, pure: bool, window: int, sack: SackBlocks, now: int, echoed_ns: int | None
    ) -> None:
        """Take an acknowledgement from ``una`` to ``nxt`` (RFC 9293, 3.10.7.4, fifth).

        Args:
            ack: the next number that the peer expects.
            pure: whether its segment has neither data nor FIN.
            window: the window that it tells of.
            sack: what the peer has beyond.
            now: the time (ns).
            echoed_ns: the round trip by timestamps, or None.
        """
        told = False
        if sack and self.sack_permitted:
            told = self._scoreboard.record(sack, max(ack, self.una), self.nxt)
        if ack > self.una:
            self._advance(ack, now, echoed_ns)
            if not told and self.recovery is Recovery.NONE:
                return
        elif told or (
            pure and not self.sack_permitted and window == self.window and self.nxt > ack
        ):
            # More duplicates than segments are a lie that would open the window (RFC 5681, 5).
            self._duplicates = min(self._duplicates + 1, self.flight // self.mss + 1)
        else:
            return
        self._judge(now)

    def echoed(self, now: int) -> None:
        """The peer saw a mark of congestion: once a round trip, do as for a loss (RFC 3168).

        Until the segment with CWR is acknowledged, the peer repeats what it said.
        """
        if self.recovery is Recovery.NONE and self.una > self._ecn_until:
            self.congestion.congested(self._in_use(), now)
            self._ecn_until = self.nxt
            self.reduced = True

    def expired(self, now: int) -> None:
        """The deadline has come: send again, or ask for the window (RFC 6298, 5.4 to 5.6)."""
        self.deadline_ns = NEVER
        self.rtt.back_off()
        if self.nxt == self.una:
            self._probing = True
            return
        if self.window:  # a closed window is no sign of congestion
            self.congestion.timed_out(self._in_use(), now, again=self._expired_at == self.una)
        self._expired_at = self.una
        self._scoreboard.clear()
        self._begin_again()

    def limit(self, mss: int) -> None:
        """The path takes no larger segments than this: send again what is on the way."""
        if mss < self.mss:
            self.mss = mss
            self.congestion.resize(mss)
            if self.nxt > self.una and self.una >= self.buffer.start:
                self._begin_again()

    def _in_use(self) -> int:
        """Return how many bytes of window a reduction begins with.

        Selective acknowledgements let the flight grow beyond the window in recovery.
        """
        return min(self.flight, self.congestion.cwnd)

    def _end(self) -> int:
        """Return the number behind the last byte or FIN that the owner wants sent."""
        return self.buffer.end + self.finished

    def _begin_again(self) -> None:
        self.recovery = Recovery.TIMEOUT
        self._recover = self._lost_edge = self.nxt
        self._resent = self.una
        self._duplicates = 0
        self.timed_seq = None
        self._forced = True

    def _pipe(self) -> int:
        """Estimate how many bytes are in the network (RFC 6675, section 4, SetPipe)."""
        board = self._scoreboard
        if self.recovery is Recovery.NONE:
            pipe = self.nxt - self.una - board.total
        else:
            pipe = board.missing(max(self._lost_edge, self.una), self.nxt)
            pipe += board.missing(self.una, self._resent)
        if self._duplicates and not self.sack_permitted:
            pipe = max(pipe - self._duplicates * self.mss, 0)
        return pipe

    def _resend(self, chunks: list[Chunk], budget: int, edge: int) -> int:
        """Add what is lost before ``edge`` as far as the budget allows; return what is left."""
        # A window that has closed is probed with one byte (RFC 9293, 3.8.6.1).
        edge = min(edge, self.una + max(self.window, 1))
        while self._forced or budget >= self.mss:
            hole = self._scoreboard.hole(max(self._resent, self.una), edge)
            if hole is None:
                break
            start, end = hole[0], min(hole[1], hole[0] + self.mss)
            chunks.append(self._chunk(start, end, fresh=False))
            self._resent = end
            self._resent_before = self.nxt
            self._forced = False
            self.timed_seq = None  # Karn's rule
            budget -= end - start
        return budget

    def _send_new(self, chunks: list[Chunk], budget: int, now: int) -> int:
        """Add data never sent before, as windows and Nagle's algorithm allow."""
        end, mss = self.buffer.end, self.mss
        edge = self.una + self.window
        self._limited = False
        while self.nxt < end:
            start = self.nxt
            length = end - start if end < edge else edge - start
            if length > mss:
                length = mss
            if self._probing:
                length = max(length, 1)
            elif length < mss and (length <= 0 or not self._may_be_small(length, end - start)):
                return budget
            if length > budget:
                self._limited = True
                return budget
            fin = self.finished and start + length == end and start + length < edge
            self._probing = False
            self._take(chunks, start, start + length + fin, now)
            budget -= length
        if self.finished and self.nxt == end and (edge > end or self._probing):
            self._probing = False
            self._take(chunks, end, end + 1, now)
        return budget

    def _take(self, chunks: list[Chunk], start: int, end: int, now: int) -> None:
        chunks.append(self._chunk(start, end, fresh=True))
        if start == self.una:
            self.deadline_ns = NEVER  # nothing was on the way: the timer begins now
        if self.timed_seq is None:
            self.timed_seq = end
            self._timed_ns = now
        self.nxt = end
        self._sent_ns = now

    def _wake(self, now: int) -> None:
        """Begin to send with nothing on the way."""
        if now - self._sent_ns > self.rtt.rto_ns:
            self.congestion.restarted()
        if not self._probing:
            self.progress_ns = now

    def _may_be_small(self, length: int, waiting: int) -> bool:
        """Whether a segment that is not full may go (RFC 9293, 3.8.6.2.1 and 3.7.4)."""
        if length == waiting and (self.nxt == self.una or self.no_delay or self.finished):
            return True
        return 2 * length >= self.largest_window

    def _chunk(self, start: int, end: int, *, fresh: bool) -> Chunk:
        behind = self.buffer.end
        if end > behind:
            return start, self.buffer.slice(start, behind), True, fresh
        return start, self.buffer.slice(start, end), False, fresh

    def _advance(self, ack: int, now: int, echoed_ns: int | None) -> None:
        count = ack - self.una
        if self.timed_seq is None:
            if echoed_ns is not None:  # of something sent twice, but the timestamp tells
                self.rtt.measured(echoed_ns)
        elif ack >= self.timed_seq:
            self.rtt.measured(now - self._timed_ns)
            self.timed_seq = None
        self.una = ack
        buffer = self.buffer
        buffer.release(ack if ack < buffer.end else buffer.end)
        self.progress_ns = now
        delivered = count
        if self._scoreboard.total:
            delivered -= self._scoreboard.forget(ack)
        if self.recovery is not Recovery.FAST:
            self._duplicates = 0
            if self._limited or self.recovery is Recovery.TIMEOUT:
                self.congestion.acknowledged(count, now, self.rtt.smoothed_ns)
        if self.recovery is not Recovery.NONE:
            self._recovered(ack, count, delivered, now)
        self.deadline_ns = now + self.rtt.rto_ns if self.nxt > ack else NEVER

    def _recovered(self, ack: int, count: int, delivered: int, now: int) -> None:
        """In recovery, more was acknowledged; so much of it was not known to have arrived."""
        if ack >= self._recover:
            if self.recovery is Recovery.FAST and self.sack_permitted:
                self.congestion.acknowledged(delivered, now, self.rtt.smoothed_ns)
            self.recovery = Recovery.NONE
            self._duplicates = 0
            self._forced = False
        elif self.recovery is Recovery.FAST and not self.sack_permitted:
            # A partial acknowledgement: the next segment is lost, too (RFC 6582, 3.2, step 3).
            self._duplicates = max(self._duplicates - count // self.mss + 1, 0)
            self._lost_edge = min(ack + self.mss, self.nxt)
            self._resent = ack
            self._forced = True

    def _judge(self, now: int) -> None:
        """Decide what is lost (RFC 6675, section 5; RFC 6582, 3.2)."""
        edge = self._scoreboard.lost_edge(self.mss)
        if self.recovery is Recovery.FAST:
            self._lost_edge = max(self._lost_edge, edge)
            if self._is_lost_again():
                self._recover_fast(edge, now)
        if self.recovery is not Recovery.NONE:
            return
        if self._duplicates < DUPLICATES and edge <= self.una:
            return
        # Duplicates of what a timeout sent again must not be taken for a loss (RFC 6582, 4.1).
        if self.una < self._recover or (self.una == self._recover and not self.sack_permitted):
            return
        self._recover_fast(edge, now)

    def _is_lost_again(self) -> bool:
        """Whether what was sent again is lost, too: three segments came that were sent after it.

        It counts as congestion once more (RFC 5681, 4.3).
        """
        board = self._scoreboard
        if not board.total or self._resent <= self.una:
            return False
        return board.highest >= self._resent_before + DUPLICATES * self.mss

    def _recover_fast(self, edge: int, now: int) -> None:
        """Begin fast recovery of what is missing before a number, and of the first segment."""
        self.congestion.congested(self._in_use(), now)
        self.reduced = True
        self.recovery = Recovery.FAST
        self._recover = self.nxt
        self._resent = self.una
        self._lost_edge = max(edge, min(self.una + self.mss, self.nxt))
        self._forced = True
        self.timed_seq = None
        self.deadline_ns = NEVER  # what is sent again has the whole timeout to be acknowledged

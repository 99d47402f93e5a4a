"""One end of a connection as a pure machine (RFC 9293, 3.10, with RFC 5961 and RFC 7323).

Segments and time (ns) in; :meth:`Connection.outgoing` says what is to be sent, :meth:`read` what
has arrived, ``state`` and ``loss`` what became of it, and :meth:`next_timeout` when the machine
wants to be called by itself. Whoever runs it calls :meth:`outgoing` after everything that he did,
best after reading: then an answer and the acknowledgement go in one segment.

Urgent data are data like others, and the urgent pointer is neither sent nor told of (RFC 6093
advises against it; RFC 9293, MUST-30 and MUST-31 are left out for that reason).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.tcp.challenge import ChallengeLimit
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.parameters import (
    FIN_WAIT_2_NS,
    GIVE_UP_SYN_NS,
    MAX_WINDOW_SCALE,
    TIME_WAIT_NS,
    KeepAlive,
    TcpParameters,
)
from sdnvirt.host.tcp.receiver import Receiver
from sdnvirt.host.tcp.sender import Chunk, Sender
from sdnvirt.host.tcp.sequence import MASK, unwrap
from sdnvirt.host.tcp.states import RECEIVING, SENDING, TRANSITIONS, Event, State
from sdnvirt.host.tcp.timestamps import Timestamps, clock
from sdnvirt.wire.tcp import (
    ACK,
    CWR,
    ECE,
    FIN,
    MAX_SACK_BLOCKS,
    PSH,
    RST,
    SYN,
    TIMESTAMP_LENGTH,
    SackBlocks,
    SynOptions,
    Tcp,
)

SMALLEST_MSS: Final = 64
"""A peer that asks for less would make every byte cost a packet; Linux has a like limit."""

_OPENING: Final = (State.SYN_SENT, State.SYN_RECEIVED)
_NOT_KEPT: Final = (*_OPENING, State.TIME_WAIT)
"""States in which nobody asks whether the peer is there."""

_FIN_SENT: Final = (State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK)

PUSHED_WINDOW: Final = 32
"""Segments in the largest congestion window whose end is pushed. In larger ones, segments follow
each other closely, and pushing would only double the acknowledgements. Linux pushes at the end of
what a program could write, which its send buffer makes two thirds of the window, roughly."""

Outgoing = tuple[Tcp, bool]
"""A segment to send, and whether routers may mark it instead of dropping it (ECT, RFC 3168)."""


class Connection:
    """One end of a connection.

    Attributes:
        state: where it is.
        loss: why it was lost, or None.
        soft_error: what the network last said against the peer, without ending the connection
            (RFC 9293, MUST-56), or None.
        sender: the sending side.
        receiver: the receiving side.
        abandoned: whether the owner reads no more.
        local_port, remote_port: the ports.
    """

    __slots__ = (
        "_announced_mss", "_challenges", "_clock_offset", "_default_mss", "_due_ns", "_ecn",
        "_fin_seen", "_heard_ns", "_mss", "_opened_ns", "_out", "_parameters", "_peer_scale",
        "_probes", "_receives", "_repeated", "_sends", "_timestamps", "_window_ack", "_window_seq",
        "abandoned", "local_port", "loss", "receiver", "remote_port", "sender", "soft_error",
        "state",
    )  # fmt: skip

    def __init__(
        self,
        ports: tuple[int, int],
        iss: int,
        mss: tuple[int, int],
        parameters: TcpParameters,
        clock_offset: int = 0,
    ) -> None:
        """Make an end in the state CLOSED.

        Args:
            ports: the local and the remote port.
            iss: the initial sequence number, 32 bits.
            mss: bytes of data in the largest segment that the link takes, and in one that every
                link takes, for peers who do not say (RFC 9293, MUST-15).
            parameters: the owner's choices.
            clock_offset: added to the clock in timestamps, 32 bits.
        """
        self.local_port, self.remote_port = ports
        self.state = State.CLOSED
        self._sends = self._receives = False
        self.loss: Loss | None = None
        self.soft_error: Loss | None = None
        self.abandoned = False
        self._mss, self._default_mss = mss
        self._announced_mss = self._mss
        self._parameters = parameters
        self._clock_offset = clock_offset
        self.sender = Sender(iss, self._mss, parameters)
        self.receiver = Receiver(parameters)
        self._timestamps: Timestamps | None = None
        self._challenges = ChallengeLimit()
        self._out: list[Outgoing] = []
        self._peer_scale = 0
        self._ecn = self._fin_seen = self._repeated = False
        self._window_seq = self._window_ack = 0
        self._opened_ns = self._heard_ns = 0
        self._due_ns = NEVER
        self._probes = 0

    # What the owner does

    def open(self, now: int) -> None:
        """Begin to connect (RFC 9293, 3.10.1, active OPEN)."""
        self._enter(Event.ACTIVE_OPEN)
        self._opened_ns = now
        self._send_syn(now)

    def accept(self, syn: Tcp, now: int) -> None:
        """Answer a peer's SYN as a listener does (RFC 9293, 3.10.7.2)."""
        self._enter(Event.PASSIVE_OPEN)
        self._enter(Event.SYN)
        self._opened_ns = self._heard_ns = now
        self._ecn = syn.flags & (ECE | CWR) == ECE | CWR
        self._agree(syn, now)
        self._send_syn(now)

    def write(self, data: bytes) -> int:
        """Take bytes to be sent, as many as there is room for; return how many (SEND)."""
        assert not self.sender.finished, "nothing is written behind the end"
        return self.sender.buffer.append(data) if self.state is not State.CLOSED else 0

    def read(self) -> list[bytes]:
        """Take the bytes that have arrived in order (RECEIVE)."""
        chunks = self.receiver.buffer.read()
        if chunks and self._receives and self.receiver.window_opened():
            self.receiver.ack_now = True
        return chunks

    def finish(self) -> None:
        """Write no more: a FIN follows what was written (CLOSE)."""
        if self.sender.finished:
            return
        self.sender.finished = True
        if self.state is State.SYN_SENT or self.state in (State.ESTABLISHED, State.CLOSE_WAIT):
            self._enter(Event.CLOSE)

    def abandon(self, now: int) -> None:
        """Write and read no more; a peer that still sends data hears that nobody takes them."""
        self.abandoned = True
        if self.receiver.buffer.unread and self.state is not State.CLOSED:
            self.abort()  # data would be lost silently (RFC 9293, 3.6.1, SHLD-3)
            return
        self.finish()
        if self.state is State.FIN_WAIT_2:
            self._due_ns = now + FIN_WAIT_2_NS

    def abort(self) -> None:
        """End the connection at once, and tell the peer by a RST (ABORT)."""
        if self.state is State.CLOSED:
            return
        if self.state not in (State.SYN_SENT, State.TIME_WAIT):
            sender = self.sender
            self._reply(sender.nxt & MASK, RST | ACK, self.receiver.nxt & MASK)
        self.lose(Loss.ABORTED)

    def lose(self, loss: Loss) -> None:
        """End the connection without a word to the peer."""
        self._enter(Event.LOSS)
        self.loss = loss

    def forget(self) -> None:
        """Leave TIME-WAIT before its time, for want of room or for a new connection."""
        self._enter(Event.TIMEOUT)

    # What the network does

    def arrived(self, segment: Tcp, now: int, marked: bool = False) -> DropReason | None:
        """Take a segment (RFC 9293, 3.10.7).

        Args:
            segment: the segment, of this connection by its addresses and ports.
            now: the time (ns).
            marked: whether a router marked the packet (CE, RFC 3168).

        Returns:
            why it was of no use, or None.
        """
        flags = segment.flags
        if flags & ~PSH == ACK and not marked and self._predicted(segment, now):
            return None
        if self.state is State.SYN_SENT:
            return self._arrived_syn_sent(segment, now)
        receiver = self.receiver
        seq = unwrap(segment.seq, receiver.buffer.nxt)
        reason = self._check(segment, seq, now)
        if reason is not None:
            return reason
        self._heard_ns = now
        self._probes = 0
        reason = self._take_ack(segment, seq, now)
        if reason is not None:
            return reason
        if self._ecn:
            if flags & CWR:
                receiver.congested = False
            if marked:
                receiver.congested = True
        if segment.payload or flags & FIN:
            return self._take_text(segment, seq, now)
        return None

    def outgoing(self, now: int) -> list[Outgoing]:
        """Return the segments to be sent now, in order."""
        out = self._out
        self._out = []
        if self._sends:
            chunks = self.sender.pump(now)
            for chunk in chunks:
                out.append(self._data(chunk, now))
            if chunks:
                self._sent_all(out[-1][0], now)
        receiver = self.receiver
        if receiver.ack_now:
            if self.state not in (State.CLOSED, State.SYN_SENT):
                out.append((self._segment(self.sender.nxt, ACK, b"", now), False))
            receiver.ack_now = False
        return out

    def next_timeout(self) -> int:
        """Return when (ns) :meth:`tick` is to be called, or NEVER."""
        if self.state is State.CLOSED:
            return NEVER
        due = self.sender.deadline_ns
        if self.receiver.ack_deadline_ns < due:
            due = self.receiver.ack_deadline_ns
        if self._due_ns < due:
            due = self._due_ns
        keep_alive = self._parameters.keep_alive
        if keep_alive is None or self.sender.flight or self.state in _NOT_KEPT:
            return due
        idle_ns = keep_alive.idle_ns + self._probes * keep_alive.interval_ns
        return min(due, self._heard_ns + idle_ns)

    @property
    def keep_alive(self) -> KeepAlive | None:
        """The probes while nothing happens, or None for none."""
        return self._parameters.keep_alive

    def set_keep_alive(self, keep_alive: KeepAlive | None) -> None:
        """Send probes while nothing happens from now on, or none."""
        self._parameters = replace(self._parameters, keep_alive=keep_alive)

    def tick(self, now: int) -> None:
        """Do what is due."""
        if self.next_timeout() > now:
            return
        if self._due_ns <= now:
            self._enter(Event.TIMEOUT if self.state is State.TIME_WAIT else Event.LOSS)
            return
        if self.receiver.ack_deadline_ns <= now:
            self.receiver.ack_deadline_ns = NEVER
            self.receiver.ack_now = True
        if self.sender.deadline_ns <= now:
            self._unanswered(now)
        if self.next_timeout() <= now:
            self._probe_peer(now)

    def may_be_followed(self, syn: Tcp) -> bool:
        """Whether a SYN may begin another connection between the same ends (MAY-2, RFC 6191)."""
        if self.state is not State.TIME_WAIT:
            return False
        timestamps, timestamp = self._timestamps, syn.timestamp
        if timestamps is not None and timestamp is not None:
            return timestamps.is_newer(timestamp)
        return unwrap(syn.seq, self.receiver.nxt) > self.receiver.nxt

    def unreachable(self, seq: int, loss: Loss) -> bool:
        """Take an ICMP error about a segment; return whether it is one of ours.

        Whoever sent no segment with that number cannot have got an error (RFC 5927, 4). Only a
        refusal ends the connection, and only while it opens (RFC 9293, 3.9.2.2; RFC 5927, 5.2).

        Args:
            seq: the sequence number that the error quotes.
            loss: REFUSED, or what is unreachable.
        """
        if not self._is_under_way(seq):
            return False
        if loss is Loss.REFUSED and self.state is State.SYN_SENT:
            self.lose(loss)
        else:
            self.soft_error = loss
        return True

    def limit_path(self, seq: int, mss: int) -> bool:
        """The path takes no larger segments; return whether the quoted number is ours."""
        if not self._is_under_way(seq):
            return False
        self._mss = min(self._mss, max(mss, SMALLEST_MSS))
        self.sender.limit(self._full_segment(self._mss))
        return True

    # How segments are taken

    def _arrived_syn_sent(self, segment: Tcp, now: int) -> DropReason | None:
        """Take what answers our SYN (RFC 9293, 3.10.7.3)."""
        flags = segment.flags
        sender = self.sender
        if flags & ACK and segment.ack != sender.nxt & MASK:
            if not flags & RST:
                self._reply(segment.ack, RST, 0)
            return DropReason.SEGMENT_UNEXPECTED
        if flags & RST:
            if not flags & ACK:
                return DropReason.SEGMENT_UNEXPECTED
            self.lose(Loss.REFUSED)
            return None
        if not flags & SYN:
            return DropReason.SEGMENT_UNEXPECTED
        self._heard_ns = now
        if not flags & ACK:  # both ends open at once (figure 8)
            self._enter(Event.SYN)
            self._ecn = False
            self._agree(segment, now)
            self._send_syn(now)
            return None
        self._ecn = self._parameters.ecn and not self._repeated and flags & (ECE | CWR) == ECE
        self._agree(segment, now)
        self._established(Event.SYN_ACK, segment.window, now)
        self._window_seq, self._window_ack = unwrap(segment.seq, self.receiver.nxt), sender.una
        self.receiver.ack_now = True
        if segment.payload or flags & FIN:
            return self._take_text(segment, self.receiver.nxt, now)
        return None

    def _predicted(self, segment: Tcp, now: int) -> bool:
        """Take a segment that is just what is expected next; return whether it was.

        Nearly all segments of a transfer are: data in order that acknowledge nothing new, or an
        acknowledgement without data. What is left out here would find nothing to do for them
        (Van Jacobson's header prediction).
        """
        receiver, sender = self.receiver, self.sender
        buffer = receiver.buffer
        payload = segment.payload
        una = sender.una
        acked = (segment.ack - una) & MASK
        window = segment.window << self._peer_scale
        if (
            self.state is not State.ESTABLISHED
            or segment.seq != buffer.nxt & MASK
            or buffer.gaps
            or receiver.fin is not None
            or acked > sender.nxt - una
        ):
            return False
        if payload:
            behind = buffer.nxt + len(payload)
            if acked or window != sender.window or behind > receiver.edge or self.abandoned:
                return False
        elif not acked or not window:
            return False
        timestamps = self._timestamps
        if timestamps is not None:
            timestamp = segment.timestamp
            echo = buffer.nxt <= receiver.acked
            if timestamp is None or not timestamps.follow(timestamp, echo, now):
                return False
        self._heard_ns = now
        self._probes = 0
        self._window_seq, self._window_ack = buffer.nxt, una + acked
        if payload:
            receiver.take_next(payload, now)
            if segment.flags & PSH:
                receiver.pushed()
            return True
        echoed_ns = self._echoed(segment, now) if sender.timed_seq is None else None
        sender.acknowledge(una + acked, True, window, segment.sack, now, echoed_ns)
        if window != sender.window:
            sender.offered(window)
        return True

    def _echoed(self, segment: Tcp, now: int) -> int | None:
        """Return the round trip (ns) by the timestamp that comes back, or None."""
        if self._timestamps is None or segment.timestamp is None:
            return None
        return self._timestamps.round_trip(segment.timestamp, now)

    def _check(self, segment: Tcp, seq: int, now: int) -> DropReason | None:
        """Refuse what cannot belong to the connection (RFC 9293, 3.10.7.4, first to fourth)."""
        flags = segment.flags
        receiver = self.receiver
        timestamps, timestamp = self._timestamps, segment.timestamp
        if timestamps is not None and not flags & RST:
            if timestamp is None:  # RFC 7323, 3.2
                return DropReason.SEGMENT_STALE
            if timestamps.is_stale(timestamp, now):
                self._correct(segment, now)
                return DropReason.SEGMENT_STALE
        if not receiver.acceptable(seq, segment.length):
            return self._unacceptable(segment, seq, now)
        if timestamps is not None and timestamp is not None and seq <= receiver.acked:
            timestamps.heard(timestamp, now)
        if flags & (RST | SYN):
            return self._reset(flags, seq, now)
        return None if flags & ACK else DropReason.SEGMENT_UNEXPECTED

    def _unacceptable(self, segment: Tcp, seq: int, now: int) -> DropReason:
        """Answer a segment outside the window, so that the peer learns where we are."""
        if self.state is State.SYN_RECEIVED and segment.flags & (SYN | ACK) == SYN:
            self._send_syn(now)  # our answer was lost
        elif not segment.flags & RST:
            if self.state is State.TIME_WAIT and segment.flags & FIN:
                self._due_ns = now + TIME_WAIT_NS
            self._correct(segment, now)
        return DropReason.SEGMENT_UNACCEPTABLE

    def _correct(self, segment: Tcp, now: int) -> None:
        """Tell a peer where we are; if it was told nothing new, not too often: it might answer."""
        if segment.length or self._challenges.allows(now):
            self.receiver.ack_now = True

    def _reset(self, flags: int, seq: int, now: int) -> DropReason | None:
        """Take a RST or SYN within the window (RFC 5961, sections 3 and 4)."""
        if flags & RST and seq == self.receiver.nxt:
            opening = self.state is State.SYN_RECEIVED
            self.lose(Loss.REFUSED if opening else Loss.RESET)
            return None
        if self._challenges.allows(now):
            self.receiver.ack_now = True
        return DropReason.SEGMENT_CHALLENGED

    def _take_ack(self, segment: Tcp, seq: int, now: int) -> DropReason | None:
        """Take the acknowledgement and the window (RFC 9293, 3.10.7.4, fifth)."""
        sender = self.sender
        ack = unwrap(segment.ack, sender.una)
        window = segment.window << self._peer_scale
        if self.state is State.SYN_RECEIVED:
            if ack != sender.nxt:
                self._reply(segment.ack, RST, 0)
                return DropReason.SEGMENT_UNEXPECTED
            self._established(Event.ACK_OF_SYN, window, now)
        elif ack > sender.nxt or ack < sender.una - sender.largest_window:
            if self._challenges.allows(now):  # RFC 5961, section 5
                self.receiver.ack_now = True
            return DropReason.SEGMENT_CHALLENGED
        if ack < sender.una:
            return None
        echoed_ns = self._echoed(segment, now) if sender.timed_seq is None else None
        pure = not segment.payload and not segment.flags & FIN
        sender.acknowledge(ack, pure, window, segment.sack, now, echoed_ns)
        if seq > self._window_seq or (seq == self._window_seq and ack >= self._window_ack):
            self._window_seq, self._window_ack = seq, ack
            sender.offered(window)
            if not window:
                sender.progress_ns = now  # it answers, and may stay closed (MUST-37)
        if segment.flags & ECE and self._ecn:
            sender.echoed(now)
        if sender.fin_acknowledged and self.state in _FIN_SENT:
            self._enter(Event.ACK_OF_FIN)
            self._wait(now)
        return None

    def _take_text(self, segment: Tcp, seq: int, now: int) -> DropReason | None:
        """Take data and FIN (RFC 9293, 3.10.7.4, seventh and eighth)."""
        receiver = self.receiver
        payload = segment.payload
        if not self._receives:
            receiver.ack_now = True
            return None
        if self.abandoned and seq + len(payload) > receiver.buffer.nxt:
            self.abort()  # nobody reads them
            return DropReason.SEGMENT_UNEXPECTED
        taken = not payload or receiver.take(seq, payload, now)
        if segment.flags & PSH:
            receiver.pushed()
        if segment.flags & FIN:
            receiver.take_fin(seq + len(payload))
        if receiver.finished and not self._fin_seen:
            self._fin_seen = True
            self._enter(Event.FIN)
            self._wait(now)
        return None if taken else DropReason.STREAM_GAPS

    # How states follow

    def _enter(self, event: Event) -> None:
        self.state = TRANSITIONS[self.state, event]
        # Asked for each segment, where a set of enumerated values costs a call for the hash.
        self._sends = self.state in SENDING
        self._receives = self.state in RECEIVING

    def _established(self, event: Event, window: int, now: int) -> None:
        self._enter(event)
        sender = self.sender
        if self._repeated:
            sender.rtt.after_lost_syn()
        else:
            sender.rtt.measured(now - self._opened_ns)
        sender.opened(now)
        sender.offered(window)
        if self._repeated:
            sender.congestion.cwnd = sender.mss  # RFC 5681, 3.1
        if sender.finished:
            self._enter(Event.CLOSE)

    def _wait(self, now: int) -> None:
        """Set the timer of a state that has one."""
        if self.state is State.TIME_WAIT:
            self._due_ns = now + TIME_WAIT_NS
        elif self.state is State.FIN_WAIT_2 and self.abandoned:
            self._due_ns = now + FIN_WAIT_2_NS

    def _unanswered(self, now: int) -> None:
        """The retransmission timer has expired."""
        sender = self.sender
        opening = self.state in _OPENING
        since_ns = self._opened_ns if opening else sender.progress_ns
        if now - since_ns >= (GIVE_UP_SYN_NS if opening else self._parameters.give_up_ns):
            self.lose(self.soft_error or Loss.TIMED_OUT)
        elif opening:
            sender.rtt.back_off()
            self._repeated = True
            self._send_syn(now)
        else:
            sender.expired(now)

    def _probe_peer(self, now: int) -> None:
        """Ask a silent peer whether it is there (RFC 9293, 3.8.4)."""
        keep_alive = self._parameters.keep_alive
        assert keep_alive is not None, "only then anything is left to do"
        if self._probes >= keep_alive.count:
            self.abort()
            self.loss = Loss.TIMED_OUT
            return
        self._probes += 1
        self._out.append((self._segment(self.sender.nxt - 1, ACK, b"", now), False))

    def _is_under_way(self, seq: int) -> bool:
        sender = self.sender
        return sender.una <= unwrap(seq, sender.una) < sender.nxt

    # What is agreed, and how segments are made

    def _agree(self, syn: Tcp, now: int) -> None:
        """Take what the peer's SYN offers, as far as we offer it, too."""
        offered = syn.syn_options
        parameters, sender, receiver = self._parameters, self.sender, self.receiver
        receiver.begin(syn.seq)
        if parameters.window_scaling and offered.window_scale is not None:
            self._peer_scale = min(offered.window_scale, MAX_WINDOW_SCALE)
            receiver.scale = parameters.window_scale
        sender.sack_permitted = parameters.sack and offered.sack_permitted
        if parameters.timestamps and syn.timestamp is not None:
            self._timestamps = Timestamps(self._clock_offset, syn.timestamp[0], now)
        self._mss = min(self._mss, max(offered.mss or self._default_mss, SMALLEST_MSS))
        sender.resize(self._full_segment(self._mss))
        sender.offered(syn.window)

    def _full_segment(self, mss: int) -> int:
        """Return the bytes of data in a full segment, beside its options (RFC 9293, 3.7.1)."""
        return mss - (TIMESTAMP_LENGTH if self._timestamps is not None else 0)

    def _send_syn(self, now: int) -> None:
        """Send our SYN, with an acknowledgement of the peer's if that has come."""
        parameters, sender, receiver = self._parameters, self.sender, self.receiver
        timestamp = (clock(self._clock_offset, now), 0) if parameters.timestamps else None
        scale: int | None = parameters.window_scale if parameters.window_scaling else None
        sack = parameters.sack
        flags, ack = SYN, 0
        if self.state is State.SYN_SENT:
            if parameters.ecn and not self._repeated:  # RFC 3168, 6.1.1.1
                flags |= ECE | CWR
        else:
            flags |= ACK | (ECE if self._ecn else 0)
            ack = receiver.acknowledge()[0] & MASK
            timestamp = None if self._timestamps is None else self._timestamps.pair(now)
            scale = receiver.scale if receiver.scale or self._peer_scale else None
            sack = sender.sack_permitted
        options = SynOptions(self._announced_mss, scale, sack)
        syn = Tcp(
            self.local_port, self.remote_port, sender.una & MASK, ack, flags,
            receiver.first_window(), b"", timestamp, (), options,
        )  # fmt: skip
        self._out.append((syn, False))
        sender.deadline_ns = now + sender.rtt.rto_ns

    def _reply(self, seq: int, flags: int, ack: int) -> None:
        """Send a segment without data, window or options, such as a RST."""
        self._out.append((Tcp(self.local_port, self.remote_port, seq, ack, flags, 0), False))

    def _data(self, chunk: Chunk, now: int) -> Outgoing:
        sender = self.sender
        seq, payload, fin, fresh = chunk
        flags = ACK
        if fin:
            flags |= FIN
        if payload and seq + len(payload) == sender.buffer.end:
            flags |= PSH  # RFC 9293, MUST-61
        markable = self._ecn and fresh and bool(payload)  # RFC 3168, 6.1.5
        if markable and sender.reduced:
            flags |= CWR
            sender.reduced = False
        return self._segment(seq, flags, payload, now), markable

    def _sent_all(self, last: Tcp, now: int) -> None:
        """Nothing follows this segment for now: the peer should not wait with its acknowledgement.

        Programs push at the end of each write; here, writes do not know how much may be sent.
        """
        if last.payload:
            congestion = self.sender.congestion
            if congestion.cwnd <= PUSHED_WINDOW * congestion.mss:
                last.flags |= PSH
            self.receiver.answered(now)

    def _segment(self, seq: int, flags: int, payload: bytes, now: int) -> Tcp:
        receiver = self.receiver
        timestamps = self._timestamps
        timestamp = None if timestamps is None else timestamps.pair(now)
        if receiver.congested:
            flags |= ECE
        sack: SackBlocks = ()
        if receiver.buffer.gaps and self.sender.sack_permitted:
            # As many blocks as fit beside the data (RFC 2018, section 3).
            most = MAX_SACK_BLOCKS - (timestamp is not None)
            room = max(min(most, (self.sender.mss - len(payload) - 4) // 8), 0)
            sack = tuple((a & MASK, b & MASK) for a, b in receiver.buffer.sack(room))
        ack, window = receiver.acknowledge()
        return Tcp(
            self.local_port, self.remote_port, seq & MASK, ack & MASK, flags, window, payload,
            timestamp, sack,
        )  # fmt: skip

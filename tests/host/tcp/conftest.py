"""Two machines with a wire between them, and one machine whose peer a test plays by hand."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import pytest

from sdnvirt.engine.scheduler import NEVER
from sdnvirt.errors import WireError
from sdnvirt.host.tcp.connection import Connection
from sdnvirt.host.tcp.parameters import TcpParameters
from sdnvirt.host.tcp.states import State
from sdnvirt.wire.tcp import ACK, SYN, SynOptions, Tcp

MS = 1_000_000
S = 1000 * MS
MSS = (1460, 536)
ADDRESSES = (bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))

Rule = Callable[[bytes, int], list[tuple[int, bytes]]]
"""What becomes of the bytes of a segment that goes from a side: what arrives after which delay."""


class Side:
    """One machine with its program, which writes, reads and closes as it can."""

    def __init__(self, machine: Connection) -> None:
        self.machine = machine
        self.outbox = b""
        self.inbox = bytearray()
        self.closing = False
        self.reading = True

    def program(self) -> None:
        """Read and write what is possible."""
        machine = self.machine
        if self.reading:
            for chunk in machine.read():
                self.inbox += chunk
        if self.outbox:
            self.outbox = self.outbox[machine.write(self.outbox) :]
        elif self.closing and machine.state not in (State.CLOSED, State.SYN_SENT):
            machine.finish()


class Wire:
    """Two sides, the second of which listens, and time."""

    def __init__(
        self,
        client: TcpParameters,
        server: TcpParameters,
        rule: Rule,
        iss: tuple[int, int] = (1000, 2000),
        mss: tuple[int, int] = MSS,
    ) -> None:
        self.now = 0
        self.rule = rule
        self.sides = (
            Side(Connection((4000, 80), iss[0], mss, client, 7)),
            Side(Connection((80, 4000), iss[1], mss, server, 9)),
        )
        self.log: list[tuple[int, int, Tcp]] = []
        self._events: list[tuple[int, int, int, bytes]] = []
        self._count = 0
        self._accepted = False

    @property
    def client(self) -> Connection:
        return self.sides[0].machine

    @property
    def server(self) -> Connection:
        return self.sides[1].machine

    def connect(self) -> None:
        self.client.open(self.now)
        self.settle()

    def settle(self) -> None:
        """Let both programs work, and put on the wire what their machines send."""
        for index, side in enumerate(self.sides):
            if index and not self._accepted:
                continue
            side.program()
            for segment, _ in side.machine.outgoing(self.now):
                self.log.append((self.now, index, segment))
                data = segment.emit(ADDRESSES[index], ADDRESSES[1 - index])
                for delay, arriving in self.rule(data, index):
                    self._count += 1
                    heappush(self._events, (self.now + delay, self._count, 1 - index, arriving))

    def step(self) -> bool:
        """Let the next thing happen; return whether there was one."""
        arrival = self._events[0][0] if self._events else NEVER
        due = min(side.machine.next_timeout() for side in self.sides)
        if min(arrival, due) == NEVER:
            return False
        assert due >= self.now, "a deadline in the past"
        self.now = min(arrival, due)
        if arrival <= due:
            _, _, index, data = heappop(self._events)
            self._arrive(index, data)
        else:
            for side in self.sides:
                side.machine.tick(self.now)
        self.settle()
        return True

    def _arrive(self, index: int, data: bytes) -> None:
        try:
            segment = Tcp.parse(data, ADDRESSES[1 - index], ADDRESSES[index])
        except WireError:
            return
        machine = self.sides[index].machine
        if machine.state is not State.CLOSED:
            machine.arrived(segment, self.now)
        elif index and not self._accepted and segment.flags & (SYN | ACK) == SYN:
            self._accepted = True
            machine.accept(segment, self.now)

    def run(self, until: int = NEVER, steps: int = 200_000) -> None:
        """Let things happen up to a time, or until nothing is left to do."""
        for _ in range(steps):
            arrival = self._events[0][0] if self._events else NEVER
            due = min(side.machine.next_timeout() for side in self.sides)
            if min(arrival, due) > until or not self.step():
                break
        else:
            raise AssertionError("the two never come to rest")
        if until != NEVER:
            self.now = until


def delayed(delay_ns: int = MS) -> Rule:
    return lambda data, _index: [(delay_ns, data)]


@pytest.fixture(scope="session")
def wire() -> Callable[..., Wire]:
    """Return a maker of wires, by parameters of both sides, rule and initial numbers."""

    def make(
        client: TcpParameters | None = None,
        server: TcpParameters | None = None,
        rule: Rule | None = None,
        **options: Any,
    ) -> Wire:
        first = client or TcpParameters()
        return Wire(first, server or client or TcpParameters(), rule or delayed(), **options)

    return make


class Script:
    """A machine whose peer is the test: it says segments and sees what comes back.

    Numbers are relative to the initial ones of both sides, so that the SYNs are 0.
    """

    def __init__(self, parameters: TcpParameters, iss: int = 100, irs: int = 500) -> None:
        self.now = S
        self.iss, self.irs = iss, irs
        self.machine = Connection((4000, 80), iss, MSS, parameters)

    def out(self) -> list[Tcp]:
        """Return what the machine sends now, with numbers relative to the initial ones."""
        return [self._relative(segment) for segment, _ in self.machine.outgoing(self.now)]

    def _relative(self, segment: Tcp) -> Tcp:
        segment.seq = (segment.seq - self.iss) & 0xFFFFFFFF
        segment.ack = (segment.ack - self.irs) & 0xFFFFFFFF if segment.flags & ACK else 0
        segment.sack = tuple(
            ((a - self.irs) & 0xFFFFFFFF, (b - self.irs) & 0xFFFFFFFF) for a, b in segment.sack
        )
        return segment

    def say(
        self, flags: int = ACK, seq: int = 1, ack: int = 1, payload: bytes = b"",
        window: int = 65535, sack: tuple[tuple[int, int], ...] = (),
        options: SynOptions | None = None, timestamp: tuple[int, int] | None = None,
    ) -> Any:  # fmt: skip
        """Send the machine a segment; return what it says of it."""
        segment = Tcp(
            80, 4000, (seq + self.irs) & 0xFFFFFFFF, (ack + self.iss) & 0xFFFFFFFF, flags, window,
            payload, timestamp,
            tuple(((a + self.iss) & 0xFFFFFFFF, (b + self.iss) & 0xFFFFFFFF) for a, b in sack),
            options or SynOptions(),
        )  # fmt: skip
        return self.machine.arrived(segment, self.now)

    def wait(self, ns: int) -> list[Tcp]:
        """Let time pass, with what is due; return all that was sent."""
        end = self.now + ns
        sent = []
        while self.machine.next_timeout() <= end:
            self.now = max(self.machine.next_timeout(), self.now)
            self.machine.tick(self.now)
            sent += self.out()
        self.now = end
        return sent

    def establish(self, options: SynOptions | None = None, window: int = 65535) -> None:
        """Connect as a client to a peer that offers these options, and no timestamps."""
        self.machine.open(self.now)
        self.out()
        self.say(SYN | ACK, 0, 1, window=window, options=options or SynOptions(1460, 0, True))
        self.out()


@pytest.fixture(scope="session")
def script() -> Callable[..., Script]:
    """Return a maker of scripts, by the fields of the parameters."""
    return lambda iss=100, irs=500, **fields: Script(TcpParameters(**fields), iss, irs)

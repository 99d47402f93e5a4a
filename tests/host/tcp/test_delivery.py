"""What is written is read, byte for byte, whatever the wire does to segments."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.tcp.congestion import NewReno
from sdnvirt.host.tcp.cubic import Cubic
from sdnvirt.host.tcp.parameters import KeepAlive, TcpParameters
from sdnvirt.host.tcp.states import State

MS = 1_000_000

PARAMETERS = st.builds(
    TcpParameters,
    congestion=st.sampled_from([NewReno, Cubic]),
    send_buffer=st.sampled_from([4096, 20_000, 1 << 21]),
    receive_buffer=st.sampled_from([4096, 20_000, 1 << 21]),
    no_delay=st.booleans(),
    timestamps=st.booleans(),
    window_scaling=st.booleans(),
    sack=st.booleans(),
    ecn=st.booleans(),
    keep_alive=st.sampled_from([None, KeepAlive(10**9, 10**9, 30)]),
    give_up_ns=st.just(1000 * 10**9),  # four in ten lost for a minute is no reason to give up
)
UNSYNCHRONIZED = {State.CLOSED, State.SYN_SENT, State.SYN_RECEIVED}
NUMBERS = st.one_of(st.integers(0, 0xFFFFFFFF), st.integers(0xFFFFFFFF - 60_000, 0xFFFFFFFF))


def bad_wire(random: Random, trouble: float, until_ns: int, clock):
    """Return a rule that loses, doubles, delays and corrupts, each with a probability."""

    def rule(data: bytes, _index: int) -> list[tuple[int, bytes]]:
        if clock() > until_ns:  # so that every run comes to an end
            return [(MS, data)]
        arriving = []
        for _ in range(1 + (random.random() < trouble)):
            if random.random() < trouble:
                continue
            copy = bytearray(data)
            if random.random() < trouble / 2:
                copy[random.randrange(len(copy))] ^= 1 << random.randrange(8)
            jitter = random.randrange(20 * MS) if random.random() < trouble else 0
            arriving.append((MS + jitter, bytes(copy)))
        return arriving

    return rule


@settings(max_examples=150)
@given(
    PARAMETERS, PARAMETERS, st.tuples(NUMBERS, NUMBERS), st.integers(0, 1 << 32),
    st.sampled_from([0.0, 0.01, 0.05, 0.2, 0.4]), st.sampled_from([256, 536, 1460, 8960]),
)  # fmt: skip
def test_streams_arrive_whole(wire, client, server, iss, seed: int, trouble: float, mss) -> None:
    random = Random(seed)
    net = wire(client, server, iss=iss, mss=(mss, 536))
    # Where so many are lost, timeouts double beyond TIME-WAIT if that lasts a minute; the last
    # acknowledgement may then come from nobody.
    until_ns = (20_000 if trouble >= 0.2 else 60_000) * MS
    net.rule = bad_wire(random, trouble, until_ns, lambda: net.now)
    net.connect()
    streams = [random.randbytes(random.choice([0, 1, 3000, 30_000])) for _ in range(2)]
    closes = [random.randrange(0, 3000) * MS for _ in range(2)]
    written = [0, 0]
    reading = 0
    while net.now < 300_000 * MS:
        net.run(until=net.now + random.choice([1, 5, 100, 2000]) * MS)
        if net.server.state is State.CLOSED and not written[1] and not net.server.receiver.finished:
            continue  # no SYN has arrived
        for index, side in enumerate(net.sides):
            part = streams[index][written[index] :][: random.randrange(20_000)]
            side.outbox += part
            written[index] += len(part)
            side.closing = written[index] == len(streams[index]) and net.now > closes[index]
            side.reading = reading % 3 != index
        reading += 1
        net.settle()
        check_invariants(net)
        if all(side.machine.next_timeout() == NEVER for side in net.sides) and all(
            side.closing for side in net.sides
        ):
            break
    for side in net.sides:
        side.reading = True
    net.run()
    assert [side.machine.loss for side in net.sides] == [None, None]
    assert [side.machine.state for side in net.sides] == [State.CLOSED, State.CLOSED]
    assert bytes(net.sides[1].inbox) == streams[0]
    assert bytes(net.sides[0].inbox) == streams[1]


def check_invariants(net) -> None:
    """What holds for each side at any time, and between both."""
    for side, other in (net.sides, net.sides[::-1]):
        sender, receiver = side.machine.sender, side.machine.receiver
        assert sender.una <= sender.nxt <= sender.buffer.end + 1
        assert sender.congestion.cwnd >= sender.mss
        assert receiver.buffer.nxt <= receiver.edge + 1
        assert receiver.buffer.unread <= side.machine._parameters.receive_buffer
        if not {side.machine.state, other.machine.state} & UNSYNCHRONIZED:
            # Nothing is taken for acknowledged that has not arrived.
            ahead = (other.machine.receiver.nxt - sender.una) & 0xFFFFFFFF
            assert ahead < 1 << 31


@pytest.mark.parametrize("sack", [True, False])
@pytest.mark.parametrize("strategy", [NewReno, Cubic])
def test_a_clean_wire_sees_each_byte_once(wire, strategy, sack: bool) -> None:
    net = wire(TcpParameters(congestion=strategy, sack=sack))
    net.sides[0].outbox = bytes(500_000)
    net.sides[0].closing = net.sides[1].closing = True
    net.connect()
    net.run()
    sent = sum(len(segment.payload) for _, index, segment in net.log if not index)
    assert sent == len(net.sides[1].inbox) == 500_000


@pytest.mark.parametrize("sack", [True, False])
def test_a_lost_segment_is_sent_once_more_and_alone(wire, sack: bool) -> None:
    count = 0

    def lose_the_30th(data: bytes, index: int) -> list[tuple[int, bytes]]:
        nonlocal count
        count += not index and len(data) > 1000
        return [] if count == 30 and not index and len(data) > 1000 else [(10 * MS, data)]

    net = wire(TcpParameters(sack=sack), rule=lose_the_30th)
    net.sides[0].outbox = bytes(200_000)
    net.sides[0].closing = net.sides[1].closing = True
    net.connect()
    net.run(until=150 * MS)  # before any timeout of 200 ms
    sent = sum(len(segment.payload) for _, index, segment in net.log if not index)
    assert len(net.sides[1].inbox) == 200_000
    assert sent == 200_000 + 1448

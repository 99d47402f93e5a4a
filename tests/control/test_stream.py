"""One connection over a real socket, seen from both ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from sdnvirt.control.stream import State, Stream
from sdnvirt.control.tls import Plain
from sdnvirt.control.transport import Transport
from sdnvirt.engine.scheduler import Scheduler

PATIENCE_S = 10


class Pair:
    """A stream and its peer."""

    def __init__(self) -> None:
        self.transport = Transport(Scheduler())
        self.answer = b""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            own = socket.create_connection(listener.getsockname())
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            self.peer, _ = listener.accept()
        self.peer.setblocking(False)
        self.received: list[bytes] = []
        self.lost: list[str] = []
        self.stream = Stream(self.transport, own, Plain(), self._take, self.lost.append)

    def _take(self, piece: bytes) -> None:
        self.received.append(piece)
        if self.answer:
            self.stream.send(self.answer)

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.transport.pacer.run_until(self.transport.scheduler.now + 1_000_000)


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.transport.close()
    pair.peer.close()


def test_what_was_said_before_the_connection_was_there_comes_first(pair: Pair) -> None:
    pair.stream.send(b"one ")
    pair.stream.send(b"two ")
    pair.stream.begin()
    pair.stream.send(b"three")
    assert pair.peer.recv(100) == b"one two three"


def test_what_a_slow_peer_did_not_take_is_sent_later(pair: Pair) -> None:
    pair.stream.begin()
    sent = bytes(range(256)) * 2048
    pair.stream.send(sent)
    got = bytearray()

    def read() -> bool:
        with suppress(BlockingIOError):
            got.extend(pair.peer.recv(1 << 16))
        return len(got) >= len(sent)

    assert not read()
    pair.until(read)
    assert got == sent


def test_who_asks_and_does_not_read_has_to_wait(pair: Pair) -> None:
    """Answering all at once would take the network's time, and memory without bound."""
    pair.answer = bytes(100_000)
    pair.stream.begin()
    questions = bytes(range(256)) * 8
    pair.peer.sendall(questions)
    pair.transport.pacer.run_until(pair.transport.scheduler.now + 50_000_000)
    assert 0 < len(b"".join(pair.received)) < len(questions) // 2
    got = 0

    def read() -> bool:
        nonlocal got
        with suppress(BlockingIOError):
            got += len(pair.peer.recv(1 << 20))
        return b"".join(pair.received) == questions

    pair.until(read)
    pair.until(lambda: read() and got == len(pair.answer) * len(pair.received))
    assert pair.lost == []


def test_the_end_is_told_once_and_not_from_inside_a_call(pair: Pair) -> None:
    pair.stream.begin()
    pair.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    pair.peer.close()  # with a reset
    for _ in range(3):
        pair.stream.send(b"x")
    assert pair.stream.state is State.CLOSED
    assert pair.lost == []
    pair.until(lambda: pair.lost)
    pair.transport.pacer.run_until(pair.transport.scheduler.now + 10_000_000)
    assert len(pair.lost) == 1


def test_who_closes_hears_nothing_more(pair: Pair) -> None:
    pair.stream.begin()
    pair.peer.send(b"late")
    pair.stream.send(b"last words")
    pair.stream.close()
    pair.stream.close()
    pair.transport.pacer.run_until(pair.transport.scheduler.now + 10_000_000)
    assert (pair.received, pair.lost) == ([], [])
    assert pair.peer.recv(100) == b"last words"

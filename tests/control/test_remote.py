"""Switches and a remote controller: here a listening socket of the test's own."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sdnvirt.control.remote import RemoteController, RemoteSide
from sdnvirt.control.stream import SEND_LIMIT, State
from sdnvirt.control.transport import Transport
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.errors import ControllerError

SECOND = 1_000_000_000


PATIENCE_S = 10

SPEED = 50
"""How much faster than real time these tests run."""


def fast_clock() -> int:
    return time.monotonic_ns() * SPEED


class Peer:
    """A listening socket and a remote controller that dials it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE_S)
        self.port = self.listener.getsockname()[1]
        self.scheduler = Scheduler()
        self.errors: list[ControllerError] = []
        self.transport = Transport(self.scheduler, fast_clock)
        self.remote = RemoteController(
            f"tcp:127.0.0.1:{self.port}", self.transport, self.errors.append
        )
        self.delivered: list[bytes] = []
        self.closed: list[str] = []

    def connect(self, dpid: int = 1) -> RemoteSide:
        """Let a switch connect."""
        return self.remote.connect(dpid, self.delivered.append, self.closed.append)

    def run(self, seconds: float) -> None:
        """Let the network run, which is idle."""
        self.transport.pacer.run_until(self.scheduler.now + round(seconds * SECOND))

    def until(self, condition: Callable[[], object]) -> None:
        """Let the network run until something has happened."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.run(0.1)

    def open(self, dpid: int = 1) -> tuple[RemoteSide, socket.socket]:
        """Connect a switch, let the controller say something, and return both ends."""
        side = self.connect(dpid)
        self.until(lambda: side.state is State.OPEN)
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE_S)
        connection.sendall(b"hello")
        self.until(lambda: self.delivered)
        self.delivered.clear()
        return side, connection


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.transport.close()
    peer.listener.close()


def test_bytes_go_both_ways(peer: Peer) -> None:
    side = peer.connect()
    side.feed(b"before the connection is there")
    peer.until(lambda: side.state is State.OPEN)
    with peer.listener.accept()[0] as controller:
        assert controller.recv(100) == b"before the connection is there"
        side.feed(b"after")
        assert controller.recv(100) == b"after"
        controller.sendall(b"answer")
        peer.until(lambda: b"".join(peer.delivered) == b"answer")


def test_every_switch_has_a_connection_of_its_own(peer: Peer) -> None:
    one, first = peer.open(1)
    other, second = peer.open(2)
    with first, second:
        one.feed(b"one")
        other.feed(b"other")
        assert (first.recv(9), second.recv(9)) == (b"one", b"other")


def test_a_refused_connection_ends_the_run_and_is_told_once(peer: Peer) -> None:
    peer.listener.close()
    sides = [peer.connect(1), peer.connect(2)]
    peer.until(lambda: all(side.state is State.CLOSED for side in sides))
    peer.run(0.1)  # what both tell is an event of its own
    (error,) = peer.errors
    assert str(error) == f"controller tcp:127.0.0.1:{peer.port}: connection refused"
    assert peer.closed == []


def test_a_lost_connection_is_dialled_again_with_growing_delays(peer: Peer) -> None:
    peer.open()[1].close()
    peer.until(lambda: peer.closed)
    assert peer.closed.pop() == "the controller closed the connection"
    peer.listener.close()
    for delay in (1, 2, 4):
        peer.connect()
        called = peer.scheduler.now
        peer.until(lambda: peer.closed)
        assert peer.closed.pop() == "connection refused"
        assert peer.scheduler.now - called >= delay * SECOND
    assert peer.errors == []


def test_a_controller_that_does_not_read_is_given_up_and_stalls_nothing(peer: Peer) -> None:
    side, controller = peer.open()
    with controller:
        for _ in range(100):
            side.feed(bytes(SEND_LIMIT // 8))
        assert peer.closed == []  # never from inside feed()
        peer.until(lambda: peer.closed)
        assert peer.closed == [f"the controller does not read; {SEND_LIMIT} bytes wait for it"]


def test_a_side_that_is_closed_is_silent(peer: Peer) -> None:
    side, controller = peer.open()
    with controller:
        side.close()
        side.feed(b"late")
        assert controller.recv(9) == b""
        peer.run(1)
    assert (peer.closed, peer.delivered, peer.errors) == ([], [], [])


def test_a_connection_that_waits_for_its_turn_can_be_closed(peer: Peer) -> None:
    peer.open()[1].close()
    peer.until(lambda: peer.closed)
    peer.connect().close()
    peer.run(3)
    peer.listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.listener.accept()


def test_a_connection_that_waits_for_its_turn_ends_with_the_others(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.open()[1].close()
    peer.until(lambda: peer.closed)
    made: list[socket.socket] = []

    class Noted(socket.socket):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(socket, "socket", Noted)
    peer.connect()
    peer.transport.close()
    assert [one.fileno() for one in made] == [-1]


def test_a_switch_for_which_there_is_no_descriptor_left_is_told_of(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_arguments: object) -> None:
        raise OSError(errno.EMFILE, "")

    monkeypatch.setattr(socket, "socket", none_left)
    with pytest.raises(ControllerError, match=r"^controller tcp:\S+: too many open files$"):
        peer.connect()

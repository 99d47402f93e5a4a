"""The controller's end of an embedded connection, as the switch sees it."""

from __future__ import annotations

from collections import deque

from sdnvirt.control.hub import VirtualHub
from sdnvirt.control.vsocket import Outbox, VirtualSocket


class Switch:
    """Keeps what it is told, and hangs up at the first bytes if it is to."""

    def __init__(self, hangs_up: bool = False) -> None:
        self.told: list[bytes | str] = []
        self.outbox: Outbox = deque()
        self.socket = VirtualSocket(
            VirtualHub(self._raise), self.outbox, self._deliver, self.told.append
        )
        self._hangs_up = hangs_up

    @staticmethod
    def _raise(error: BaseException) -> None:
        raise error

    def _deliver(self, data: bytes) -> None:
        self.told.append(data)
        if self._hangs_up:
            self.socket.hang_up()

    def listen(self) -> None:
        """Hear what the controller has said."""
        while self.outbox:
            tell, what = self.outbox.popleft()
            tell(what)


def test_the_switch_hears_bytes_and_then_the_end() -> None:
    switch = Switch()
    switch.socket.sendall(b"hello")
    switch.socket.close()
    switch.listen()
    assert switch.told == [b"hello", "the controller closed the connection"]


def test_a_switch_that_hung_up_hears_nothing_more_of_the_old_connection() -> None:
    switch = Switch(hangs_up=True)
    switch.socket.sendall(b"hello")
    switch.socket.sendall(b"error")
    switch.socket.close()
    switch.listen()
    assert switch.told == [b"hello"]


def test_bytes_are_the_ones_that_were_said_whatever_becomes_of_the_buffer() -> None:
    switch = Switch()
    buffer = bytearray(b"hello")
    switch.socket.sendall(buffer)
    buffer[:] = b"other"
    switch.listen()
    assert switch.told == [b"hello"]


def test_no_bytes_are_not_the_end() -> None:
    switch = Switch()
    switch.socket.feed(b"")
    switch.socket.feed(b"hello")
    assert switch.socket.recv(8) == b"hello"

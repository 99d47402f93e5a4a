"""A socket that accepts connections, each of which is served by a guest of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from sdnvirt.control.address import ListeningAddress
from sdnvirt.control.transport import READ, Transport


class Guest(Protocol):
    """Who serves a connection, and strikes itself off the list of guests when it is over."""

    def leave(self) -> None:
        """Close the connection; does nothing the second time."""


GuestT = TypeVar("GuestT", bound=Guest)


class Acceptor(Generic[GuestT]):
    """A place where connections are accepted.

    A peer that is gone is noticed by TCP's own probes.

    Args:
        address: where to listen; port 0 is any that is free.
        transport: sockets and real time.
        limit: connections at once, so that nobody can use up the descriptors; more are closed as
            soon as they are made.
        welcome: returns who serves a connection that was accepted.

    Attributes:
        address: where it listens, with the port that it has got.
        guests: those whose connections last.

    Raises:
        ControllerError: nothing can listen there.
    """

    def __init__(
        self,
        address: ListeningAddress,
        transport: Transport,
        limit: int,
        welcome: Callable[[socket.socket], GuestT],
    ) -> None:
        self._transport = transport
        self._limit = limit
        self._welcome = welcome
        self._socket = address.open()
        self._socket.setblocking(False)
        self.address = address._replace(port=self._socket.getsockname()[1])
        self.guests: list[GuestT] = []
        transport.watch(self._socket, READ, self._accept)

    def close(self) -> None:
        """Listen no more, and close the connections."""
        self._transport.forget(self._socket)
        for guest in list(self.guests):
            guest.leave()

    def _accept(self, _events: int) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return  # it was gone again, or there are no descriptors: it is tried again
        if len(self.guests) == self._limit:
            connection.close()
            return
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.guests.append(self._welcome(connection))

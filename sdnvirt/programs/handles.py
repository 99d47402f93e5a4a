"""Socket objects that programs make themselves, as handles of emulated connections.

A library that opens its sockets itself (``socket.socket()``, ``loop.sock_connect``) gets a real,
unconnected socket object from Python. It is never bound or connected: it only stands for an
emulated connection, so no packet leaves the process.
"""

from __future__ import annotations

import socket
from weakref import WeakKeyDictionary

from sdnvirt.programs.connection import ConnectionTransport


class Handles:
    """Which connection each socket object stands for."""

    def __init__(self) -> None:
        self._transports: WeakKeyDictionary[socket.socket, ConnectionTransport] = (
            WeakKeyDictionary()
        )

    def bind(self, handle: socket.socket, transport: ConnectionTransport) -> None:
        """Let a socket object stand for a connection."""
        self._transports[handle] = transport

    def take(self, handle: socket.socket) -> ConnectionTransport:
        """Return the connection of a socket object, and close that: it has done its part.

        Raises:
            ValueError: it stands for none.
        """
        transport = self._transports.pop(handle, None)
        if transport is None:
            raise ValueError(
                "a socket that was not connected by this loop's sock_connect: real sockets do not "
                "reach the emulated network"
            )
        handle.close()
        return transport

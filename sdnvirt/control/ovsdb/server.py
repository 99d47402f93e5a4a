"""The socket at which a hypervisor's database is served, as ``ovs-vsctl set-manager ptcp:`` does.

Whoever reaches it may add tunnels to the emulated switch, and nothing else.
"""

from __future__ import annotations

import socket
from typing import Final

from sdnvirt.control.acceptor import Acceptor
from sdnvirt.control.address import ListeningAddress
from sdnvirt.control.ovsdb.session import Session
from sdnvirt.control.ovsdb.switch_tables import SwitchTables
from sdnvirt.control.stream import Stream
from sdnvirt.control.tls import Plain
from sdnvirt.control.transport import Transport
from sdnvirt.errors import ControllerError, MalformedError
from sdnvirt.network.network import Network

DEFAULT_PORT: Final = 6640
"""OVSDB's port, assigned by IANA (RFC 7047, 6)."""

CONNECTIONS_LIMIT: Final = 64
"""Connections at once. Ryu leaves one open for every name that it asks for and is not there, until
its collector comes by."""


class OvsdbServer:
    """A place where the database of one hypervisor is served.

    Args:
        address: ``ptcp:[PORT][:HOST]``; port 0 is any that is free.
        transport: sockets and real time.
        network: the network.
        hypervisor: the hypervisor's name.

    Attributes:
        address: where it listens, with the port that it has got.
        tables: the database.

    Raises:
        ControllerError: the address is none, or nothing can listen there.
    """

    def __init__(
        self, address: str, transport: Transport, network: Network, hypervisor: str
    ) -> None:
        wanted = ListeningAddress.parse(address, DEFAULT_PORT)
        if wanted.secured:
            raise ControllerError(f"OVSDB at {wanted}: expected ptcp:[PORT][:HOST]")
        self.tables = SwitchTables(network, hypervisor)
        self._transport = transport
        self._clients = Acceptor(wanted, transport, CONNECTIONS_LIMIT, self._welcome)
        self.address = self._clients.address

    def close(self) -> None:
        """Listen no more, and close the connections."""
        self._clients.close()

    def _welcome(self, connection: socket.socket) -> Client:
        return Client(self._clients.guests, self.tables, self._transport, connection)


class Client:
    """One connection."""

    def __init__(
        self,
        clients: list[Client],
        tables: SwitchTables,
        transport: Transport,
        connection: socket.socket,
    ) -> None:
        self._clients = clients
        self._tables = tables
        self._stream = Stream(transport, connection, Plain(), self._received, self._lost)
        self._session = Session(tables.database, self._stream.send)
        self._stream.begin()

    def leave(self) -> None:
        """Close the connection."""
        if self in self._clients:
            self._clients.remove(self)
            self._session.close()
            self._stream.close()

    def _received(self, data: bytes) -> None:
        self._tables.refresh()
        try:
            self._session.feed(data)
        except MalformedError:
            self.leave()

    def _lost(self, _why: str) -> None:
        self.leave()

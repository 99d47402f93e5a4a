"""The socket at which a hypervisor's database is served, as ``ovs-vsctl set-manager ptcp:`` does.

Whoever reaches it may add tunnels to the emulated switch, and nothing else.
"""

from __future__ import annotations

import socket
from typing import Final

from sdnvirt.control.address import ListeningAddress
from sdnvirt.control.ovsdb.session import Session
from sdnvirt.control.ovsdb.switch_tables import SwitchTables
from sdnvirt.control.stream import Stream
from sdnvirt.control.tls import Plain
from sdnvirt.control.transport import READ, Transport
from sdnvirt.errors import ControllerError, MalformedError
from sdnvirt.network.network import Network

DEFAULT_PORT: Final = 6640
"""OVSDB's port, assigned by IANA (RFC 7047, 6)."""

CONNECTIONS_LIMIT: Final = 64
"""Connections at once. Ryu leaves one open for every name that it asks for and is not there, until
its collector comes by; more than these are closed as soon as they are made."""


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
        self._clients: list[Client] = []
        self._socket = wanted.open()
        self._socket.setblocking(False)
        self.address = wanted._replace(port=self._socket.getsockname()[1])
        transport.watch(self._socket, READ, self._accept)

    def close(self) -> None:
        """Listen no more, and close the connections."""
        self._transport.forget(self._socket)
        for client in list(self._clients):
            client.leave()

    def forget(self, client: Client) -> None:
        """Serve a client no more."""
        if client in self._clients:
            self._clients.remove(client)

    def _accept(self, _events: int) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return  # it was gone again, or there are no descriptors: it is tried again
        if len(self._clients) == CONNECTIONS_LIMIT:
            connection.close()
            return
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._clients.append(Client(self, self._transport, connection))


class Client:
    """One connection."""

    def __init__(
        self, server: OvsdbServer, transport: Transport, connection: socket.socket
    ) -> None:
        self._server = server
        self._stream = Stream(transport, connection, Plain(), self._received, self._lost)
        self._session = Session(server.tables.database, self._stream.send)
        self._stream.begin()

    def leave(self) -> None:
        """Close the connection."""
        self._session.close()
        self._stream.close()
        self._server.forget(self)

    def _received(self, data: bytes) -> None:
        self._server.tables.refresh()
        try:
            self._session.feed(data)
        except MalformedError:
            self.leave()

    def _lost(self, _why: str) -> None:
        self.leave()

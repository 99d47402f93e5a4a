"""A switch that listens: controllers and tools connect to it (OpenFlow 1.3.5, 6.3.1).

``ovs-ofctl`` manages a switch through such a listener. Each connection is a controller like any
other, for as long as it lasts; the switch does not dial it again.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Final

from sdnvirt.control.acceptor import Acceptor
from sdnvirt.control.address import ListeningAddress
from sdnvirt.control.stream import Stream
from sdnvirt.control.tls import Coding, Plain, Tls, TlsFiles
from sdnvirt.control.transport import Transport
from sdnvirt.devices.agent import Agent
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.errors import ControllerError
from sdnvirt.units import NS_PER_S

CONNECTIONS_LIMIT: Final = 16
"""Connections of one listener at once, each of which is a controller of its own."""

HANDSHAKE_LIMIT_NS: Final = 10 * NS_PER_S
"""Time for TLS and the HELLO, after which a connection has to make room for others."""


def listen(
    address: str,
    transport: Transport,
    switches: Iterable[OpenFlowSwitch],
    tls: TlsFiles | None = None,
) -> list[Listener]:
    """Let switches listen, the first at an address and the others at the ports that follow.

    With port 0, each gets any port that is free.

    Raises:
        ControllerError: as of :class:`Listener`; then none of them listens.
    """
    first = ListeningAddress.parse(address)
    listeners: list[Listener] = []
    try:
        for number, switch in enumerate(switches):
            own = first._replace(port=first.port and first.port + number)
            listeners.append(Listener(str(own), transport, switch, tls))
    except ControllerError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


class Listener:
    """A place where one switch listens.

    A peer that is gone is noticed by TCP's own probes rather than echo requests: ``ovs-ofctl
    snoop`` answers none.

    Args:
        address: ``ptcp:[PORT][:HOST]`` or ``pssl:[PORT][:HOST]``; port 0 is any that is free.
        transport: sockets and real time.
        switch: the switch.
        tls: private key and certificates, for ``pssl:``.

    Attributes:
        address: where it listens, with the port that it has got.
        guests: the connections.

    Raises:
        ControllerError: the address is none, nothing can listen there, or a file for TLS is wrong.
    """

    def __init__(
        self,
        address: str,
        transport: Transport,
        switch: OpenFlowSwitch,
        tls: TlsFiles | None = None,
    ) -> None:
        wanted = ListeningAddress.parse(address)
        if wanted.secured and tls is None:
            raise ControllerError(
                f"listener {wanted}: TLS needs a private key, a certificate and a CA certificate"
            )
        self._context = (
            tls.context(server_side=True) if tls is not None and wanted.secured else None
        )
        self._transport = transport
        self._switch = switch
        self._acceptor = Acceptor(wanted, transport, CONNECTIONS_LIMIT, self._welcome)
        self.address = self._acceptor.address
        self.guests: list[Guest] = self._acceptor.guests

    def close(self) -> None:
        """Listen no more, and close the connections."""
        self._acceptor.close()

    def _welcome(self, connection: socket.socket) -> Guest:
        return Guest(self.guests, self._transport, self._switch, connection, self._coding())

    def _coding(self) -> Coding:
        return Plain() if self._context is None else Tls(self._context, server_side=True)


class Guest:
    """A controller that has connected, and its side of that connection.

    It joins the switch's controllers when both have agreed on a version, so that what merely holds
    a connection open changes nothing.
    """

    def __init__(
        self,
        guests: list[Guest],
        transport: Transport,
        switch: OpenFlowSwitch,
        connection: socket.socket,
        coding: Coding,
    ) -> None:
        self._guests = guests
        self._switch = switch
        self._scheduler = transport.scheduler
        self._stream = Stream(transport, connection, coding, self._received, self._lost)
        self._patience = self._scheduler.timer(HANDSHAKE_LIMIT_NS, self.leave)
        self._deliver: Callable[[bytes], None]
        self._agent = Agent(switch, self, None)
        self._agent.dial()
        self._stream.begin()

    def connect(
        self, _dpid: int, deliver: Callable[[bytes], None], _closed: Callable[[str], None]
    ) -> Guest:
        """Give the agent this connection, which is made already.

        An agent connects again after what was no OpenFlow; then nobody is there any more.
        """
        self._deliver = deliver
        return self

    def feed(self, data: bytes) -> None:
        """Send bytes to the controller, or keep them until it takes them."""
        self._stream.send(data)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
        self._scheduler.call_at(self._scheduler.now, self._lost)

    def leave(self) -> None:
        """Close the connection and be no controller any more."""
        if self in self._guests:
            self._guests.remove(self)
            self._patience.cancel()
            if self._agent in self._switch.agents:
                self._switch.agents.remove(self._agent)
            self._agent.hang_up()
            self._stream.close()

    def _received(self, data: bytes) -> None:
        self._deliver(data)
        if self._agent.ready and self._agent not in self._switch.agents:
            self._patience.cancel()
            self._switch.agents.append(self._agent)
            self._switch.controllers_changed()

    def _lost(self, _why: object) -> None:
        self.leave()

"""A port where a host waits for connections (RFC 9293, 3.10.7.2), and does so under a SYN flood.

A bounded number of connections may wait for the third packet of their opening. While there are so
many, SYNs are answered by cookies (:mod:`sdnvirt.host.tcp.isn`), which need no memory: every SYN is
answered, and a peer that has sent one in earnest gets its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.parameters import TcpParameters
from sdnvirt.host.tcp.states import State

if TYPE_CHECKING:
    from sdnvirt.host.tcp.service import TcpService

DEFAULT_BACKLOG: Final = 128
"""Connections that may be half open: a server with a round trip of 10 ms takes 12,800 connections
a second with it, and as much memory as some hundred connections need is all that a flood gets."""


class Listener:
    """A port that accepts connections.

    Attributes:
        port: the local port.
        address: the address that it is bound to, or None for all of the host.
        backlog: connections that may be half open.
        on_connection: called with each connection once it is established; the callback sets the
            connection's own callbacks.
        parameters: of the connections.
        half_open: connections whose opening is not complete.
        cookies: SYNs that were answered without remembering them.
        last_cookie_ns: when the last of them was.
    """

    __slots__ = (
        "_service", "address", "backlog", "cookies", "half_open", "last_cookie_ns",
        "on_connection", "parameters", "port",
    )  # fmt: skip

    state: Final = State.LISTEN

    def __init__(
        self,
        service: TcpService,
        port: int,
        address: IpAddress | None,
        backlog: int,
        on_connection: Callable[[TcpConnection], None],
        parameters: TcpParameters,
    ) -> None:
        """See :meth:`TcpService.listen`."""
        self._service = service
        self.port = port
        self.address = address
        self.backlog = backlog
        self.on_connection = on_connection
        self.parameters = parameters
        self.half_open: dict[TcpConnection, None] = {}
        self.cookies = 0
        self.last_cookie_ns: int | None = None

    def close(self) -> None:
        """Accept no more; connections that are established stay."""
        self._service.stop_listening(self)

    def __repr__(self) -> str:
        return f"<Listener {self.address or '*'}:{self.port}>"

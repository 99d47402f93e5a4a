"""What transports show as their socket: names and options, and no file descriptor."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any, Final

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6

PORT_MAX: Final = 0xFFFF

SocketName = tuple[str, int] | tuple[str, int, int, int]
"""Address and port as the module ``socket`` writes them; IPv6 has flow label, 0, and scope."""


def name_of(address: IpAddress, port: int, scope: int = 0) -> SocketName:
    """Return address and port as the module ``socket`` writes them.

    Args:
        address: the address.
        port: the port.
        scope: the number of the interface that it is reached by, which shows where it matters:
            in addresses that mean something on one link only (RFC 4007).
    """
    if isinstance(address, Ipv4):
        return str(address), port
    return str(address), port, 0, scope if address.is_link_local else 0


def family_of(address: IpAddress) -> socket.AddressFamily:
    """Return the address family of an address."""
    return socket.AF_INET if isinstance(address, Ipv4) else socket.AF_INET6


def address_of(text: str) -> IpAddress:
    """Return the address that text names.

    Raises:
        MalformedError: it names none.
    """
    return Ipv6(text) if ":" in text else Ipv4(text)


def port_of(given: object) -> int:
    """Return the port that a program names, as a number or its digits; None is 0, any port.

    Names of services are not known: they would be those of the machine that this runs on.

    Raises:
        OverflowError: there is no such port.
        socket.gaierror: it is no number.
        TypeError: it is neither a number nor text.
    """
    if isinstance(given, bytes):
        given = given.decode("ascii", "replace")
    if isinstance(given, str):
        if not (given.isascii() and given.isdigit()):
            raise socket.gaierror(socket.EAI_SERVICE, f"{given!r} is not a port; expected a number")
        given = int(given)
    if given is None:
        return 0
    if not isinstance(given, int):
        raise TypeError(f"{given!r} is not a port; expected an integer")
    if not 0 <= given <= PORT_MAX:
        raise OverflowError(f"port {given}; expected 0 to {PORT_MAX}")
    return given


Options = dict[tuple[int, int], Callable[[Any], None]]
"""What sets an option of a socket to a value, by level and name of the option."""

NEEDLESS: Final = (
    (socket.SOL_SOCKET, socket.SO_REUSEADDR),  # connections in TIME-WAIT keep no port taken
    (socket.SOL_SOCKET, socket.SO_BROADCAST),  # every socket may send to all
)
"""Options that allow what is always allowed."""

REFUSALS: Final = {
    (socket.SOL_SOCKET, socket.SO_REUSEPORT): "a port has one socket",
    (socket.SOL_SOCKET, socket.SO_LINGER): "a transport's close() waits for nothing, and its "
    "abort() ends a connection with a RST",
    (socket.SOL_SOCKET, socket.SO_SNDBUF): "buffers are those of host.tcp.parameters",
    (socket.SOL_SOCKET, socket.SO_RCVBUF): "buffers are those of host.tcp.parameters",
}
"""Why options are refused that programs often set."""


class Endpoint:
    """An emulated socket, as far as libraries look at the one behind a transport.

    Args:
        kind: SOCK_STREAM or SOCK_DGRAM.
        local: address and port of this end.
        remote: those of the other end, or None.
        scope: the number of the interface that both are on.
        options: what sets an option, by level and name; besides, NEEDLESS ones are taken.
    """

    def __init__(
        self,
        kind: socket.SocketKind,
        local: tuple[IpAddress, int],
        remote: tuple[IpAddress, int] | None = None,
        scope: int = 0,
        options: Options | None = None,
    ) -> None:
        self.family = family_of(local[0])
        self.type = kind
        self.proto = 0
        self._local = local
        self._remote = remote
        self._scope = scope
        self._setters = options or {}
        self._options: dict[tuple[int, int], int] = {}

    def getsockname(self) -> SocketName:
        """Return address and port of this end."""
        return name_of(*self._local, self._scope)

    def getpeername(self) -> SocketName:
        """Return address and port of the other end.

        Raises:
            OSError: there is none.
        """
        if self._remote is None:
            raise OSError(errno.ENOTCONN, "not connected")
        return name_of(*self._remote, self._scope)

    def setsockopt(self, level: int, name: int, value: Any, *_length: int) -> None:
        """Set an option.

        Raises:
            OSError: it is not there, or has no such value.
        """
        setter = self._setters.get((level, name))
        if setter is not None:
            setter(value)
        elif (level, name) not in NEEDLESS:
            why = REFUSALS.get((level, name), "what it would do is not there")
            raise OSError(
                errno.ENOPROTOOPT, f"option {name} of level {level} of an emulated socket: {why}"
            )
        self._options[level, name] = value

    def getsockopt(self, level: int, name: int, _length: int = 0) -> Any:
        """Return the value that an option was set to, or 0."""
        return self._options.get((level, name), 0)

    def fileno(self) -> int:
        """Return -1: there is no file descriptor."""
        return -1

    def __repr__(self) -> str:
        remote = f" {name_of(*self._remote)}" if self._remote else ""
        return f"<Endpoint {name_of(*self._local)}{remote}>"

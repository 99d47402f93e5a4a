"""The addresses of connections, as users and Open vSwitch write them.

A switch dials ``tcp:HOST[:PORT]`` or, with TLS, ``ssl:HOST[:PORT]``; it listens on
``ptcp:[PORT][:HOST]`` or ``pssl:[PORT][:HOST]``.
"""

from __future__ import annotations

import os
import re
import socket
from typing import Any, Final, NamedTuple

from sdnvirt.control.modules import is_file
from sdnvirt.errors import ControllerError

DEFAULT_PORT: Final = 6653
"""OpenFlow's port, assigned by IANA (OpenFlow 1.3.5, 6.2)."""

LOOPBACK: Final = "127.0.0.1"
"""Where switches listen by default: whoever reaches a listener owns the switch."""

PORT_MAX: Final = (1 << 16) - 1

PER_HYPERVISOR: Final = "per-hypervisor"
"""In place of an address: the controllers that run at the hypervisors' own addresses."""

_HOST: Final = r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^\[\]:]+))"
_PORT: Final = r"(?P<port>[0-9]{1,5})"
_OWN: Final = re.compile(rf"{PER_HYPERVISOR}(?::{_PORT})?")
_CONTROLLER: Final = re.compile(rf"(?P<scheme>tcp|ssl):{_HOST}(?::{_PORT})?")
_LISTENING: Final = re.compile(rf"(?P<scheme>ptcp|pssl):{_PORT}?(?::{_HOST})?")


class ControllerAddress(NamedTuple):
    """Where a controller listens.

    Attributes:
        scheme: ``tcp`` or ``ssl``.
    """

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}:{_bracketed(self.host)}:{self.port}"

    @property
    def secured(self) -> bool:
        """Whether the connection is to be secured by TLS."""
        return self.scheme == "ssl"

    @classmethod
    def parse(cls, text: str) -> ControllerAddress:
        """Return the address that a text names.

        Raises:
            ControllerError: the text is no such address.
        """
        found = _CONTROLLER.fullmatch(text)
        port = int(found["port"] or DEFAULT_PORT) if found else 0
        if found is None or not 0 < port <= PORT_MAX:
            raise ControllerError(
                f"controller {text!r}: expected tcp:HOST[:PORT] or ssl:HOST[:PORT] with a port "
                f"from 1 to {PORT_MAX}, such as tcp:127.0.0.1:6653 or tcp:[::1]"
            )
        return cls(found["scheme"], found["v6"] or found["host"], port)

    def resolve(self) -> tuple[socket.AddressFamily, Any]:
        """Return the address family and what ``connect`` takes, IPv4 if there is a choice.

        Raises:
            ControllerError: nobody knows the name.
        """
        try:
            return _resolve(self.host, self.port)
        except (OSError, UnicodeError) as error:
            raise ControllerError(f"controller {self}: {reason(error)}") from error


class ListeningAddress(NamedTuple):
    """Where a switch listens for controllers.

    Attributes:
        scheme: ``ptcp`` or ``pssl``.
        port: 0 for any that is free.
    """

    scheme: str
    port: int
    host: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.port}:{_bracketed(self.host)}"

    @property
    def secured(self) -> bool:
        """Whether connections are to be secured by TLS."""
        return self.scheme == "pssl"

    @classmethod
    def parse(cls, text: str, default_port: int = DEFAULT_PORT) -> ListeningAddress:
        """Return the address that a text names; the host is LOOPBACK if it names none.

        Args:
            text: the address.
            default_port: the port if it names none.

        Raises:
            ControllerError: the text is no such address.
        """
        found = _LISTENING.fullmatch(text)
        port = int(found["port"] or default_port) if found else 0
        if found is None or port > PORT_MAX:
            raise ControllerError(
                f"listener {text!r}: expected ptcp:[PORT][:HOST] or pssl:[PORT][:HOST] with a port "
                f"from 0 to {PORT_MAX}, such as ptcp:6653 or ptcp:6653:0.0.0.0"
            )
        return cls(found["scheme"], port, found["v6"] or found["host"] or LOOPBACK)

    def open(self) -> socket.socket:
        """Return a socket that listens there.

        Raises:
            ControllerError: nothing can listen there.
        """
        try:
            family, target = _resolve(self.host, self.port)
            return socket.create_server(target[:2], family=family)
        except (OSError, UnicodeError) as error:
            raise ControllerError(f"cannot listen on {self}: {reason(error)}") from error


def is_outside(controller: str) -> bool:
    """Return whether a controller is one that runs in another process, by its address.

    Raises:
        ControllerError: the text is neither such an address nor anything else that names one.
    """
    scheme, colon, _ = controller.partition(":")
    if scheme in ("tcp", "ssl", PER_HYPERVISOR):
        return True
    if colon and not is_file(controller):  # no module has a colon in its name
        raise ControllerError(
            f"controller {controller!r}: expected tcp:HOST[:PORT], ssl:HOST[:PORT], "
            f"{PER_HYPERVISOR}[:PORT], or a Ryu app: a file such as ./app.py or a module such as "
            "ryu.app.simple_switch_13"
        )
    return False


def port_per_hypervisor(text: str) -> int:
    """Return the port of ``per-hypervisor[:PORT]``.

    Raises:
        ControllerError: the text is nothing like that.
    """
    found = _OWN.fullmatch(text)
    port = int(found["port"] or DEFAULT_PORT) if found else 0
    if not 0 < port <= PORT_MAX:
        raise ControllerError(
            f"controller {text!r}: expected {PER_HYPERVISOR}[:PORT] with a port from 1 to "
            f"{PORT_MAX}"
        )
    return port


def reason(error: BaseException) -> str:
    """Return what the system says about an error, in words only: ``connection refused``."""
    words = str(error) or type(error).__name__
    if isinstance(error, socket.gaierror):
        words = error.strerror or words
    elif isinstance(error, OSError) and error.errno is not None:
        words = os.strerror(error.errno)
    return words[0].lower() + words[1:]


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, target = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, target


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

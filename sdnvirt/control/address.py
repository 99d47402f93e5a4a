"""The address of a remote controller, as users write it: ``tcp:HOST[:PORT]``."""

from __future__ import annotations

import os
import re
import socket
from typing import Any, Final, NamedTuple

from sdnvirt.errors import ControllerError

DEFAULT_PORT: Final = 6653
"""OpenFlow's port, assigned by IANA (OpenFlow 1.3.5, 6.2)."""

_ADDRESS: Final = re.compile(
    r"tcp:(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^\[\]:]+))(?::(?P<port>[0-9]{1,5}))?"
)
PORT_MAX: Final = (1 << 16) - 1


class ControllerAddress(NamedTuple):
    """Where a controller listens."""

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp:{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> ControllerAddress:
        """Return the address that a text names.

        Raises:
            ControllerError: the text is no such address.
        """
        found = _ADDRESS.fullmatch(text)
        port = int(found["port"] or DEFAULT_PORT) if found else 0
        if found is None or not 0 < port <= PORT_MAX:
            raise ControllerError(
                f"controller {text!r}: expected tcp:HOST[:PORT] with a port from 1 to {PORT_MAX}, "
                "such as tcp:127.0.0.1:6653 or tcp:[::1]"
            )
        return cls(found["v6"] or found["host"], port)

    def resolve(self) -> tuple[socket.AddressFamily, Any]:
        """Return the address family and what ``connect`` takes, IPv4 if there is a choice.

        Raises:
            ControllerError: nobody knows the name.
        """
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ControllerError(f"controller {self}: {reason(error)}") from error
        family, _, _, _, target = min(found, key=lambda one: one[0] != socket.AF_INET)
        return family, target


def reason(error: BaseException) -> str:
    """Return what the system says about an error, in words only: ``connection refused``."""
    words = str(error) or type(error).__name__
    if isinstance(error, socket.gaierror):
        words = error.strerror or words
    elif isinstance(error, OSError) and error.errno is not None:
        words = os.strerror(error.errno)
    return words[0].lower() + words[1:]

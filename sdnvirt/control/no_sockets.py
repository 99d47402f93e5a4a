"""The ``socket`` module as an embedded controller sees it: constants, and no sockets.

A real socket would block the whole emulator, or let the outside into a run that is to be the same
every time.
"""

from __future__ import annotations

import socket
from typing import Any, NoReturn

from sdnvirt.control.hub import RealSocketError


def _refuse(*_arguments: Any, **_keywords: Any) -> NoReturn:
    raise RealSocketError("an embedded app cannot open a real socket; run it remotely")


class _NoSocket(socket.socket):
    __init__ = _refuse  # still a class, for isinstance


class NoSockets:
    """Stands in for the module ``socket``."""

    socket = _NoSocket
    create_connection = create_server = socketpair = fromfd = staticmethod(_refuse)

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)

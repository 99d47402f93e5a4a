"""What is not there for programs: all that would leave the process, each refused in words.

Threads and processes have a time of their own, so a run that used them could not be repeated; the
same holds for the system's random numbers. Real sockets reach no emulated network.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, NoReturn

THREADS: Final = "threads and processes have a time of their own"
DESCRIPTORS: Final = "emulated sockets have no file descriptors"
RANDOM: Final = "it draws from the system's random numbers, so no run could be repeated"
SHARED: Final = "a port has one socket"
REAL: Final = "real sockets reach no emulated network"
STREAMS: Final = "socket objects are handles only; use streams, transports or protocols"
SIGNALS: Final = "signals go to the emulator, not to a host"


def refuse(what: str, why: str) -> NoReturn:
    """Raise a RuntimeError that says what is not there for programs, and why."""
    raise RuntimeError(f"{what} is not there for programs on emulated hosts: {why}")


def _refused(name: str, why: str) -> Any:
    """Return a method that is not there, and says why by a RuntimeError."""

    def method(_loop: RefusingLoop, *_arguments: Any, **_options: Any) -> NoReturn:
        refuse(name, why)

    return method


def _nothing_added(_loop: RefusingLoop, _what: Any) -> bool:
    return False


_REMOVES_NOTHING: Final[Any] = _nothing_added
"""A method that finds nothing to remove, as nothing of the kind can be added."""


class RefusingLoop(asyncio.BaseEventLoop):
    """The part of an event loop that is refused: all that would leave the process."""

    call_soon_threadsafe = _refused("call_soon_threadsafe", THREADS)
    run_in_executor = _refused("run_in_executor", THREADS)
    subprocess_exec = _refused("subprocess_exec", THREADS)
    subprocess_shell = _refused("subprocess_shell", THREADS)

    add_signal_handler = _refused("add_signal_handler", SIGNALS)
    remove_signal_handler = _REMOVES_NOTHING

    add_reader = _refused("add_reader", DESCRIPTORS)
    add_writer = _refused("add_writer", DESCRIPTORS)
    remove_reader = _REMOVES_NOTHING
    remove_writer = _REMOVES_NOTHING
    connect_read_pipe = _refused("connect_read_pipe", DESCRIPTORS)
    connect_write_pipe = _refused("connect_write_pipe", DESCRIPTORS)

    connect_accepted_socket = _refused("connect_accepted_socket", REAL)
    create_unix_connection = _refused("create_unix_connection", REAL)
    create_unix_server = _refused("create_unix_server", REAL)
    start_tls = _refused("start_tls", RANDOM)

    sock_accept = _refused("sock_accept", STREAMS)
    sock_recv = _refused("sock_recv", STREAMS)
    sock_recv_into = _refused("sock_recv_into", STREAMS)
    sock_recvfrom = _refused("sock_recvfrom", STREAMS)
    sock_recvfrom_into = _refused("sock_recvfrom_into", STREAMS)
    sock_sendall = _refused("sock_sendall", STREAMS)
    sock_sendfile = _refused("sock_sendfile", STREAMS)
    sock_sendto = _refused("sock_sendto", STREAMS)

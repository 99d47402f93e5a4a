"""What a command is, and what it gets when it runs."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from sdnvirt.addresses import IpAddress, Ipv4
from sdnvirt.commands.options import Options
from sdnvirt.commands.output import Sink
from sdnvirt.errors import MalformedError
from sdnvirt.programs.endpoint import address_of
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host


class Failure(Exception):  # noqa: N818 - what a user reads is its text
    """A command cannot go on.

    Args:
        text: what it prints last.
        status: its exit status.
    """

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class Surroundings:
    """What a command has while it runs.

    Attributes:
        host: the host that it runs on.
        out: what it prints to.
        stdin: what it reads where its real counterpart reads the keyboard.
    """

    def __init__(self, host: Host, out: Sink, stdin: bytes = b"") -> None:
        self.host = host
        self.out = out
        self.stdin = stdin

    @property
    def now(self) -> int:
        """Virtual time, ns."""
        return self.host.world.scheduler.now

    async def sleep_until(self, time_ns: int) -> None:
        """Wait until a virtual time (ns)."""
        wait_ns = time_ns - self.now
        if wait_ns > 0:
            await asyncio.sleep(wait_ns / NS_PER_S)

    def interfaces(self) -> Iterator[Interface]:
        """Return the interfaces of the host, lo before the others."""
        yield self.host.loopback
        yield from self.host.all_interfaces()

    def interface(self, name: str) -> Interface | None:
        """Return an interface of the host by its name, or None."""
        return next((one for one in self.interfaces() if one.name == name), None)

    async def resolve(self, name: str, family: int = 0) -> IpAddress:
        """Return the first address of a name or of an address in text.

        Args:
            name: the name; an address of IPv6 may have a zone behind ``%``, which is cut off.
            family: AF_INET, AF_INET6, or 0 for either.

        Raises:
            socket.gaierror: there is none.
        """
        bare = name.partition("%")[0]
        infos = await asyncio.get_running_loop().getaddrinfo(bare, 0, family=family)
        return address_of(str(infos[0][4][0]))


class Command(ABC):
    """A command, by the name that people call it.

    Attributes:
        summary: what it does, a sentence.
    """

    summary: ClassVar[str]

    @abstractmethod
    def options(self, name: str) -> Options:
        """Return the options that it takes, under the name that it was called by."""

    @abstractmethod
    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Run on a host until done or cancelled; return the exit status.

        Being cancelled is Ctrl-C: a command that prints a summary does so then.

        Args:
            given: the options.
            at: its surroundings.

        Raises:
            Failure: it cannot go on.
        """


def address(text: str) -> IpAddress | None:
    """Return the address that text is, or None if it is none."""
    try:
        return address_of(text)
    except MalformedError:
        return None


def family_of(given: Namespace) -> int:
    """Return the address family that the options ``-4`` and ``-6`` ask for, 0 for either."""
    if given.ipv6:
        return socket.AF_INET6
    return socket.AF_INET if given.ipv4 else 0


def add_family(options: Options) -> None:
    """Take the options ``-4`` and ``-6``."""
    group = options.add_mutually_exclusive_group()
    group.add_argument("-4", dest="ipv4", action="store_true", help="IPv4 only")
    group.add_argument("-6", dest="ipv6", action="store_true", help="IPv6 only")


def with_port(one: IpAddress, port: int | str) -> str:
    """Return address and port as ``ss`` and others print them: IPv6 in brackets."""
    return f"{one}:{port}" if isinstance(one, Ipv4) else f"[{one}]:{port}"

"""dhclient: obtains an address by DHCP, or gives it back, as ISC's client tells it."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import Ipv4
from sdnvirt.capture.taps import tap_all, untap
from sdnvirt.commands.command import Command, Failure, Surroundings
from sdnvirt.commands.options import Options
from sdnvirt.commands.tcpdump.facts import Facts
from sdnvirt.errors import WireError
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.dhcpv4 import CLIENT_PORT, SERVER_PORT, DhcpMessageType, Dhcpv4
from sdnvirt.wire.udp import Udp

if TYPE_CHECKING:
    from sdnvirt.devices.device import Port
    from sdnvirt.frame import Frame
    from sdnvirt.host.interface import Interface

PATIENCE_NS: Final = 60 * NS_PER_S
"""How long a lease is waited for, ISC's default."""


class Dhclient(Command):
    """dhclient: an address by DHCP."""

    summary = "obtain an address by DHCP, or give it back"

    def options(self, name: str) -> Options:
        """Return the options of ISC's client that mean something here."""
        options = Options(name, self.summary)
        options.add_argument("-v", dest="verbose", action="store_true", help="tell what is said")
        options.add_argument("-r", dest="release", action="store_true", help="give it back")
        options.add_argument("-4", action="store_true", help="IPv4, as always here")
        options.add_argument("interface", nargs="?", help="by default the first")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Obtain a lease, or release it."""
        interface = at.host.interface
        if given.interface is not None:
            found = at.interface(given.interface)
            if found is None:
                raise Failure(f'Cannot find device "{given.interface}"')
            interface = found
        watch = _Watch(at, interface, tell=given.verbose)
        if given.verbose:
            for what in ("Listening on", "Sending on  "):
                at.out.line(f"{what} LPF/{interface.name}/{interface.mac}")
        tap_all([interface.port], watch)
        try:
            if given.release:
                if interface.dhcp is not None:
                    released = asyncio.Event()
                    interface.dhcp.release(released.set)
                    await released.wait()
                return 0
            return await _obtain(at, interface, watch, tell=given.verbose)
        finally:
            untap([interface.port], watch)


async def _obtain(at: Surroundings, interface: Interface, watch: _Watch, *, tell: bool) -> int:
    service = interface.dhcp
    if service is None:
        service = at.host.start_dhcp(interface=interface)
    elif service.lease is None and not service.active:
        service.start_at(at.now)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_NS / NS_PER_S):
            while service.lease is None:
                watch.heard.clear()
                await watch.heard.wait()
    lease = service.lease
    if lease is None:
        raise Failure("No DHCPOFFERS received." if tell else "", 2)
    if tell:
        renewal_s = max(lease.renew_ns - at.now, 0) // NS_PER_S
        at.out.line(f"bound to {lease.ip} -- renewal in {renewal_s} seconds.")
    return 0


class _Watch:
    """Tells the messages of one interface's client, as they pass its port."""

    def __init__(self, at: Surroundings, interface: Interface, *, tell: bool) -> None:
        self._at = at
        self._interface = interface
        self._tell = tell
        self.heard = asyncio.Event()

    def received(self, _port: Port, frame: Frame) -> None:
        """See a message of a server."""
        self._see(frame)

    def sent(self, _port: Port, frame: Frame) -> None:
        """See a message of the client."""
        self._see(frame)

    def _see(self, frame: Frame) -> None:
        one = Facts.of(frame.data)
        ports = (CLIENT_PORT, SERVER_PORT)
        if one is None or one.ip is None or one.ports not in (ports, ports[::-1]):
            return
        try:
            data = Udp.parse(one.ip.payload, one.ip.src, one.ip.dst).payload
            message = Dhcpv4.parse(data)
        except WireError:
            return
        if message.chaddr != self._interface.mac:
            return
        self.heard.set()
        if self._tell:
            self._at.out.line(_line(message, self._interface.name, one.ip.src, one.ip.dst))


def _line(message: Dhcpv4, interface: str, src: object, dst: object) -> str:
    kind = message.message_type
    name = f"DHCP{kind.name}" if kind is not None else "BOOTP"
    to = f"on {interface} to {dst} port {SERVER_PORT}"
    if kind is DhcpMessageType.DISCOVER:
        return f"{name} {to}"
    if kind in (DhcpMessageType.REQUEST, DhcpMessageType.RELEASE):
        wanted: Ipv4 = message.requested_address or message.ciaddr
        return (
            f"{name} for {wanted} {to}"
            if kind is DhcpMessageType.REQUEST
            else (f"{name} of {wanted} {to}")
        )
    if kind is DhcpMessageType.NAK:
        return f"{name} from {src}"
    return f"{name} of {message.yiaddr} from {src}"

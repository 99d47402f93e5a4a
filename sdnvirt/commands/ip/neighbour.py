"""``ip neighbour``, and ``arp``, which shows the same of IPv4 in another form."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdnvirt.addresses import IpAddress, Ipv4
from sdnvirt.commands.command import Command, Surroundings
from sdnvirt.commands.ip.objects import Asked, Words, interface_of
from sdnvirt.commands.options import Options
from sdnvirt.host.neighbour_states import Entry, Known

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.resolver import Resolver


def neighbour(words: Words, asked: Asked, at: Surroundings) -> None:
    """Show neighbours, or forget them."""
    flush = words.order("flush")
    words.order("show", "list", "ls")
    words.take("all")
    wanted = interface_of(at, words.value("dev")) if words.take("dev") else None
    words.end()
    for interface in at.host.all_interfaces():
        if wanted not in (None, interface):
            continue
        for resolver in _resolvers(interface, asked.family):
            if flush:
                resolver.flush()
                continue
            for one, entry in resolver.neighbours.entries(at.now):
                at.out.line(_describe(one, entry, interface))


def _resolvers(interface: Interface, family: type[IpAddress] | None) -> Iterator[Resolver]:
    if family in (None, Ipv4):
        yield interface.arp
    if family is not Ipv4 and interface.nd is not None:
        yield interface.nd


def _describe(one: IpAddress, entry: Entry, interface: Interface) -> str:
    words = [str(one), "dev", interface.name]
    if isinstance(entry, Known):
        words += ["lladdr", str(entry.mac)]
    nd = interface.nd
    if nd is not None and nd.autoconfiguration.is_router(one):
        words.append("router")
    return " ".join([*words, type(entry).__name__.upper()])


class Arp(Command):
    """arp: the neighbours of IPv4."""

    summary = "show the neighbours of IPv4"

    def options(self, name: str) -> Options:
        """Return the options of net-tools' arp that show."""
        options = Options(name, self.summary)
        options.add_argument("-n", action="store_true", help="no names: there never are any")
        options.add_argument("-a", dest="all", action="store_true", help="in the form of BSD")
        options.add_argument("-e", action="store_true", help="in the form of Linux")
        options.add_argument("-i", dest="interface", help="of one interface only")
        options.add_argument("address", nargs="?", help="of one address only")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Show the neighbours of IPv4."""
        found = [
            (one, entry, interface)
            for interface in at.host.all_interfaces()
            if given.interface in (None, interface.name)
            for one, entry in interface.arp.neighbours.entries(at.now)
            if given.address in (None, str(one))
        ]
        if not found:
            if given.address is not None:
                at.out.line(f"{given.address} -- no entry")
                return 1
            return 0
        if not given.all:
            at.out.line(_ROW.format("Address", "HWtype", "HWaddress", "Flags", "Mask", "Iface"))
        for one, entry, interface in found:
            at.out.line(_bsd(one, entry, interface) if given.all else _row(one, entry, interface))
        return 0


_ROW = "{:<24} {:<7} {:<19} {:<5} {:<15} {}"


def _row(one: IpAddress, entry: Entry, interface: Interface) -> str:
    if isinstance(entry, Known):
        return _ROW.format(str(one), "ether", str(entry.mac), "C", "", interface.name)
    return _ROW.format(str(one), "", "(incomplete)", "", "", interface.name)


def _bsd(one: IpAddress, entry: Entry, interface: Interface) -> str:
    who = f"{entry.mac} [ether]" if isinstance(entry, Known) else "<incomplete>"
    return f"? ({one}) at {who} on {interface.name}"

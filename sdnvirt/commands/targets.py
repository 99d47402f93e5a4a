"""Whom a command is to reach: a name or an address, by an interface or an address of this host."""

from __future__ import annotations

import socket
from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdnvirt.addresses import IpAddress
from sdnvirt.commands.command import Failure, Surroundings, address, family_of

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to reach.

    Attributes:
        name: as the user wrote it.
        address: the address.
        source: the address of this host to send from, or None for the best.
        interface: the one to leave by, or None for that of the best route.
    """

    name: str
    address: IpAddress
    source: IpAddress | None
    interface: Interface | None


async def find_target(given: Namespace, at: Surroundings, name: str) -> Target:
    """Return whom the options ``target``, ``interface``, ``ipv4`` and ``ipv6`` mean.

    Args:
        given: the options; ``interface`` may name an interface or an address of the host.
        at: surroundings.
        name: of the command, for what is said of mistakes.

    Raises:
        Failure: there is no such name, interface or address.
    """
    bare, _, zone = given.target.partition("%")
    family = family_of(given)
    try:
        found = await at.resolve(bare, family)
    except socket.gaierror as error:
        raise Failure(f"{name}: {given.target}: {lookup_error(error, bare, family)}", 2) from None
    wanted = zone or given.interface
    source = interface = None
    if wanted is not None:
        source = address(wanted)
        if source is None:
            interface = at.interface(wanted)
            if interface is None:
                raise Failure(f"{name}: unknown iface: {wanted}", 2)
        elif at.host.ip.owner(source) is None:
            raise Failure(f"{name}: bind: Cannot assign requested address", 2)
    if interface is not None and found.is_link_local:
        source = interface.source_to(found)  # which tells the interface, too
    return Target(given.target, found, source, interface)


def lookup_error(error: socket.gaierror, name: str, family: int) -> str:
    """Return what the C library says of a name that was not found."""
    if error.errno == socket.EAI_AGAIN:
        return "Temporary failure in name resolution"
    if family and address(name) is not None:
        return "Address family for hostname not supported"
    return "Name or service not known"

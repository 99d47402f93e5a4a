"""``ip address``: the addresses of the interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import BROADCAST_IPV4, IpAddress, Ipv4
from sdnvirt.commands.command import Surroundings
from sdnvirt.commands.ip.link import counters, hardware, heading, name, state
from sdnvirt.commands.ip.objects import (
    Asked,
    Words,
    family_name,
    interface_of,
    numbered,
    prefixed,
    refused,
)
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.addressing import AddressState, InterfaceAddress, Origin, address_of
from sdnvirt.host.interface import POINT_TO_POINT
from sdnvirt.host.selection import Scope, scope
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface

_SCOPES: Final = {Scope.LINK_LOCAL: "link", Scope.SITE_LOCAL: "site", Scope.GLOBAL: "global"}


def address(words: Words, asked: Asked, at: Surroundings) -> None:
    """Show addresses, add one or take one away."""
    if words.order("add"):
        _change(words, at, add=True)
    elif words.order("del", "delete"):
        _change(words, at, add=False)
    else:
        _show(words, asked, at)


def _change(words: Words, at: Surroundings, *, add: bool) -> None:
    given = prefixed(words.value("address"))
    if words.take("brd", "broadcast"):
        words.value("broadcast")  # which follows from the prefix
    words.take("dev")
    interface = interface_of(at, words.value("dev"))
    words.end()
    own = address_of(given)
    if add:
        if own.is_multicast or own.is_unspecified or own == BROADCAST_IPV4:
            raise refused("Cannot assign requested address")
        if own in interface.addresses:
            raise refused("File exists")
        if not at.host.add_address(given, interface):
            raise refused("No buffer space available")
    elif own not in interface.addresses:
        raise refused("Cannot assign requested address")
    else:
        at.host.remove_address(own, interface)


def _show(words: Words, asked: Asked, at: Surroundings) -> None:
    words.order("show", "list", "ls")
    wanted = None
    if words:
        words.take("dev")
        wanted = interface_of(at, words.value("dev"))
    words.end()
    for number, interface in numbered(at):
        if wanted in (None, interface):
            for line in _describe(number, interface, asked, at.now):
                at.out.line(line)


def _describe(number: int, interface: Interface, asked: Asked, now: int) -> list[str]:
    shown = [
        one for one in interface.addresses.values() if asked.family in (None, type(one.address))
    ]
    # IPv4 first, as the kernel tells them
    shown.sort(key=lambda one: not isinstance(one.address, Ipv4))
    if asked.brief:
        addresses = " ".join(str(one.interface) for one in shown)
        return [f"{name(interface):<16} {state(interface):<14} {addresses}".rstrip()]
    if asked.family is not None and not shown:
        return []
    lines = [f"{heading(number, interface)} group default qlen 1000"]
    if asked.family is None:
        lines.append(hardware(interface))
    for one in shown:
        lines += _address(one, interface, now)
    return lines + (counters(interface) if asked.statistics else [])


def _address(one: InterfaceAddress, interface: Interface, now: int) -> list[str]:
    words = [family_name(one.address), str(one.interface)]
    valid_ns, preferred_ns = one.valid_ns, one.preferred_ns
    if isinstance(one.address, Ipv4):
        if one.length < POINT_TO_POINT and not one.address.is_loopback:
            words += ["brd", str(one.network.broadcast_address)]
        lease = None if interface.dhcp is None else interface.dhcp.lease
        if lease is not None and lease.ip == one.address:
            valid_ns = preferred_ns = lease.expire_ns
    words += ["scope", _scope(one.address)]
    if valid_ns != NEVER:
        words.append("dynamic")
    words += _FLAGS.get(one.state, [])
    if one.origin is Origin.ADVERTISED:
        words.append("mngtmpaddr")
    if isinstance(one.address, Ipv4):
        words.append(interface.name)
    times = f"valid_lft {_left(valid_ns, now)} preferred_lft {_left(preferred_ns, now)}"
    return [f"    {' '.join(words)}", f"       {times}"]


_FLAGS: Final = {
    AddressState.TENTATIVE: ["tentative"],
    AddressState.DUPLICATE: ["dadfailed", "tentative"],
    AddressState.DEPRECATED: ["deprecated"],
}


def _scope(one: IpAddress) -> str:
    if one.is_loopback:
        return "host"
    return _SCOPES.get(Scope(scope(one)), "global")


def _left(until_ns: int, now: int) -> str:
    return "forever" if until_ns == NEVER else f"{max(until_ns - now, 0) // NS_PER_S}sec"

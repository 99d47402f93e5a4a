"""``ip link``: the interfaces, and what went through their ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import BROADCAST
from sdnvirt.commands.command import Failure, Surroundings
from sdnvirt.commands.ip.objects import (
    BAD_STATUS,
    REFUSED_STATUS,
    Asked,
    Words,
    interface_of,
    numbered,
    refused,
)
from sdnvirt.host.interface import VlanInterface
from sdnvirt.host.loopback import Loopback
from sdnvirt.wire import ipv4, ipv6

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface


def link(words: Words, asked: Asked, at: Surroundings) -> None:
    """Show links, or change one."""
    if words.order("set"):
        _change(words, at)
        return
    if words.order("add", "delete", "property", "xstats", "afstats"):
        raise refused("Operation not supported")
    words.order("show", "list", "ls", "lst")
    wanted = None
    if words:
        words.take("dev")
        wanted = interface_of(at, words.value("dev"))
    words.end()
    for number, interface in numbered(at):
        if wanted in (None, interface):
            for line in describe(number, interface, asked):
                at.out.line(line)


def describe(number: int, interface: Interface, asked: Asked) -> list[str]:
    """Return the lines of one link."""
    if asked.brief:
        words = f"{name(interface):<16} {state(interface):<14} {interface.mac}"
        return [f"{words} <{flags(interface)}>"]
    lines = [
        f"{heading(number, interface)} mode DEFAULT group default qlen 1000",
        hardware(interface),
    ]
    return lines + (counters(interface) if asked.statistics else [])


def name(interface: Interface) -> str:
    """Return the name of an interface with that of the one below it, if there is one."""
    below = f"@{interface.parent.name}" if isinstance(interface, VlanInterface) else ""
    return f"{interface.name}{below}"


def heading(number: int, interface: Interface) -> str:
    """Return what ``ip link`` and ``ip address`` begin the first line of an interface with."""
    return (
        f"{number}: {name(interface)}: <{flags(interface)}> mtu {interface.mtu} qdisc noqueue "
        f"state {state(interface)}"
    )


def hardware(interface: Interface) -> str:
    """Return the line that tells the MAC address of an interface."""
    if isinstance(interface, Loopback):
        return f"    link/loopback {interface.mac} brd {interface.mac}"
    return f"    link/ether {interface.mac} brd {BROADCAST}"


def state(interface: Interface) -> str:
    """Return the operational state of an interface (RFC 2863, ifOperStatus)."""
    if interface.admin_up and interface.port.up:
        return "UNKNOWN" if isinstance(interface, Loopback) else "UP"
    lower = interface.admin_up and isinstance(interface, VlanInterface)
    return "LOWERLAYERDOWN" if lower else "DOWN"


def flags(interface: Interface) -> str:
    """Return the flags of an interface."""
    words = ["LOOPBACK"] if isinstance(interface, Loopback) else ["BROADCAST", "MULTICAST"]
    if interface.admin_up:
        carrier = interface.port.up
        words = [*([] if carrier else ["NO-CARRIER"]), *words, "UP", *(["LOWER_UP"] * carrier)]
    if isinstance(interface, VlanInterface) and not interface.parent.admin_up:
        words.append("M-DOWN")
    return ",".join(words)


def _change(words: Words, at: Surroundings) -> None:
    """Set a link up or down, or its MTU, as far as all that is asked makes sense."""
    if not words:
        raise Failure('Not enough information: "dev" argument is required.', BAD_STATUS)
    words.take("dev")
    interface = interface_of(at, words.value("dev"))
    up: bool | None = None
    mtu: int | None = None
    while words:
        if words.take("up"):
            up = True
        elif words.take("down"):
            up = False
        elif words.take("mtu"):
            mtu = _mtu(words.value("mtu"))
        elif words.take(*_REFUSED):
            raise refused("Operation not supported")
        else:
            word = words.value("option")
            raise Failure(
                f'Error: either "dev" is duplicate, or "{word}" is a garbage.', BAD_STATUS
            )
    lower = interface.parent if isinstance(interface, VlanInterface) else None
    if mtu is not None:
        _check_mtu(mtu, interface, lower)
    if up and lower is not None and not lower.admin_up:
        raise refused("Network is down")
    if mtu is not None:
        interface.set_mtu(mtu)
    if up is not None:
        interface.set_up(up)


def _mtu(text: str) -> int:
    if not text.isdecimal():
        raise Failure(f'Error: argument "{text}" is wrong: Invalid "mtu" value', BAD_STATUS)
    return int(text)


def _check_mtu(mtu: int, interface: Interface, lower: Interface | None) -> None:
    if mtu < ipv4.MIN_MTU:
        raise Failure("Error: mtu less than device minimum.", REFUSED_STATUS)
    if mtu > ipv4.MAX_LENGTH:
        raise Failure("Error: mtu greater than device maximum.", REFUSED_STATUS)
    if lower is not None and mtu > lower.mtu:
        raise refused("Numerical result out of range")
    if mtu < ipv6.MIN_MTU and interface.nd is not None:
        raise refused("Invalid argument")


_REFUSED: Final = (
    "address", "alias", "allmulticast", "arp", "broadcast", "group", "master", "multicast", "name",
    "netns", "nomaster", "promisc", "qlen", "trailers", "txqlen", "txqueuelen", "type", "vf",
)  # fmt: skip
"""What iproute2 lets one set of a link and no interface here has."""


def counters(interface: Interface) -> list[str]:
    """Return what went through the port of an interface, with those on its VLANs."""
    port = interface.port
    return [
        "    RX:  bytes packets errors dropped  missed   mcast",
        _row(port.rx_bytes, port.rx_packets, port.rx_dropped),
        "    TX:  bytes packets errors dropped carrier collsns",
        _row(port.tx_bytes, port.tx_packets, port.tx_dropped),
    ]


def _row(octets: int, packets: int, dropped: int) -> str:
    return f"    {octets:>10} {packets:>7} {0:>6} {dropped:>7} {0:>7} {0:>7}"

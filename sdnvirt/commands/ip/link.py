"""``ip link``: the interfaces, and what went through their ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdnvirt.addresses import BROADCAST
from sdnvirt.commands.command import Surroundings
from sdnvirt.commands.ip.objects import Asked, Words, interface_of, numbered, refused

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface


def link(words: Words, asked: Asked, at: Surroundings) -> None:
    """Show links; they are set up and down by the timeline or ``net.set_link``, at both ends."""
    if words.order("set"):
        words.take("dev")
        interface_of(at, words.value("dev"))
        raise refused("Operation not supported")
    words.order("show", "list", "ls")
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
    up = interface.port.up
    name = interface.name
    if asked.brief:
        state = "UP" if up else "DOWN"
        return [f"{name:<16} {state:<14} {interface.mac} <{flags(up)}>"]
    below = "" if interface.vlan is None else f"@{interface.port.name}"
    lines = [
        f"{number}: {name}{below}: <{flags(up)}> mtu {interface.mtu} qdisc noqueue "
        f"state {'UP' if up else 'DOWN'} mode DEFAULT group default qlen 1000",
        f"    link/ether {interface.mac} brd {BROADCAST}",
    ]
    return lines + (counters(interface) if asked.statistics else [])


def flags(up: bool) -> str:
    """Return the flags of an interface whose link is up or down."""
    return "BROADCAST,MULTICAST,UP,LOWER_UP" if up else "NO-CARRIER,BROADCAST,MULTICAST,UP"


def counters(interface: Interface) -> list[str]:
    """Return what went through the port of an interface, with those on its VLANs."""
    port = interface.port
    received = f"{port.rx_bytes:<10} {port.rx_packets:<7} 0       0       0       0"
    sent = f"{port.tx_bytes:<10} {port.tx_packets:<7} 0       0       0       0"
    return [
        "    RX:  bytes packets errors dropped  missed   mcast",
        f"    {received}",
        "    TX:  bytes packets errors dropped carrier collsns",
        f"    {sent}",
    ]

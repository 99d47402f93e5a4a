"""The network stack behind a switch's LOCAL port, by which the switch itself is reached."""

from __future__ import annotations

from ipaddress import IPv4Interface

from sdnvirt.addresses import Ipv4
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.host.stack import Host


def manage(switch: OpenFlowSwitch, address: IPv4Interface, gateway: Ipv4 | None = None) -> Host:
    """Give a switch an address of its own, at which it answers as any host does.

    The stack is an ordinary host that a link without delay joins to the LOCAL port, whose MAC
    address it has. Which frames get there is up to the flow entries (in_port=LOCAL,
    output:LOCAL).

    Args:
        switch: a switch that has no address yet.
        address: its address and the prefix of its subnet.
        gateway: the way to other subnets, or None.
    """
    port = switch.local
    assert not port.up, f"{switch.name} has a network stack already"
    host = Host(f"{switch.name}.local", switch.world)
    nic = host.add_port(1, port.name, port.mac)
    Link(switch.world, f"{switch.name}--{host.name}", port, nic, LinkParameters())
    host.configure(address, gateway)
    return host

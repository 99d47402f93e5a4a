"""A controller for each hypervisor, each hypervisor being a host of its own on loopback.

Its address there is that of its tunnel endpoint, so the underlay's subnet is one of 127.0.0.0/8.
From that address its switch dials a controller at the same address, and there its database is
served (OVSDB), as on a server that runs Open vSwitch and its controller. Controllers of several
hypervisors find each other by these addresses, too: BGP's next hops are addresses of endpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sdnvirt.control.address import PER_HYPERVISOR
from sdnvirt.control.ovsdb.server import OvsdbServer
from sdnvirt.control.remote import RemoteController
from sdnvirt.control.transport import Transport
from sdnvirt.errors import ControllerError
from sdnvirt.network.network import Network
from sdnvirt.openflow.channel import ECHO_IDLE_NS

_LOOPBACK: Final = 127


def connect(
    network: Network,
    transport: Transport,
    port: int,
    on_error: Callable[[ControllerError], None],
) -> list[OvsdbServer]:
    """Connect each hypervisor's switch to its controller, and serve its database.

    Args:
        network: the network; its other switches have no controller.
        transport: sockets and real time.
        port: where the controllers listen.
        on_error: as of :class:`RemoteController`.

    Raises:
        ControllerError: the underlay's addresses are none of loopback, or nothing can listen there.
    """
    servers: list[OvsdbServer] = []
    if not network.plant.hypervisors:
        raise ControllerError(f"controller {PER_HYPERVISOR}: the topology has no hypervisors")
    try:
        for name, hypervisor in network.plant.hypervisors.items():
            address = hypervisor.vtep.address
            if address[0] != _LOOPBACK:
                raise ControllerError(
                    f"controller {PER_HYPERVISOR}: the endpoint of {name} is {address}; expected "
                    "an address of loopback, as with underlay: {subnet: 127.1.0.0/24}"
                )
            servers.append(OvsdbServer(f"ptcp::{address}", transport, network, name))
            controller = RemoteController(
                f"tcp:{address}:{port}", transport, on_error, source=str(address)
            )
            network.plant.switches[name].connect(controller, ECHO_IDLE_NS)
    except ControllerError:
        for server in servers:
            server.close()
        raise
    return servers

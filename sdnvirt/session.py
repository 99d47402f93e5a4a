"""From a topology to a network with its controller: what the command line and tests begin with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sdnvirt.network.network import Network
    from sdnvirt.topology import Topology

FROM_TOPOLOGY: Final = "topology"
"""The controller that the topology names, embedded."""

REMOTE: Final = "tcp:"
"""How the address of a running controller begins."""

NO_CONTROLLER: Final = "none"
"""No controller at all: switches forward nothing."""


def load(path: str | Path, *, seed: int | None = None, controller: str = FROM_TOPOLOGY) -> Network:
    """Build a topology file, connect its controller, and boot it.

    Args:
        path: a topology file.
        seed: of the random streams, instead of the file's.
        controller: ``"topology"`` for the apps that the file names, embedded in virtual time;
            a Ryu app's Python file or module, embedded in place of them; ``"tcp:HOST[:PORT]"`` for
            a running controller, in real time; or ``"none"``.

    Returns:
        the network, with leases obtained and switches connected, or 10 s of virtual time later;
        close it, or use it in a ``with`` statement.

    Raises:
        TopologyError: the file is wrong.
        ControllerError: an app is wrong, or the controller is out of reach.
    """
    from sdnvirt import topology

    network = open_network(topology.load(path, seed=seed), controller)
    try:
        network.boot()
    except BaseException:
        network.close()
        raise
    return network


def open_network(
    topology: Topology,
    controller: str = FROM_TOPOLOGY,
    *,
    log: Callable[[str], None] | None = None,
    log_level: int = logging.WARNING,
) -> Network:
    """Build a topology, connect its controller, and start it; virtual time is 0.

    Args:
        topology: what to build.
        controller: as of :func:`load`.
        log: called with each line that an embedded app logs.
        log_level: the least severe records to log.

    Raises:
        ControllerError: an app is wrong, or the controller's address is.
    """
    from sdnvirt.network.network import Network

    network = Network(topology)
    try:
        if controller.startswith(REMOTE):
            _dial(network, controller)
        elif controller != NO_CONTROLLER:
            apps = [controller] if controller != FROM_TOPOLOGY else _apps_of(topology)
            if apps and network.plant.switches:
                _embed(network, apps, log, log_level)
        network.start()
    except BaseException:
        network.close()
        raise
    return network


def _apps_of(topology: Topology) -> list[str]:
    """Return the files or modules of the apps that a topology names."""
    controller = topology.controller
    return [] if controller is None else [app.file or app.name for app in controller.apps]


def _embed(
    network: Network, apps: list[str], log: Callable[[str], None] | None, log_level: int
) -> None:
    """Start Ryu apps in this process and connect the switches to them."""
    from sdnvirt.control.embedded import EmbeddedController

    embedded = EmbeddedController(
        network.world.scheduler,
        apps,
        seed_stream=network.world.streams.stream("controller"),
        topology_path=network.topology.path,
        on_app_error=network.fail,
        log=log or _discard,
        log_level=log_level,
    )
    network.on_close(embedded.stop)
    embedded.start()
    network.connect_controller(embedded)


def _dial(network: Network, address: str) -> None:
    """Connect the switches to a running controller, and let real time pass."""
    from sdnvirt.control.remote import RemoteController
    from sdnvirt.openflow.channel import ECHO_IDLE_NS

    remote = RemoteController(address, network.world.scheduler, network.fail)
    network.on_close(remote.close)
    network.pace(remote.pacer.run_until)
    network.connect_controller(remote, ECHO_IDLE_NS)


def _discard(_line: str) -> None:
    pass

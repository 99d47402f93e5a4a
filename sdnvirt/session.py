"""From a topology to a network with its controller: what the command line and tests begin with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sdnvirt.control.address import PER_HYPERVISOR, is_outside, port_per_hypervisor
from sdnvirt.errors import ControllerError
from sdnvirt.units import format_time

if TYPE_CHECKING:
    from sdnvirt.control.life import ControllerLife
    from sdnvirt.control.tls import TlsFiles
    from sdnvirt.control.transport import Transport
    from sdnvirt.devices.agent import ControllerPort, ControllerSide
    from sdnvirt.network.network import Network
    from sdnvirt.topology import Topology

FROM_TOPOLOGY: Final = "topology"
"""The controller that the topology names, embedded."""

NO_CONTROLLER: Final = "none"
"""No controller at all: switches forward nothing."""

Log = Callable[[str], None]
"""Takes a line for the user."""


def load(path: str | Path, *, seed: int | None = None, controller: str = FROM_TOPOLOGY) -> Network:
    """Build a topology file, connect its controller, and boot it.

    Args:
        path: a topology file.
        seed: of the random streams, instead of the file's.
        controller: ``"topology"`` for the apps that the file names, embedded in virtual time;
            a Ryu app's Python file or module, embedded in place of them; ``"tcp:HOST[:PORT]"`` or
            ``"ssl:HOST[:PORT]"`` for a running controller, in real time;
            ``"per-hypervisor[:PORT]"`` for one at the address of each hypervisor's tunnel
            endpoint, where the hypervisor serves OVSDB, too; or ``"none"``.

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
    log: Log | None = None,
    log_level: int = logging.WARNING,
    listen: str | None = None,
    tls: TlsFiles | None = None,
    control_delay_ns: int | None = None,
    controller_options: Sequence[str] | None = None,
    auxiliary_connections: int = 0,
) -> Network:
    """Build a topology, connect its controller, and start it; virtual time is 0.

    Args:
        topology: what to build.
        controller: as of :func:`load`.
        log: called with each line that an embedded app logs, and when the connection to a running
            controller is lost and found.
        log_level: the least severe records to log.
        listen: where switches listen for controllers and tools such as ovs-ofctl, in real time:
            ``"ptcp:[PORT][:HOST]"`` or ``"pssl:[PORT][:HOST]"``. The first switch has the port,
            the others, in the order of the topology, have those that follow.
        tls: private key and certificates for ``ssl:`` and ``pssl:``.
        control_delay_ns: how long bytes are on their way between switches and embedded apps, in
            each direction; by default what the topology says.
        controller_options: of Ryu, for embedded apps, such as ``("--observe-links",)``; by default
            those that the topology names.
        auxiliary_connections: how many each switch opens to a running controller beside the main
            one, 0 to 255.

    Raises:
        ControllerError: an app is wrong, the address of the controller or listener is, or there
            are auxiliary connections without a running controller.
    """
    from sdnvirt.network.network import Network
    from sdnvirt.topology.resolved import Controller

    network = Network(topology)
    try:
        remote = is_outside(controller)
        own = controller.partition(":")[0] == PER_HYPERVISOR
        if auxiliary_connections and (own or not remote):
            raise ControllerError(
                f"{auxiliary_connections} auxiliary connections: expected a running controller, "
                f"such as tcp:127.0.0.1, for them; found {controller!r}"
            )
        transport = _real_time(network) if remote or listen is not None else None
        if transport is not None and listen is not None:
            _listen(network, transport, listen, tls)
        if transport is not None and own:
            _dial_each(network, transport, controller)
        elif transport is not None and remote:
            _dial(network, transport, controller, tls, log or _discard, auxiliary_connections)
        elif controller != NO_CONTROLLER:
            written = topology.controller or Controller(())
            apps = [controller]
            if controller == FROM_TOPOLOGY:
                apps = [app.file or app.name for app in written.apps]
            if apps and network.plant.switches:
                options = written.options if controller_options is None else controller_options
                embedded = _embed(network, apps, options, log or _discard, log_level)
                delay_ns = written.delay_ns if control_delay_ns is None else control_delay_ns
                _connect(network, embedded, delay_ns)
        if network.controller is None:
            _check_faults(topology, controller)
        network.start()
    except BaseException:
        network.close()
        raise
    return network


def _check_faults(topology: Topology, controller: str) -> None:
    """Refuse a timeline that breaks a controller which is not in this process."""
    from sdnvirt.topology.events import ControllerEvent

    for event in topology.timeline:
        if isinstance(event, ControllerEvent):
            raise ControllerError(
                f"{event.where}: {event}: expected an embedded controller, found {controller!r}"
            )


def _embed(
    network: Network, apps: list[str], options: Sequence[str], log: Log, log_level: int
) -> ControllerLife:
    """Start Ryu apps in this process."""
    from sdnvirt.control.embedded import EmbeddedController
    from sdnvirt.control.life import ControllerLife

    def start() -> EmbeddedController:
        embedded = EmbeddedController(
            network.world.scheduler,
            apps,
            seed_stream=network.world.streams.stream("controller"),
            topology_path=network.topology.path,
            on_app_error=network.fail,
            log=log,
            log_level=log_level,
            options=options,
        )
        embedded.start()
        return embedded

    life = network.controller = ControllerLife(network.world.scheduler, start)
    network.on_close(life.stop)
    return life


def _connect(network: Network, embedded: ControllerLife, delay_ns: int) -> None:
    """Connect the switches to embedded apps, at a distance."""
    from sdnvirt.control.delay import DelayedController

    port: ControllerPort = embedded
    if delay_ns:
        port = DelayedController(embedded, network.world.scheduler, delay_ns)
    network.connect_controller(port)


def _real_time(network: Network) -> Transport:
    """Let real time pass in a network, and sockets be served."""
    from sdnvirt.control.transport import Transport
    from sdnvirt.engine.pacing import LONGEST_WAIT_NS

    transport = Transport(network.world.scheduler)

    def run_until(end: int) -> bool:
        # In steps: the next event may be hours away when the run is to end for a failure.
        step = min(end, network.now + LONGEST_WAIT_NS)
        return transport.pacer.run_until(step) and step == end

    network.on_close(transport.close)
    network.pace(run_until)
    return transport


def _listen(network: Network, transport: Transport, address: str, tls: TlsFiles | None) -> None:
    """Let every switch listen for controllers."""
    from sdnvirt.control.listener import listen

    for listener in listen(address, transport, network.plant.switches.values(), tls):
        network.on_close(listener.close)


def _dial(
    network: Network,
    transport: Transport,
    address: str,
    tls: TlsFiles | None,
    log: Log,
    auxiliary_connections: int,
) -> None:
    """Connect the switches to a running controller."""
    from sdnvirt.control.remote import RemoteController
    from sdnvirt.openflow.channel import ECHO_IDLE_NS

    def tell(what: str) -> None:
        log(f"{format_time(network.now)} WARNING controller {address}: {what}")

    remote = RemoteController(
        address, transport, network.fail, tls, auxiliary_connections=auxiliary_connections
    )
    network.connect_controller(_Announced(remote, tell), ECHO_IDLE_NS, remote.auxiliaries)


def _dial_each(network: Network, transport: Transport, controller: str) -> None:
    """Connect each hypervisor to a running controller of its own."""
    from sdnvirt.control import per_hypervisor

    port = port_per_hypervisor(controller)
    for server in per_hypervisor.connect(network, transport, port, network.fail):
        network.on_close(server.close)


class _Announced:
    """A controller whose absence is told: when the first switch loses it, and when all have it.

    Args:
        controller: where switches connect.
        tell: takes what happened.
    """

    def __init__(self, controller: ControllerPort, tell: Callable[[str], None]) -> None:
        self._controller = controller
        self._tell = tell
        self._heard: set[int] = set()
        self._missing: set[int] = set()

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> ControllerSide:
        """Connect a switch; see :class:`sdnvirt.devices.agent.ControllerPort`."""

        def on_bytes(data: bytes) -> None:
            self._heard.add(dpid)
            if dpid in self._missing:
                self._missing.remove(dpid)
                if not self._missing:
                    self._tell("connected again")
            deliver(data)

        def on_close(reason: str) -> None:
            if dpid in self._heard:
                if not self._missing:
                    self._tell(f"{reason}; switches dial it again")
                self._missing.add(dpid)
            closed(reason)

        return self._controller.connect(dpid, on_bytes, on_close)


def _discard(_line: str) -> None:
    pass

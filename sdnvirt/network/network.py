"""The live network: time, nodes, links, and what happens to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.capture.sniff import Capture
from sdnvirt.capture.story import Stories
from sdnvirt.capture.taps import tap_all
from sdnvirt.capture.trace import TraceTap
from sdnvirt.devices.agent import ControllerPort
from sdnvirt.devices.device import Port, Tap
from sdnvirt.devices.link import Link
from sdnvirt.devices.world import World
from sdnvirt.engine.scheduler import relaxed_collector
from sdnvirt.errors import UserError
from sdnvirt.host.stack import Host
from sdnvirt.network.arguments import frame_bytes, time_ns
from sdnvirt.network.build import Plant, build
from sdnvirt.network.commands import TimelineCommands
from sdnvirt.network.faults import Faults
from sdnvirt.network.graph import LiveGraph, node_of
from sdnvirt.network.invariants import Invariants
from sdnvirt.network.nodes import HostNode, Node, choices
from sdnvirt.network.routing import CONVERGENCE_NS, converge
from sdnvirt.network.timeline import play
from sdnvirt.topology.events import Event, RunCommand
from sdnvirt.topology.resolved import Topology
from sdnvirt.units import NS_PER_S, format_time
from sdnvirt.virt.tunnel import FlowTunnel, KeyedTunnel

if TYPE_CHECKING:
    import networkx as nx

    from sdnvirt.programs.programs import Programs

BOOT_LIMIT_NS: Final = 10 * NS_PER_S
"""Virtual time that :meth:`Network.boot` waits: two of a DHCP client's retransmissions."""

START_SPREAD_NS: Final = 100_000_000
"""VMs start within 0.1 s of each other, each at a time drawn from its own random stream."""

RUNTIME_PORT_BASE: Final = 1 << 17
"""Ports that hypervisors get at run time; those of the topology are below, TUNNEL_PORT_BASE and
one for each other hypervisor being the highest."""

_RUNTIME_MACS: Final = 0x0A << 40
"""Ports that come later have addresses 0a:..., apart from those of the topology."""


class Network:
    """A virtual data centre at work.

    Attributes:
        topology: what it was built from.
        world: virtual time, random streams and the ledger.
        plant: every device and link.
        stories: which ports the packets of checks and pings crossed.
        faults: breaks links and nodes, and repairs them.
        commands: those that the timeline runs on hosts.
        invariants: what must hold in every network.
        trace: digest and number of the frames that ports received, and the loops among them.
        controller: the controller in this process, or None; it offers ``rest(method, path, body)``.
        last_cause: id of the latest conversation (a ping, an injected frame), from 1; 0 for none.
    """

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.plant: Plant = build(topology)
        self.world: World = self.plant.world
        self.stories = Stories(self.world)
        self.trace = TraceTap(self.world)
        self.faults = Faults(self)
        self.invariants = Invariants(self)
        self.commands = TimelineCommands(self)
        self._graph = LiveGraph(topology, self.plant)
        self.controller: Any = None  # of a layer above this one
        self.last_cause = 0
        self._programs: Programs | None = None
        self._failure: Exception | None = None
        self._closed = False
        self._running = False
        self._run: Callable[[int], bool] = self.world.scheduler.run_until
        self._closing: list[Callable[[], None]] = []
        self._taps: tuple[Tap, ...] = ()
        self.observe(self.trace, self.stories)
        for link in self.plant.links.values():
            link.on_carrier = self.link_changed
        self._converge(None)

    # life

    def observe(self, *taps: Tap) -> None:
        """Let taps see the frames of every port, also of those that come later."""
        self._taps += taps
        for tap in taps:
            tap_all(self.plant.ports(), tap)

    def connect_controller(
        self,
        controller: ControllerPort,
        echo_idle_ns: int | None = None,
        auxiliaries: Sequence[ControllerPort] = (),
    ) -> None:
        """Connect every OpenFlow switch to a controller; see :meth:`OpenFlowSwitch.connect`."""
        for switch in self.plant.switches.values():
            switch.connect(controller, echo_idle_ns, auxiliaries)

    def pace(self, run_until: Callable[[int], bool]) -> None:
        """Let something else advance virtual time, such as a pacer for real time."""
        self._run = run_until

    def start(self) -> None:
        """Start the functions and schedule what the topology says of VMs and links."""
        scheduler = self.world.scheduler
        for function in self.plant.functions.values():
            function.start()
        for vm in self.topology.vms:
            if vm.dhcp:
                delay = self.world.streams.stream(f"start {vm.name}").randrange(START_SPREAD_NS)
                self.plant.hosts[vm.name].start_dhcp(delay)
        for event in self.topology.timeline:
            scheduler.call_at(event.at_ns, self._play, event)

    def boot(self) -> bool:
        """Run until switches have their controller and VMs their leases; return whether all do.

        Gives up after BOOT_LIMIT_NS of virtual time.
        """
        end = self.now + BOOT_LIMIT_NS
        step = BOOT_LIMIT_NS // 1000
        while not self.booted and self.now < end:
            self.run_until(self.now + step)
        return self.booted

    @property
    def booted(self) -> bool:
        """Whether every switch has its controllers and every VM its address."""
        ready = all(
            agent.ready for switch in self.plant.switches.values() for agent in switch.agents
        )
        return ready and all(
            self.plant.hosts[vm.name].address is not None for vm in self.topology.vms
        )

    def kill_programs(self, host: Host) -> None:
        """End the programs of a host that crashes."""
        if self._programs is not None:
            self._programs.kill(host)

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call back when the network is closed; the last added is called first."""
        self._closing.append(callback)

    @property
    def programs(self) -> Programs:
        """The programs on hosts; asyncio is imported with the first."""
        if self._programs is None:
            from sdnvirt.programs.programs import Programs

            self._programs = Programs(self.world, self.fail, self.wake)
            self.on_close(self._programs.close)
        return self._programs

    def close(self) -> None:
        """Hang up the controllers and release what the network holds; may be called twice.

        It can still be looked at afterwards, but not run.
        """
        self._closed = True
        for switch in self.plant.switches.values():
            for agent in switch.agents:
                agent.hang_up()
        while self._closing:
            self._closing.pop()()

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    # time

    @property
    def now(self) -> int:
        """Virtual time since the start, ns."""
        return self.world.scheduler.now

    def run_until(self, time: int | str) -> None:
        """Run until a virtual time (ns, or text such as ``"5s"``).

        Raises:
            UserError: it is no time, a controller app failed, time stood still, or the network is
                closed.
        """
        self._run_on(lambda: True, time_ns(time))

    def run_for(self, duration: int | str) -> None:
        """Run for some virtual time (ns, or text such as ``"2s"``); see :meth:`run_until`."""
        duration_ns = time_ns(duration)
        if duration_ns < 0:
            raise UserError(f"a duration of {duration!r}; expected 0 or more")
        self.run_until(self.now + duration_ns)

    def run_while(self, waiting: Callable[[], bool], limit_ns: int) -> None:
        """Run until ``waiting()`` is false or the limit of virtual time has passed.

        The condition is looked at whenever something calls :meth:`wake`.

        Raises:
            UserError: as :meth:`run_until`.
        """
        self._run_on(waiting, self.now + limit_ns)

    def _run_on(self, waiting: Callable[[], bool], end: int) -> None:
        if self._closed:
            raise UserError(f"{self.topology.name} is closed; load it again to run it again")
        if self._running:
            raise UserError(f"{self.topology.name} is running already; what runs on it awaits")
        self._running = True
        try:
            with relaxed_collector():
                while waiting() and self.now < end and self._failure is None:
                    self._run(end)
        finally:
            self._running = False
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def wake(self) -> None:
        """Let :meth:`run_while` look at its condition, after the event that is running."""
        self.world.scheduler.stop()

    def fail(self, error: Exception) -> None:
        """End the run with an error, before the next event; signal handlers may call this."""
        if self._failure is None:
            self._failure = error
        self.world.scheduler.interrupt()

    # nodes, ports and links

    def __getitem__(self, name: str) -> Node:
        """Return a node by name.

        Raises:
            UserError: there is no such node.
        """
        device = self.plant.devices.get(name)
        if device is None:
            raise UserError(f"no node {name!r} in {self.topology.name}{choices(name, self.nodes)}")
        return HostNode(self, device) if name in self.plant.hosts else Node(self, device)

    @property
    def nodes(self) -> list[str]:
        """The names of all nodes."""
        return list(self.plant.devices)

    @property
    def graph(self) -> nx.Graph[str]:
        """The nodes and the links that are up, as a live networkx graph.

        Nodes carry ``kind`` and ``device``, edges what :class:`LiveGraph` says.
        """
        return self._graph.view()

    def port(self, name: str) -> Port:
        """Return a port by its full name, such as ``s1:h1``.

        Raises:
            UserError: there is no such port.
        """
        node, _, port = name.partition(":")
        return self[node].port(port)

    def link(self, name: str) -> Link:
        """Return a link by the names of its ends, ``a--b`` or ``b--a``.

        Raises:
            UserError: there is no such link.
        """
        links = self.plant.links
        a, _, b = name.partition("--")
        found = links.get(name) or links.get(f"{b}--{a}")
        if found is None:
            raise UserError(f"no link {name!r} in {self.topology.name}{choices(name, links)}")
        return found

    def set_link(self, name: str, up: bool) -> None:
        """Plug a link in or pull it out, unless another fault holds it down, too.

        See :class:`~sdnvirt.network.faults.Faults` for other faults.
        """
        if up:
            self.faults.plug(name)
        else:
            self.faults.pull(name)

    def link_changed(self, link: Link) -> None:
        """A link went down, came up or became another: the underlay converges a little later."""
        self._graph.refresh(link)
        if self.plant.routers:
            scheduler = self.world.scheduler
            scheduler.call_at(scheduler.now + CONVERGENCE_NS, self._converge)

    def _converge(self, _argument: None) -> None:
        converge(self.plant.routers, self.plant.links.values(), self.plant.attachments)

    def _play(self, event: Event) -> None:
        try:
            if isinstance(event, RunCommand):
                self.commands.start(event)
            else:
                play(event, self.faults)
        except UserError as error:
            self.fail(UserError(f"{event.where}: {error}"))

    # tunnels

    def add_tunnel(
        self, hypervisor: str, name: str, remote: Ipv4, key: int, number: int | None = None
    ) -> KeyedTunnel:
        """Give a hypervisor's switch a port that leads one network to another endpoint.

        Args:
            hypervisor: its name.
            name: name of the port.
            remote: underlay address of the other endpoint.
            key: the network's VNI, 1 to 16,777,215; there must be no such tunnel yet.
            number: the port's, by default the first that is free from RUNTIME_PORT_BASE on.
        """
        number, mac = self._new_port(hypervisor, number)
        live = self.plant.hypervisors[hypervisor]
        tunnel = live.add_keyed_tunnel(number, name, mac, remote, key)
        self._observe_port(tunnel.switch_port)
        return tunnel

    def add_flow_tunnel(self, hypervisor: str, name: str, number: int | None = None) -> FlowTunnel:
        """Give a hypervisor's switch the port that leads to any endpoint, as flow entries say.

        Args:
            hypervisor: its name; it must have no such port yet.
            name: name of the port.
            number: as of :meth:`add_tunnel`.
        """
        number, mac = self._new_port(hypervisor, number)
        tunnel = self.plant.hypervisors[hypervisor].add_flow_tunnel(number, name, mac)
        self._observe_port(tunnel.switch_port)
        return tunnel

    def _new_port(self, hypervisor: str, number: int | None) -> tuple[int, Mac]:
        """Return number and address of a port that a hypervisor's switch is to get."""
        switch = self.plant.switches[hypervisor]
        if number is None:
            number = RUNTIME_PORT_BASE
            while number in switch.ports:
                number += 1
        return number, Mac(_RUNTIME_MACS | (switch.dpid & 0xFFFF) << 24 | number & 0xFFFFFF)

    def _observe_port(self, port: Port) -> None:
        for tap in self._taps:
            tap_all([port], tap)

    # frames

    def inject(self, port: Port | str, frame: Any, at: int | str | None = None) -> int:
        """Let a port receive a frame, as if it had come over its link.

        Args:
            port: the port, or its full name.
            frame: bytes, or a scapy packet that begins with Ethernet.
            at: virtual time (ns or text), by default now.

        Returns:
            the id of the conversation that it begins, for :attr:`stories`.

        Raises:
            UserError: there is no such port, its node has crashed, or the time is over.
        """
        where = self.port(port) if isinstance(port, str) else port
        if self.faults.is_down(where.device.name):
            raise UserError(f"{where.device.name} has crashed, and takes no frame")
        data = frame_bytes(frame)
        time = self.now if at is None else time_ns(at)
        if time < self.now:
            raise UserError(
                f"a frame cannot be injected at {format_time(time)}, "
                f"it is {format_time(self.now)} already"
            )
        cause = self.next_cause()
        made = self.world.originate(data, f"an injection at {where.full_name}", cause=cause)
        self.world.scheduler.call_at(time, where.receive, made)
        return cause

    def capture(self, port: Port | str) -> Capture:
        """Return a running capture of a port's frames."""
        capture = Capture(self.port(port) if isinstance(port, str) else port)
        capture.start()
        return capture

    def next_cause(self) -> int:
        """Return a new id for a conversation, by which its packets can be found again."""
        self.last_cause += 1
        return self.last_cause

    def ports_by_node(self) -> dict[str, list[Port]]:
        """Return the ports of each node; those of a hypervisor's tunnel endpoint are its own."""
        ports: dict[str, list[Port]] = {}
        for device in self.plant.devices.values():
            ports.setdefault(node_of(device), []).extend(device.ports.values())
        return ports

"""The OpenFlow switch: a datapath with ports, and agents that speak for it to controllers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from sdnvirt.addresses import Mac
from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.flow import Emission, Enqueue, Flow, Loss, Normal, Punt
from sdnvirt.datapath.flow_entries import Removal
from sdnvirt.devices.agent import Agent, ControllerPort
from sdnvirt.devices.auxiliary import Auxiliary
from sdnvirt.devices.buffers import PacketBuffers
from sdnvirt.devices.device import Device, Port, Unplugged
from sdnvirt.devices.failmode import FailMode
from sdnvirt.devices.fdb import FdbEntry
from sdnvirt.devices.queues import PortQueues
from sdnvirt.devices.relay import Filtered, MacRelay
from sdnvirt.devices.roles import Mastership
from sdnvirt.devices.vlan import DEFAULT_VLAN, Membership, Trunk
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import Timer
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13.constants import OFPP, OFPPC, OFPPR
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.meters import MeterMod

_NORMAL_MEMBERSHIP: Final = Trunk(native=DEFAULT_VLAN)
"""A port's VLANs as OFPP_NORMAL sees them, until somebody configures them: all, VLAN 1 untagged."""

_LOCAL_MAC: Final = 0x0E << 40
_LOCAL_MAC_MASK: Final = (1 << 40) - 1
"""The LOCAL port's address: locally administered, with the lower bits of the datapath id."""

_CLOSED: Final = OFPPC.PORT_DOWN | OFPPC.NO_FWD


class OpenFlowSwitch(Device):
    """A switch that does what its flow entries say.

    Its LOCAL port leads to its own network stack (OpenFlow 1.3.5, 4.5). It is a port like the
    others, always there, as on an Open vSwitch bridge, and named like the switch. As long as no
    link joins it to a stack (:func:`sdnvirt.host.management.manage`) its link is down: it is not
    flooded to, and what is sent to it is dropped.

    Args:
        name: unique in the network.
        world: the surroundings.
        dpid: its datapath id, 64 bits.
        fail_mode: what it does while no controller is connected: as its entries say, or what a
            learning bridge does.

    Attributes:
        dpid: its datapath id.
        fail_mode: what it does while no controller is connected.
        local: the LOCAL port.
        datapath: flow tables and cache.
        buffers: packets that controllers were told of.
        agents: one for each controller.
        mastership: which of the controllers is the master.
        queues: the queues of those ports that have any.
    """

    def __init__(
        self, name: str, world: World, dpid: int, fail_mode: FailMode = FailMode.SECURE
    ) -> None:
        super().__init__(name, world)
        self.dpid = dpid
        self.fail_mode = fail_mode
        self.agents: list[Agent] = []
        self._scheduler = world.scheduler
        self._expiry: Timer | None = None
        self._relay = MacRelay(name)
        self.queues: dict[int, PortQueues] = {}
        self._boot()
        self.local = self.add_port(OFPP.LOCAL, name, Mac(_LOCAL_MAC | dpid & _LOCAL_MAC_MASK))
        place = self.local.full_name
        self.local.egress = Unplugged(self.local, place, DropReason.NO_LOCAL_STACK)

    def _boot(self) -> None:
        """Begin with empty tables; ports, their VLANs and queues are configuration, which stays."""
        self.datapath = Datapath()
        self._flows_of = self.datapath.flows_of
        self.datapath.on_learned = self._arm_expiry
        self.buffers = PacketBuffers()
        self.mastership = Mastership()
        for number, port in self.ports.items():
            self.datapath.set_port(number, port.up)
        for number, queues in self.queues.items():
            for queue_id in queues.numbered:
                self.datapath.add_queue(number, queue_id)
        self.controllers_changed()

    def add_port(self, number: int, name: str, mac: Mac) -> Port:
        """Give the switch one more port; OpenFlow's ports are numbered from 1 to 0xffffff00."""
        port = super().add_port(number, name, mac)
        self.ports[OFPP.LOCAL] = self.ports.pop(OFPP.LOCAL)  # the highest number stays the last
        self.datapath.set_port(number, False)
        self._relay.configure(port, _NORMAL_MEMBERSHIP)
        for agent in self.agents:
            agent.port_status(OFPPR.ADD, port)
        return port

    def remove_port(self, number: int) -> None:
        """Take a port away, and tell the controllers; flow entries that name it stay."""
        port = self.ports[number]
        super().remove_port(number)
        self.queues.pop(number, None)
        self.datapath.remove_port(number)
        self._relay.remove(port)
        for agent in self.agents:
            agent.port_status(OFPPR.DELETE, port)

    def configure(self, number: int, membership: Membership) -> None:
        """Put a port into VLANs, which OFPP_NORMAL and the stand-alone mode go by."""
        self._relay.configure(self.ports[number], membership)

    def fdb(self) -> list[FdbEntry]:
        """Return what was learned by OFPP_NORMAL; see :func:`fdb.format_fdb`."""
        return self._relay.fdb(self._scheduler.now)

    def add_queue(
        self,
        number: int,
        queue_id: int,
        min_rate_bps: int = 0,
        max_rate_bps: int | None = None,
    ) -> None:
        """Give a port one more queue.

        Args:
            number: the port's; it should have its link already, whose rate is shared.
            queue_id: 0 to 0xfffffffe, unique on the port.
            min_rate_bps: bits a second that the queue is sure of, 0 for none; the sum over the
                queues must not pass the link's rate.
            max_rate_bps: bits a second that the queue never passes, or None.
        """
        queues = self.queues.get(number)
        if queues is None:
            queues = self.queues[number] = PortQueues(self.world, self.ports[number])
        queues.add(queue_id, min_rate_bps, max_rate_bps)
        self.datapath.add_queue(number, queue_id)

    # packets

    def receive(self, port: Port, frame: Frame) -> None:
        """Send the frame where the flow tables say."""
        now = self._scheduler.now
        # A frame without a key yet is not in the cache either.
        flow = self._flows_of[port.number].get(frame.key)
        if flow is None:
            flow = self.datapath.classify(port.number, frame)
        flow.packets += 1
        flow.bytes += frame.size
        flow.used_ns = now
        if flow.out_port is not None:
            self.ports[flow.out_port].send(frame)
        else:
            self._emit(flow, frame, flow.run(frame, now))

    def packet_out(self, in_port: int, frame: Frame, actions: tuple[Action, ...]) -> None:
        """Do with a frame what a controller's list of actions says.

        Raises:
            OpenFlowError: an action cannot be executed.
        """
        now = self._scheduler.now
        flow = self.datapath.packet_out(in_port, frame, actions, now)
        self.world.ledger.sent += 1
        self._emit(flow, frame, flow.run(frame, now))

    def _emit(self, flow: Flow, frame: Frame, emissions: list[Emission]) -> None:
        if not emissions:
            if flow.reason is DropReason.PORT_CLOSED:
                self.ports[flow.in_port].rx_dropped += 1
            self.drop(frame, flow.reason, flow.detail)
            return
        self.world.ledger.copied += len(emissions) - 1
        for sent, target in emissions:
            if isinstance(target, int):
                self.ports[target].send(sent)
            else:
                self._hand_over(flow.in_port, sent, target)

    def _hand_over(
        self, in_port: int, frame: Frame, target: Enqueue | Normal | Punt | Loss
    ) -> None:
        """Give a frame to what is not simply a port."""
        match target:
            case Enqueue(number, queue_id):
                queue = self.queues[number].numbered[queue_id]
                self.ports[number].send_by(queue, frame)
            case Normal(queue_id):
                self._bridge(in_port, frame, queue_id)
            case Punt():
                self._punt(in_port, frame, target)
            case Loss(reason, detail):
                self.drop(frame, reason, detail)

    def _bridge(self, in_port: int, frame: Frame, queue_id: int | None) -> None:
        """Do with a frame what a learning bridge would (OFPP_NORMAL)."""
        outputs = self._relay.decide(self.ports.get(in_port), frame, self._scheduler.now)
        if isinstance(outputs, Filtered):
            self.drop(frame, outputs.reason, outputs.detail)
            return
        self.world.ledger.copied += len(outputs) - 1
        for port, sent in outputs:
            queues = self.queues.get(port.number)
            if queue_id is None or queues is None or queue_id not in queues.numbered:
                port.send(sent)
            else:
                port.send_by(queues.numbered[queue_id], sent)

    def _punt(self, in_port: int, frame: Frame, punt: Punt) -> None:
        """Hand a frame to the controllers; it ends here, and a packet-out begins a new one."""
        listeners = [agent for agent in self.agents if agent.wants_packet(punt)]
        if not listeners:
            self.drop(frame, DropReason.PACKET_IN_LOST, f"table {punt.table_id}")
            return
        self.world.ledger.delivered += 1
        shown: dict[int, tuple[int, bytes]] = {}
        for agent in listeners:
            max_len = agent.standing.miss_send_len if punt.max_len is None else punt.max_len
            if max_len not in shown:
                shown[max_len] = self.buffers.hand_over(in_port, frame, max_len)
            agent.packet_in(in_port, frame, punt, *shown[max_len])

    # life

    def crash(self) -> None:
        """Lose tables, buffers and connections; controllers dial no more until the restart."""
        for agent in self.agents:
            agent.hang_up()
        if self._expiry is not None:
            self._expiry.cancel()
        for number in self.ports:
            self._relay.set_forwarding(number, True)
        self._boot()

    def restart(self) -> None:
        """Connect to the controllers again."""
        for agent in self.agents:
            agent.dial()

    # control

    def connect(
        self,
        controller: ControllerPort,
        echo_idle_ns: int | None = None,
        auxiliaries: Sequence[ControllerPort] = (),
    ) -> Agent:
        """Connect the switch to a controller, and again whenever the connection ends.

        Args:
            controller: where to connect.
            echo_idle_ns: silence after which the controller is asked whether it lives, or None
                to trust it.
            auxiliaries: where to open auxiliary connections to the same controller, 255 at most;
                they are numbered from 1 in this order.
        """
        agent = Agent(self, controller, echo_idle_ns)
        for number, port in enumerate(auxiliaries, 1):
            agent.auxiliaries.append(Auxiliary(agent, number, port))
        self.agents.append(agent)
        agent.dial()
        return agent

    def controllers_changed(self) -> None:
        """A connection came or went: see whom packets that match no entry are for now."""
        self.datapath.tell_misses(any(agent.hears_misses for agent in self.agents))
        alone = not any(agent.ready for agent in self.agents)
        self.datapath.stand_alone(alone and self.fail_mode is FailMode.STANDALONE)

    def modify_flow(self, mod: FlowMod) -> None:
        """Carry out a flow mod, and tell the controllers of the entries that are gone.

        Raises:
            OpenFlowError: it cannot be carried out; nothing was changed.
        """
        self._report(self.datapath.modify(mod, self._scheduler.now))
        self._arm_expiry()

    def modify_group(self, mod: GroupMod) -> None:
        """Carry out a group mod; see :meth:`modify_flow`."""
        self._report(self.datapath.modify_group(mod, self._scheduler.now))

    def modify_meter(self, mod: MeterMod) -> None:
        """Carry out a meter mod; see :meth:`modify_flow`."""
        self._report(self.datapath.modify_meter(mod, self._scheduler.now))

    def port_changed(self, port: Port) -> None:
        """Let the datapath and the controllers know that a link came up or went down."""
        self.datapath.set_port(port.number, port.up)
        self._relay.forget(port)
        for agent in self.agents:
            agent.port_status(OFPPR.MODIFY, port)

    def configure_port(self, number: int, config: int) -> None:
        """Set a port's configuration (bits of OFPPC) and tell the controllers."""
        self.datapath.configure_port(number, config)
        self._relay.set_forwarding(number, not config & _CLOSED)
        for agent in self.agents:
            agent.port_status(OFPPR.MODIFY, self.ports[number])

    def explain(self, port: Port, frame: Frame) -> list[str]:
        """Tell, table by table, what would become of a frame."""
        bridge = partial(self._explain_bridge, port)
        return self.datapath.explain(port.number, frame, bridge, self._scheduler.now)

    def _explain_bridge(self, port: Port, frame: Frame) -> list[str]:
        return self._relay.explain(port, frame, self._scheduler.now)

    def _arm_expiry(self) -> None:
        due = self.datapath.next_expiry()
        if due is None or (self._expiry and self._expiry.pending and self._expiry.at <= due):
            return
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = self._scheduler.timer(max(0, due - self._scheduler.now), self._expire)

    def _expire(self) -> None:
        self._report(self.datapath.expire(self._scheduler.now))
        self._arm_expiry()

    def _report(self, removals: list[Removal]) -> None:
        for agent in self.agents:
            for removal in removals:
                agent.flow_removed(removal)

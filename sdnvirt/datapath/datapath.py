"""The datapath of one OpenFlow switch: the pipeline's state, and the cache before it.

``(in_port, frame) -> Flow`` for packets, flow mods in, expired entries out. Pure: the time is an
argument, and everything that happens outside is in the values returned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from sdnvirt.addresses import Ipv4
from sdnvirt.datapath.admission import check_actions, check_packet_out, check_queues, check_set
from sdnvirt.datapath.cache import FlowCache
from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.datapath.fields import packet_fields
from sdnvirt.datapath.flow import Enqueue, Flow, Loss, Normal, Punt
from sdnvirt.datapath.flow_entries import FlowEntries, Removal
from sdnvirt.datapath.groups import GroupTable
from sdnvirt.datapath.meters import MeterTable
from sdnvirt.datapath.pipeline import only_outputs, process, process_actions
from sdnvirt.datapath.reasons import as_meters_stand
from sdnvirt.datapath.state import PipelineState
from sdnvirt.datapath.table import FlowTable
from sdnvirt.datapath.walk import Narration, Walk
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.meters import MeterMod
from sdnvirt.wire.flowkey import KEY_BYTES, deep_key, flow_key


class Datapath:
    """The tables and cache of one OpenFlow switch.

    Attributes:
        state: what decides what becomes of packets.
        flows_of: for each port, the cached flows by flow key; only to be read.
        on_learned: called when packets have made a new flow entry, which may expire.
    """

    def __init__(self) -> None:
        self._cache = FlowCache()
        self.state = PipelineState(
            GroupTable(self._check_bucket, self._cache.clear), MeterTable(self._cache.clear)
        )
        self.flows_of = self._cache.of_port
        self._entries = FlowEntries(self.state, self._cache.settle, self._cache.change)
        self.state.learn = self._learn
        self.on_learned: Callable[[], None] | None = None

    @property
    def tables(self) -> dict[int, FlowTable]:
        """The flow tables that hold or held entries, by number."""
        return self.state.tables

    @property
    def ports(self) -> dict[int, bool]:
        """Port number to whether its link is up, in order of number."""
        return dict(sorted(self.state.ports.items()))

    # packets

    def classify(self, in_port: int, frame: Frame) -> Flow:
        """Return what becomes of a frame, from the cache or else from the tables.

        The caller counts the frame in the flow that it gets. A caller in a hurry looks the frame's
        key up in ``flows_of[in_port]`` first and calls this only for what is not there.

        Args:
            in_port: number of the port where it arrived.
            frame: the frame; its key is filled in if it has none yet.
        """
        key = frame.key
        if key is None:
            key = frame.key = flow_key(frame.data, frame.tunnel)
            flow = self.flows_of[in_port].get(key)
            if flow is not None:
                return flow
        self._cache.reveal()
        flow = self.flows_of[in_port].get(key)
        if flow is not None:
            return flow
        deep = deep_key(frame.data, frame.tunnel)
        flow = self.flows_of[in_port].get(deep)
        if flow is not None:
            return flow
        fields = packet_fields(frame.data[:KEY_BYTES], in_port, frame.tunnel, 0)
        flow = self._cache.find(in_port, fields)
        if flow is None:
            flow = process(lambda: Walk(self.state, in_port, frame, fields=fields))
        self._cache.add(deep if flow.deep else key, flow)
        return flow

    def translate(self, in_port: int, frame: Frame, narration: Narration | None = None) -> Flow:
        """Return what the tables decide for a frame, without the cache and without counting."""
        return process(lambda: Walk(self.state, in_port, frame, narration))

    def packet_out(self, in_port: int, frame: Frame, actions: tuple[Action, ...], now: int) -> Flow:
        """Return what a packet-out's actions do to its packet, and count what it matched.

        Raises:
            OpenFlowError: an action cannot be executed here.
        """
        plain = only_outputs(actions)
        known = self._cache.of_outputs.get((in_port, actions)) if plain else None
        if known is not None:
            return known  # it went through no tables, where it would be counted
        check_packet_out(actions, self.state)
        flow = process_actions(lambda: Walk(self.state, in_port, frame), actions)
        if plain:
            self._cache.add_outputs(in_port, actions, flow)
        flow.packets, flow.bytes, flow.used_ns = 1, frame.size, now
        flow.settle()
        return flow

    def set_port(self, number: int, up: bool) -> None:
        """Enter a port, or that its link went up or down."""
        self.state.ports[number] = up
        self._cache.add_port(number)
        self._cache.clear()

    def remove_port(self, number: int) -> None:
        """Forget a port, with its queues and configuration; what is sent there is dropped."""
        del self.state.ports[number]
        self.state.configs.pop(number, None)
        self.state.queues.pop(number, None)
        self._cache.clear()

    def configure_port(self, number: int, config: int) -> None:
        """Set the configuration of a port, bits of OFPPC (OpenFlow 1.3.5, 7.2.1)."""
        self.state.configs[number] = config
        self._cache.clear()

    def tell_misses(self, told: bool) -> None:
        """Set whether packets that match no entry go to a controller (PipelineState)."""
        if self.state.tells_misses != told:
            self.state.tells_misses = told
            self._cache.clear()

    def drop_fragments(self, drop: bool) -> None:
        """Set whether IP fragments are dropped as they come."""
        if self.state.drops_fragments != drop:
            self.state.drops_fragments = drop
            self._cache.clear()

    def stand_alone(self, alone: bool) -> None:
        """Set whether all packets go to the bridge, as those of a switch that lost control do."""
        if self.state.standalone != alone:
            self.state.standalone = alone
            self._cache.clear()

    def add_queue(self, port: int, queue_id: int) -> None:
        """Enter a queue of a port."""
        self.state.queues[port] = (*self.state.queues.get(port, ()), queue_id)
        self._cache.clear()

    def _check_bucket(self, actions: tuple[Action, ...]) -> None:
        """Refuse a bucket's actions, save for its groups, which the group table looks at."""
        check_set(actions)
        check_actions(actions)
        check_queues(actions, self.state)

    # flow entries

    def modify(self, mod: FlowMod, now: int) -> list[Removal]:
        """Carry out a flow mod; see :meth:`FlowEntries.modify`."""
        return self._entries.modify(mod, now)

    def _learn(self, mod: FlowMod, now: int) -> None:
        """Add or refresh an entry that a packet taught."""
        if self._entries.learn(mod, now) and self.on_learned is not None:
            self.on_learned()

    def modify_group(self, mod: GroupMod, now: int) -> list[Removal]:
        """Carry out a group mod; return the entries that went with a group, to be reported.

        Raises:
            OpenFlowError: it cannot be carried out; nothing was changed.
        """
        gone = self.state.groups.modify(mod, now)
        return self._entries.remove_users_of_groups(gone)

    def modify_meter(self, mod: MeterMod, now: int) -> list[Removal]:
        """Carry out a meter mod; return the entries that went with a meter, to be reported.

        Raises:
            OpenFlowError: it cannot be carried out; nothing was changed.
        """
        gone = self.state.meters.modify(mod, now)
        return self._entries.remove_users_of_meters(gone)

    def users_of_meters(self) -> Counter[int | None]:
        """Return how many flow entries use each meter."""
        return self._entries.users_of_meters()

    def users_of_groups(self) -> Counter[int]:
        """Return how many flow entries and groups lead to each group."""
        chained = Counter(one for group in self.state.groups for one in set(group.leads_to()))
        return self._entries.users_of_groups() + chained

    def next_expiry(self) -> int | None:
        """Return when :meth:`expire` has something to look at (ns), or None."""
        return self._entries.next_expiry()

    def expire(self, now: int) -> list[Removal]:
        """Remove the entries whose time is over; return those that are to be reported."""
        return self._entries.expire(now)

    def entries(self, request: FlowStatsRequest) -> Iterator[FlowEntry]:
        """Yield the entries that a request for statistics is about, counters settled."""
        return self._entries.selected(request)

    def settle(self) -> None:
        """Bring the counters of entries and tables up to date."""
        self._cache.settle()

    @property
    def cached_flows(self) -> int:
        """How many flows the cache holds."""
        return len(self._cache)

    def explain(
        self,
        in_port: int,
        frame: Frame,
        bridge: Callable[[Frame], list[str]] | None = None,
        now: int | None = None,
    ) -> list[str]:
        """Tell, table by table, what would become of a frame; nothing is counted or cached.

        Args:
            in_port: number of the port where it arrives.
            frame: the frame.
            bridge: tells what the switch's bridge would do with a frame.
            now: virtual time, ns, at which meters are asked; None if they let everything pass.
        """
        narration: Narration = []
        flow = self.translate(in_port, frame, narration)
        usual = flow if now is None else as_meters_stand(flow, frame, now, narration)
        for conditions, emissions in [([], usual.preview(frame)), *flow.previews(frame)]:
            when = f", if {' and '.join(conditions)}" if conditions else ""
            for sent, target in emissions:
                narration.append(f"to {_place(target)}{_appearance(sent, frame)}{when}")
                if isinstance(target, Normal) and bridge is not None:
                    narration += bridge(sent)
        return narration


def _appearance(sent: Frame, arrived: Frame) -> str:
    """Return how a packet that leaves differs from the one that arrived, in words."""
    changed = "" if sent.data == arrived.data else f" as {len(sent.data)} B, rewritten"
    tunnel = f" with tunnel id {sent.tunnel_id}" if sent.tunnel_id else ""
    remote = f" for {Ipv4(sent.tunnel_dst)}" if sent.tunnel_dst else ""
    return changed + tunnel + remote


def _place(target: int | Enqueue | Normal | Punt | Loss) -> str:
    """Return where a packet goes, in words."""
    match target:
        case Enqueue(port, queue_id):
            return f"queue {queue_id} of port {port}"
        case Normal():
            return "the bridge"
        case Punt():
            return "the controller"
        case Loss(reason):
            return f"nowhere: {reason.value}"
    return f"port {oxm.IN_PORT.text(target)}"

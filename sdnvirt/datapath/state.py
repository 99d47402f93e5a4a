"""What a walk through the pipeline reads: tables, groups, meters and ports of one datapath."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sdnvirt.datapath.conntrack.table import ConnectionTable
from sdnvirt.datapath.groups import GroupTable
from sdnvirt.datapath.meters import MeterTable
from sdnvirt.datapath.table import FlowTable
from sdnvirt.openflow.v13.constants import OFPPC
from sdnvirt.openflow.v13.flow import FlowMod


def _learn_nothing(mod: FlowMod, now: int) -> None:
    raise AssertionError(f"nobody learns {mod} at {now}")


@dataclass(slots=True)
class PipelineState:
    """The state of a datapath that decides what becomes of packets.

    Attributes:
        groups: the groups.
        meters: the meters.
        tables: flow tables by number, in order; one that is absent has no entries.
        ports: port number to whether its link is up.
        configs: bits of OFPPC, of OpenFlow 1.3 and 1.0, for the ports that have any.
        tells_misses: whether there is a controller that is told of packets which match no entry
            of table 0, as OpenFlow 1.0 has it (1.0.0, 3.4); 1.3 drops them (5.4).
        drops_fragments: whether IP fragments are dropped as they come (7.3.2).
        standalone: whether the switch is a bridge at the moment, having lost its controllers
            (6.3.2).
        queues: the queues of those ports that have any.
        connections: the connections that are tracked.
        learn: adds or refreshes the entry of a flow mod, given the time in ns.
    """

    groups: GroupTable
    meters: MeterTable
    tables: dict[int, FlowTable] = field(default_factory=dict)
    ports: dict[int, bool] = field(default_factory=dict)
    configs: dict[int, int] = field(default_factory=dict)
    drops_fragments: bool = False
    tells_misses: bool = False
    standalone: bool = False
    queues: dict[int, tuple[int, ...]] = field(default_factory=dict)
    connections: ConnectionTable = field(default_factory=ConnectionTable)
    learn: Callable[[FlowMod, int], None] = _learn_nothing

    def lives(self, port: int) -> bool:
        """Whether a port is there, has a link that is up, and was not taken down."""
        return self.ports.get(port, False) and not self.forbids(port, OFPPC.PORT_DOWN)

    def forbids(self, port: int, config: int) -> bool:
        """Whether a port's configuration has one of some bits of OFPPC."""
        configured = self.configs.get(port)
        return configured is not None and bool(configured & config)

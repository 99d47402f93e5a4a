"""What a walk through the pipeline reads: tables, groups, meters and ports of one datapath."""

from __future__ import annotations

from dataclasses import dataclass, field

from sdnvirt.datapath.groups import GroupTable
from sdnvirt.datapath.meters import MeterTable
from sdnvirt.datapath.table import FlowTable


@dataclass(slots=True)
class PipelineState:
    """The state of a datapath that decides what becomes of packets.

    Attributes:
        groups: the groups.
        meters: the meters.
        tables: flow tables by number, in order; one that is absent has no entries.
        ports: port number to whether its link is up, in order of number.
        configs: bits of OFPPC for the ports that have any.
    """

    groups: GroupTable
    meters: MeterTable
    tables: dict[int, FlowTable] = field(default_factory=dict)
    ports: dict[int, bool] = field(default_factory=dict)
    configs: dict[int, int] = field(default_factory=dict)

    def forbids(self, port: int, config: int) -> bool:
        """Whether a port's configuration has one of some bits of OFPPC."""
        return bool(self.configs.get(port, 0) & config)

"""A VLAN-aware learning bridge (IEEE 802.1Q); its decisions are those of :mod:`relay`.

Left out: spanning trees (build topologies without loops, or steer them with OpenFlow) and
multicast pruning; the addresses reserved for such protocols are filtered as a bridge must.
"""

from __future__ import annotations

from sdnvirt.addresses import Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.fdb import AGEING_NS, FDB_LIMIT, FdbEntry
from sdnvirt.devices.relay import Filtered, MacRelay
from sdnvirt.devices.vlan import Access, Membership
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame


class Bridge(Device):
    """A switch of layer 2 that learns where stations are.

    Args:
        name: unique in the network.
        world: the surroundings.
        ageing_ns: after how long an idle learned address is forgotten, from 1.
        fdb_limit: how many addresses are learned at most, from 1.
    """

    def __init__(
        self, name: str, world: World, ageing_ns: int = AGEING_NS, fdb_limit: int = FDB_LIMIT
    ) -> None:
        super().__init__(name, world)
        self._relay = MacRelay(name, ageing_ns, fdb_limit)

    def add_port(self, number: int, name: str, mac: Mac) -> Port:
        """Give the bridge one more port, an access port of VLAN 1 until it is configured."""
        port = super().add_port(number, name, mac)
        self.configure(number, Access())
        return port

    def configure(self, number: int, membership: Membership) -> None:
        """Put a port into VLANs; what was learned at it is forgotten."""
        self._relay.configure(self.ports[number], membership)

    def membership(self, number: int) -> Membership:
        """Return the VLANs of a port."""
        return self._relay.membership(number)

    def fdb(self) -> list[FdbEntry]:
        """Return what the bridge has learned, by VLAN and address; see :func:`fdb.format_fdb`."""
        return self._relay.fdb(self.world.scheduler.now)

    def port_changed(self, port: Port) -> None:
        """Forget the stations behind a port whose link changed."""
        self._relay.forget(port)

    def receive(self, port: Port, frame: Frame) -> None:
        """Classify, learn, and forward, flood or filter."""
        outputs = self._relay.decide(port, frame, self.world.scheduler.now)
        if isinstance(outputs, Filtered):
            self.drop(frame, outputs.reason, outputs.detail)
            return
        if len(outputs) > 1:
            self.world.ledger.copied += len(outputs) - 1
        for out, sent in outputs:
            out.send(sent)

    def explain(self, port: Port, frame: Frame) -> list[str]:
        """Tell how the frame is classified and by which ports it leaves, changing nothing."""
        return self._relay.explain(port, frame, self.world.scheduler.now)

"""A router of the IP underlay (RFC 1812), as a leaf or spine of a fabric.

Routes and the MAC addresses of next hops are given when the network is built and when its graph
changes. That stands for the routing protocol and neighbour discovery of an unnumbered BGP fabric
(RFC 7938; RFC 5549), whose messages would tell the same. A next hop whose link is down is not
used, and flows are hashed anew over those that are left.

Left out: ICMP errors, since only tunnel endpoints send through the fabric and none reads them,
and fragmentation: a packet that is too large for the next link is dropped there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv4Network
from zlib import crc32

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.underlay import ETHERTYPE, IP_START, IPV4, ipv4_fault, ipv4_flow
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.wire.checksum import update_checksum16


@dataclass(frozen=True, slots=True)
class NextHop:
    """A neighbour that packets can be sent to.

    Attributes:
        port: number of the port that it is reached by.
        mac: its MAC address on that link.
    """

    port: int
    mac: Mac


Routes = Mapping[IPv4Network, tuple[NextHop, ...]]


@dataclass(slots=True, eq=False)
class _Path:
    """A next hop as forwarding needs it: the port, and the Ethernet header of its frames."""

    port: Port
    header: bytes


@dataclass(slots=True, eq=False)
class _Prefixes:
    """The routes of one prefix length, by their network bits."""

    mask: int
    paths: dict[int, tuple[_Path, ...]]


class FabricRouter(Device):
    """Forwards IPv4 packets by longest prefix, over equal-cost paths by flow.

    Args:
        name: unique in the network; also salts the choice among equal-cost paths.
        world: the surroundings.
    """

    def __init__(self, name: str, world: World) -> None:
        super().__init__(name, world)
        self._routes: dict[IPv4Network, tuple[NextHop, ...]] = {}
        self._hosts: dict[bytes, tuple[_Path, ...]] = {}
        self._prefixes: list[_Prefixes] = []
        # A salt at the start of the checksum would flip the same bits for every flow, as CRCs are
        # linear, and the routers behind one choice would all choose alike. An odd factor of the
        # router's own, of whose product the high bits count, is not (Dietzfelbinger et al. 1997).
        self._factor = int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big") | 1

    @property
    def routes(self) -> dict[IPv4Network, tuple[NextHop, ...]]:
        """The routes as they were set, whether or not their next hops can be used now."""
        return dict(self._routes)

    def set_routes(self, routes: Routes) -> None:
        """Replace all routes; each leads to one or more next hops of equal cost."""
        self._routes = dict(routes)
        self._rebuild()

    def port_changed(self, port: Port) -> None:
        """Use, or no longer use, the next hops behind a port."""
        self._rebuild()

    def _rebuild(self) -> None:
        """Compute the forwarding tables from the routes and the state of the ports."""
        self._hosts = {}
        tables: dict[int, _Prefixes] = {}
        for prefix, next_hops in self._routes.items():
            paths = tuple(map(self._path, self._usable(next_hops)))
            if not paths:
                continue
            if prefix.prefixlen == prefix.max_prefixlen:
                self._hosts[prefix.network_address.packed] = paths
            else:
                table = tables.setdefault(prefix.prefixlen, _Prefixes(int(prefix.netmask), {}))
                table.paths[int(prefix.network_address)] = paths
        self._prefixes = [table for _, table in sorted(tables.items(), reverse=True)]

    def _usable(self, next_hops: tuple[NextHop, ...]) -> list[NextHop]:
        return [hop for hop in next_hops if self.ports[hop.port].up]

    def _path(self, hop: NextHop) -> _Path:
        port = self.ports[hop.port]
        return _Path(port, bytes(hop.mac) + port.mac + IPV4)

    def receive(self, port: Port, frame: Frame) -> None:
        """Forward a packet, one hop further and one step older."""
        data = frame.data
        if data[:6] != port.mac:
            self.drop(frame, DropReason.NOT_FOR_ME_L2, f"at {port.name}")
            return
        path = self._route(data)
        if isinstance(path, DropReason):
            self.drop(frame, path, f"at {port.name}")
            return
        lifetime = data[22]
        # Time to live and protocol are one word of the checksum (RFC 1624, 3).
        word = lifetime << 8 | data[23]
        checksum = update_checksum16(data[24] << 8 | data[25], word, word - 0x100)
        changed = bytes((lifetime - 1, data[23], checksum >> 8, checksum & 0xFF))
        path.port.send(frame.rewritten(path.header + data[IP_START:22] + changed + data[26:]))

    def _route(self, data: bytes) -> _Path | DropReason:
        """Return the way a packet goes on, or why it does not."""
        if data[ETHERTYPE] != IPV4:
            return DropReason.UNKNOWN_PROTOCOL
        fault = ipv4_fault(data)
        if fault is not None:
            return fault
        if data[22] <= 1:
            return DropReason.TTL_EXPIRED
        paths = self._hosts.get(data[30:34]) or self._lookup(data[30:34])
        if paths is None:
            return DropReason.NO_ROUTE
        return paths[0] if len(paths) == 1 else paths[self._choose(data, len(paths))]

    def _lookup(self, dst: bytes) -> tuple[_Path, ...] | None:
        """Return the paths of the longest prefix, shorter than a host's, that holds an address."""
        address = int.from_bytes(dst, "big")
        for table in self._prefixes:
            paths = table.paths.get(address & table.mask)
            if paths is not None:
                return paths
        return None

    def _choose(self, data: bytes, count: int) -> int:
        """Return which of some equal-cost paths the packet's flow takes (RFC 2992)."""
        product = crc32(ipv4_flow(data, IP_START)) * self._factor & 0xFFFFFFFF
        return product * count >> 32

    def explain(self, port: Port, frame: Frame) -> list[str]:
        """Tell the prefix, the equal-cost set and the choice, changing nothing."""
        data = frame.data
        if data[:6] != port.mac:
            return [f"{self.name}:{port.name} drops the frame: {DropReason.NOT_FOR_ME_L2.value}"]
        path = self._route(data)
        if isinstance(path, DropReason):
            return [f"{self.name}:{port.name} drops the frame: {path.value}"]
        dst = Ipv4(data[30:34])
        prefix, hops = self.best_route(dst)
        lines = [f"{self.name} finds {dst} in {prefix}, next hops {self._hops_text(hops)}"]
        if len(hops) > 1:
            index = self._choose(data, len(hops))
            flow = ipv4_flow(data, IP_START).hex()
            lines.append(f"{self.name} hashes flow {flow} to path {index + 1} of {len(hops)}")
        lines.append(f"{self.name}:{path.port.name} sends it with TTL {data[22] - 1}")
        return lines

    def best_route(self, dst: Ipv4) -> tuple[IPv4Network | None, tuple[NextHop, ...]]:
        """Return the longest prefix with a usable next hop for an address, and those next hops."""
        address = int(dst)
        for prefix in sorted(self._routes, key=lambda prefix: -prefix.prefixlen):
            usable = self._usable(self._routes[prefix])
            if usable and address & int(prefix.netmask) == int(prefix.network_address):
                return prefix, tuple(usable)
        return None, ()

    def _hops_text(self, hops: tuple[NextHop, ...]) -> str:
        return ", ".join(f"{hop.mac} by {self.ports[hop.port].name}" for hop in hops)

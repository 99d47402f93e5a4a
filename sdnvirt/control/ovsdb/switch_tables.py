"""Keeps the database and a live hypervisor in step, as ovs-vswitchd does.

The rows of the bridge, its ports and interfaces are made from the hypervisor's switch. A client may
add VXLAN interfaces, which become tunnel ports at once, take them away, and write down what it
likes in external_ids. What else it would change belongs to the topology, and is refused.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast
from uuid import UUID

from sdnvirt.addresses import Ipv4
from sdnvirt.control.ovsdb.database import Change, Changes, Database, Row, Transaction
from sdnvirt.control.ovsdb.errors import OvsdbError
from sdnvirt.control.ovsdb.schema import DATABASE, TABLES
from sdnvirt.control.ovsdb.tunnels import VXLAN, FlowBased, TunnelOptions, parse_options
from sdnvirt.control.ovsdb.values import Value
from sdnvirt.devices.device import Port
from sdnvirt.network.network import Network
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.virt.tunnel import FlowTunnel, KeyedTunnel, Tunnel

_LOCAL: Final = 65534
"""The local port in OpenFlow 1.0's numbering, which the database uses (ofport)."""

_NO_PORT: Final = -1
"""The ofport of an interface that could not be added."""

_NAME: Final = re.compile("[!-~]{1,64}")
"""Names that reports, OpenFlow and command lines can show; Linux allows 15 of these characters."""

_WRITTEN: Final = ("Port", "Interface")
"""The tables to which clients may add rows."""


class SwitchTables:
    """The database of one hypervisor.

    Args:
        network: the network.
        hypervisor: the hypervisor's name.

    Attributes:
        database: its tables.
    """

    def __init__(self, network: Network, hypervisor: str) -> None:
        self.database = Database(network.world.streams.stream(f"ovsdb {hypervisor}"))
        self._network = network
        self._hypervisor = network.plant.hypervisors[hypervisor]
        self._switch = network.plant.switches[hypervisor]
        self._tunnels: dict[UUID, KeyedTunnel | FlowTunnel] = {}
        self._own: dict[int, tuple[UUID, UUID]] = {}
        self._root, self._bridge = self.database.new_uuid(), self.database.new_uuid()
        transaction = self.database.begin()
        bridge: dict[str, Value] = {
            "name": (self._switch.name,),
            "datapath_id": (f"{self._switch.dpid:016x}",),
            "fail_mode": (self._switch.fail_mode.value,),
            "protocols": ("OpenFlow10", "OpenFlow13"),
        }
        root: dict[str, Value] = {"bridges": (self._bridge,), "iface_types": (VXLAN,)}
        transaction.put("Bridge", self._bridge, {**TABLES["Bridge"].defaults(), **bridge})
        transaction.put(DATABASE, self._root, {**TABLES[DATABASE].defaults(), **root})
        self._add_port(transaction, self._switch.name, "internal", _LOCAL, {})
        self.database.commit(transaction)
        self.refresh()
        self.database.keeper = self

    def refresh(self) -> None:
        """Enter the ports that the switch has got otherwise, and take out those that are gone."""
        made = {tunnel.switch_port.number for tunnel in self._tunnels.values()}
        ports = {n: p for n, p in self._switch.ports.items() if n not in made and n <= OFPP.MAX}
        if self._own.keys() == {_LOCAL, *ports}:
            return
        transaction = self.database.begin()
        for number, port in ports.items():
            if number not in self._own:
                kind, options = self._describe(port)
                self._add_port(transaction, port.name, kind, number, options)
        for number in [one for one in self._own if one != _LOCAL and one not in ports]:
            self._remove_port(transaction, number)
        self.database.commit(transaction)

    def _describe(self, port: Port) -> tuple[str, dict[str, str]]:
        """Return the type and the options of a port of the topology."""
        tunnel = self._hypervisor.tunnels.get(port.number)
        if tunnel is None:
            return "", {}
        key = str(tunnel.key) if isinstance(tunnel, KeyedTunnel) else "flow"
        remote = str(tunnel.remote) if isinstance(tunnel, Tunnel) else "flow"
        return VXLAN, {"key": key, "remote_ip": remote}

    def _add_port(
        self, transaction: Transaction, name: str, kind: str, number: int, options: dict[str, str]
    ) -> None:
        """Make the rows of a port of the topology."""
        interface, port = self._own[number] = self.database.new_uuid(), self.database.new_uuid()
        said: dict[str, Value] = {
            "name": (name,), "type": (kind,), "ofport": (number,),
            "options": tuple(sorted(options.items())),
        }  # fmt: skip
        transaction.put("Interface", interface, {**TABLES["Interface"].defaults(), **said})
        row: dict[str, Value] = {"name": (name,), "interfaces": (interface,)}
        transaction.put("Port", port, {**TABLES["Port"].defaults(), **row})
        bridge = transaction.rows("Bridge")[self._bridge]
        ports = tuple(sorted([*cast(tuple[UUID, ...], bridge["ports"]), port]))
        transaction.put("Bridge", self._bridge, {**bridge, "ports": ports})

    def _remove_port(self, transaction: Transaction, number: int) -> None:
        """Take out a port of the topology; its rows go with the last reference to them."""
        _, gone = self._own.pop(number)
        bridge = transaction.rows("Bridge")[self._bridge]
        ports = tuple(one for one in cast(tuple[UUID, ...], bridge["ports"]) if one != gone)
        transaction.put("Bridge", self._bridge, {**bridge, "ports": ports})

    # what clients may do

    def check(self, changes: Changes) -> None:
        """Refuse what belongs to the topology, and what nothing here would do.

        Raises:
            OvsdbError: a change is such a one.
        """
        own = {uuid for pair in self._own.values() for uuid in pair}
        new = {one.uuid for one in changes if one.table == "Interface" and one.old is None}
        for change in changes:
            table = change.table
            if table not in _WRITTEN:
                added = change.old is None
                if added or change.new is None:
                    verb = "added" if added else "deleted"
                    raise _refuse(f"rows of {table} cannot be {verb}")
            elif change.uuid in own and _differs(change):
                raise _refuse(f"{table} {_text(change.old, 'name')} is part of the topology")
            elif change.old is None and not _NAME.fullmatch(_text(change.new, "name")):
                raise _refuse("a name of more than 64 characters, or others than ! to ~ of ASCII")
            elif table == "Port" and change.old is None and change.new is not None:
                interfaces = set(cast(tuple[UUID, ...], change.new["interfaces"]))
                if len(interfaces) != 1 or not interfaces <= new:
                    name = _text(change.new, "name")
                    raise _refuse(f"port {name}: expected one interface, which is added with it")
                new -= interfaces

    # what the switch does about it

    def carry_out(self, changes: Changes) -> None:
        """Make the tunnels that interfaces ask for, and take away those of deleted ones."""
        own = {interface for interface, _ in self._own.values()}
        interfaces = [
            one for one in changes
            if one.table == "Interface" and one.uuid not in own and _differs(one)
        ]  # fmt: skip
        for change in interfaces:
            tunnel = self._tunnels.pop(change.uuid, None)
            if tunnel is not None:
                self._hypervisor.remove_tunnel(tunnel)
        transaction = self.database.begin()
        for change in interfaces:
            if change.new is not None:
                row = {**change.new, **self._add_tunnel(change.uuid, change.new)}
                transaction.put("Interface", change.uuid, row)
        root = transaction.rows(DATABASE)[self._root]
        transaction.put(DATABASE, self._root, {**root, "cur_cfg": root["next_cfg"]})
        self.database.commit(transaction)

    def _add_tunnel(self, uuid: UUID, row: Row) -> dict[str, Value]:
        """Make the tunnel of an interface; return what the switch says of it."""
        try:
            wanted = parse_options(_text(row, "type"), _map(row, "options"), self._address)
            tunnel = self._tunnel(wanted, _text(row, "name"), self._number(row))
        except OvsdbError as refused:
            return {"ofport": (_NO_PORT,), "error": (refused.details,), "mac_in_use": ()}
        self._tunnels[uuid] = tunnel
        port = tunnel.switch_port
        return {"ofport": (port.number,), "error": (), "mac_in_use": (str(port.mac),)}

    def _tunnel(
        self, wanted: TunnelOptions | FlowBased, name: str, number: int | None
    ) -> KeyedTunnel | FlowTunnel:
        """Make a tunnel, unless there is one like it."""
        hypervisor, vtep = self._hypervisor.name, self._hypervisor.vtep
        if isinstance(wanted, FlowBased):
            if vtep.has_flow_tunnel:
                raise _refuse("another interface leads to all endpoints")
            return self._network.add_flow_tunnel(hypervisor, name, number)
        if vtep.has_keyed_tunnel(*wanted):
            raise _refuse(f"another interface leads network {wanted.key} to {wanted.remote}")
        return self._network.add_tunnel(hypervisor, name, wanted.remote, wanted.key, number)

    @property
    def _address(self) -> Ipv4:
        return self._hypervisor.vtep.address

    def _number(self, row: Row) -> int | None:
        """Return the number that an interface had, or asks for, if it is free."""
        for column in ("ofport", "ofport_request"):
            for number in cast(tuple[int, ...], row[column]):
                if 0 < number <= OFPP.MAX and number not in self._switch.ports:
                    return number
        return None


def _differs(change: Change) -> bool:
    """Return whether more has changed than notes of a client's."""
    old, new = change.old, change.new
    if old is None or new is None:
        return True
    return any(old[name] != new[name] for name in old if name != "external_ids")


def _text(row: Row | None, column: str) -> str:
    values = row[column] if row is not None else ()
    return str(values[0]) if values else ""


def _map(row: Row, column: str) -> dict[str, str]:
    return dict(cast(Any, row[column]))


def _refuse(details: str) -> OvsdbError:
    return OvsdbError("not supported", details)

"""A hypervisor with its database, and a client of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sdnvirt.control.ovsdb.framing import MessageStream
from sdnvirt.control.ovsdb.session import Session
from sdnvirt.control.ovsdb.switch_tables import SwitchTables
from sdnvirt.network.network import Network

TWO = """
    name: two
    underlay: {routers: [r1]}
    hypervisors: {"hv[1-2]": {attach: r1}}
    tenants: {acme: {networks: {web: {vni: 10, subnet: 10.0.0.0/24}}}}
    vms: {"vm[1-2]": {network: acme/web, hypervisor: "hv[1-2]", address: "10.0.0.[1-2]"}}
"""


class Client:
    """Speaks JSON-RPC with a database."""

    def __init__(self, tables: SwitchTables) -> None:
        self.tables = tables
        self.heard: list[dict[str, Any]] = []
        self._stream = MessageStream()
        self.session = Session(tables.database, self._hear)

    def _hear(self, data: bytes) -> None:
        self.heard += self._stream.feed(data)

    def ask(self, method: str, *params: Any) -> Any:
        """Return what is answered: the result, or the error."""
        self.session.feed(json.dumps({"method": method, "params": params, "id": 7}).encode())
        answer = self.heard.pop()
        assert answer["id"] == 7
        return answer["result"] if answer["error"] is None else answer["error"]

    def transact(self, *operations: dict[str, Any]) -> Any:
        return self.ask("transact", "Open_vSwitch", *operations)

    def select(self, table: str, *columns: str, where: Any = ()) -> list[Any]:
        """Return columns of rows, one after the other in the order of the names."""
        (result,) = self.transact(
            {"op": "select", "table": table, "columns": list(columns), "where": list(where)}
        )
        return sorted(tuple(row[name] for name in columns) for row in result["rows"])

    def add_interface(self, name: str, options: dict[str, str], **columns: Any) -> Any:
        """Add an interface with its port to the bridge, as ovs-vsctl does."""
        row = {"name": name, "type": "vxlan", "options": ["map", list(options.items())], **columns}
        return self.transact(
            {"op": "insert", "table": "Interface", "uuid-name": "i", "row": row},
            {
                "op": "insert", "table": "Port", "uuid-name": "p",
                "row": {"name": name, "interfaces": ["named-uuid", "i"]},
            },
            {
                "op": "mutate", "table": "Bridge", "where": [],
                "mutations": [["ports", "insert", ["named-uuid", "p"]]],
            },
            {
                "op": "mutate", "table": "Open_vSwitch", "where": [],
                "mutations": [["next_cfg", "+=", 1]],
            },
        )  # fmt: skip

    def delete_port(self, name: str) -> Any:
        """Take a port out of the bridge."""
        ((port,),) = self.select("Port", "_uuid", where=[["name", "==", name]])
        return self.transact(
            {
                "op": "mutate", "table": "Bridge", "where": [],
                "mutations": [["ports", "delete", port]],
            }
        )  # fmt: skip


@pytest.fixture
def network(load_network: Any) -> Network:
    return load_network(text=TWO)  # type: ignore[no-any-return]


@pytest.fixture
def tables(network: Network) -> SwitchTables:
    return SwitchTables(network, "hv1")


@pytest.fixture
def client(tables: SwitchTables) -> Client:
    return Client(tables)


@pytest.fixture
def another(tables: SwitchTables) -> Client:
    return Client(tables)

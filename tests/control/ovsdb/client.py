"""A client of a hypervisor's database, without any sockets."""

from __future__ import annotations

import json
from typing import Any

from sdnvirt.control.ovsdb.framing import MessageStream
from sdnvirt.control.ovsdb.session import Session
from sdnvirt.control.ovsdb.switch_tables import SwitchTables


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

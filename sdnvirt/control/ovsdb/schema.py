"""The tables of Open vSwitch's database that a hypervisor has here (ovs-vswitchd.conf.db(5)).

Every column that is here means what it means there. What a column would configure and nothing here
does (VLANs of ports, bonds, QoS, mirrors) is read only, or is not here at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sdnvirt.control.ovsdb.errors import syntax_error
from sdnvirt.control.ovsdb.values import Base, Type, Value

DATABASE: Final = "Open_vSwitch"
VERSION: Final = "8.3.0"
"""Version of the schema of which this is a part: Open vSwitch 2.17's."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        type: of its values.
        writable: whether a client may give it a value; otherwise the switch alone does.
        mutable: whether that value may be changed after the row is inserted.
    """

    type: Type
    writable: bool = False
    mutable: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the column as a schema says it (3.2)."""
        said: dict[str, Any] = {"type": self.type.to_json()}
        if not self.mutable:
            said["mutable"] = False
        return said


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        columns: by name.
        root: whether rows stay that no other row refers to.
        max_rows: how many rows there may be, or None for ROWS_LIMIT.
        unique: the column whose values are all different, or "".
    """

    columns: dict[str, Column]
    root: bool = False
    max_rows: int | None = None
    unique: str = ""

    def column(self, name: object) -> Column:
        """Return a column by name.

        Raises:
            OvsdbError: there is none.
        """
        if not isinstance(name, str) or name not in self.columns:
            raise syntax_error(f"there is no column {name!r}"[:80])
        return self.columns[name]

    def defaults(self) -> dict[str, Value]:
        """Return a row that nobody has given any value."""
        return {name: column.type.default() for name, column in self.columns.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the table as a schema says it (3.2)."""
        said: dict[str, Any] = {
            "columns": {name: column.to_json() for name, column in self.columns.items()}
        }
        if self.root:
            said["isRoot"] = True
        if self.max_rows is not None:
            said["maxRows"] = self.max_rows
        if self.unique:
            said["indexes"] = [[self.unique]]
        return said


_INTEGER, _BOOLEAN, _STRING = Base("integer"), Base("boolean"), Base("string")


def _maybe(base: Base) -> Type:
    return Type(base, least=0)


def _any(base: Base) -> Type:
    return Type(base, least=0, most=None)


def _refs(table: str, least: int = 0) -> Type:
    return Type(Base("uuid", ref=table), least=least, most=None)


def _one_of(*words: str) -> Base:
    return Base("string", enum=words)


_MAP: Final = Type(_STRING, _STRING, 0, None)
_NAME: Final = Column(Type(_STRING), writable=True, mutable=False)
_NOTES: Final = Column(_MAP, writable=True)

_PROTOCOLS: Final = _one_of("OpenFlow10", "OpenFlow13")

TABLES: Final[dict[str, Table]] = {
    DATABASE: Table(
        {
            "bridges": Column(_refs("Bridge")),
            "manager_options": Column(_refs("Manager")),
            "next_cfg": Column(Type(_INTEGER), writable=True),
            "cur_cfg": Column(Type(_INTEGER)),
            "ovs_version": Column(_maybe(_STRING)),
            "iface_types": Column(_any(_STRING)),
            "external_ids": _NOTES,
            "other_config": Column(_MAP),
        },
        root=True,
        max_rows=1,
    ),
    "Bridge": Table(
        {
            "name": _NAME,
            "datapath_id": Column(_maybe(_STRING)),
            "datapath_type": Column(Type(_STRING)),
            "ports": Column(_refs("Port"), writable=True),
            "controller": Column(_refs("Controller")),
            "fail_mode": Column(_maybe(_one_of("secure", "standalone"))),
            "protocols": Column(_any(_PROTOCOLS)),
            "external_ids": _NOTES,
            "other_config": Column(_MAP),
        },
        unique="name",
    ),
    "Port": Table(
        {
            "name": _NAME,
            "interfaces": Column(_refs("Interface", least=1), writable=True, mutable=False),
            "tag": Column(_maybe(_INTEGER)),
            "trunks": Column(_any(_INTEGER)),
            "vlan_mode": Column(_maybe(_one_of("access", "native-tagged", "native-untagged",
                                               "trunk"))),
            "qos": Column(Type(Base("uuid", ref="QoS"), least=0)),
            "fake_bridge": Column(Type(_BOOLEAN)),
            "bond_fake_iface": Column(Type(_BOOLEAN)),
            "external_ids": _NOTES,
            "other_config": Column(_MAP),
        },
        unique="name",
    ),
    "Interface": Table(
        {
            "name": _NAME,
            "type": Column(Type(_STRING), writable=True),
            "options": Column(_MAP, writable=True),
            "ofport": Column(_maybe(_INTEGER)),
            "ofport_request": Column(_maybe(_INTEGER), writable=True),
            "mac_in_use": Column(_maybe(_STRING)),
            "error": Column(_maybe(_STRING)),
            "external_ids": _NOTES,
            "other_config": Column(_MAP),
        },
        unique="name",
    ),
    "Controller": Table(
        {
            "target": Column(Type(_STRING)),
            "is_connected": Column(Type(_BOOLEAN)),
        },
    ),
    "Manager": Table(
        {
            "target": Column(Type(_STRING)),
            "is_connected": Column(Type(_BOOLEAN)),
        },
    ),
    "QoS": Table(
        {
            "type": Column(Type(_STRING)),
            "queues": Column(Type(_INTEGER, Base("uuid", ref="Queue"), 0, None)),
            "external_ids": Column(_MAP),
            "other_config": Column(_MAP),
        },
    ),
    "Queue": Table(
        {
            "dscp": Column(_maybe(_INTEGER)),
            "external_ids": Column(_MAP),
            "other_config": Column(_MAP),
        },
    ),
}  # fmt: skip
"""The tables; Controller, Manager, QoS and Queue are empty, as clients ask for them at least."""

SCHEMA: Final[dict[str, Any]] = {
    "name": DATABASE,
    "version": VERSION,
    "tables": {name: table.to_json() for name, table in TABLES.items()},
}
"""The whole as get_schema answers it (4.1.2)."""

"""Flow tables: their configuration and what each can do (7.3.3 and 7.3.5.5).

All tables can do the same, save that none leads back to an earlier one. What they can do is read
from the tables of the datapath itself: the fields that it reads and sets, the actions that have a
rule, the instructions that it executes.

A controller that asks for less than that gets it, as the tables' abilities need only include what
is asked for; one that asks for more, or for fewer tables, is refused and nothing is changed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from sdnvirt.datapath.actions import RULES
from sdnvirt.datapath.fields import MATCHABLE
from sdnvirt.datapath.pipeline import EXECUTION_ORDER
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.datapath.table import TABLE_LIMIT
from sdnvirt.devices.of13.handler import Answers, Entries, Handlers
from sdnvirt.openflow.element import Packed
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPAT, OFPIT, OFPMP, OFPTFPT, OFPTT
from sdnvirt.openflow.v13.error_codes import OFPTFFC, refuse
from sdnvirt.openflow.v13.instructions import ALL_METADATA
from sdnvirt.openflow.v13.table_features import (
    NextTablesProperty,
    OxmId,
    OxmProperty,
    Property,
    TableFeatures,
    TypeId,
    TypesProperty,
)
from sdnvirt.openflow.v13.tables import TableMod

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent
    from sdnvirt.devices.switch import OpenFlowSwitch

TABLES: Final = OFPTT.MAX + 1
"""Flow tables of a switch, numbered from 0: OpenFlow's own maximum (7.3.3)."""

_GOTO: Final = TypeId(OFPIT.GOTO_TABLE)
_INSTRUCTIONS: Final = tuple(TypeId(kind) for kind in sorted(one.TYPE for one in EXECUTION_ORDER))
_ACTIONS: Final = tuple(
    TypeId(kind) for kind in sorted({one.TYPE for one in RULES} - {OFPAT.EXPERIMENTER})
)


def _oxm_id(header: bytes) -> OxmId:
    return OxmId(int.from_bytes(header, "big"))


_MATCH: Final = tuple(
    _oxm_id(field.masked_header if field.maskable else field.header) for field in sorted(MATCHABLE)
)
"""A header with its mask bit says that the field may be masked; only MATCH has such headers."""

_WILDCARDS: Final = tuple(_oxm_id(field.header) for field in sorted(MATCHABLE))

_SET_FIELD: Final = tuple(_oxm_id(field.header) for field in sorted({*SETTERS, oxm.TUNNEL_ID}))

_MISS: Final[dict[int, int]] = {
    OFPTFPT.INSTRUCTIONS_MISS: OFPTFPT.INSTRUCTIONS,
    OFPTFPT.NEXT_TABLES_MISS: OFPTFPT.NEXT_TABLES,
    OFPTFPT.WRITE_ACTIONS_MISS: OFPTFPT.WRITE_ACTIONS,
    OFPTFPT.APPLY_ACTIONS_MISS: OFPTFPT.APPLY_ACTIONS,
    OFPTFPT.WRITE_SETFIELD_MISS: OFPTFPT.WRITE_SETFIELD,
    OFPTFPT.APPLY_SETFIELD_MISS: OFPTFPT.APPLY_SETFIELD,
}
"""Properties of table-miss entries, which here can do what any entry can; left out where the same
as the others (7.3.5.5.2)."""


def _properties(table_id: int) -> tuple[Property, ...]:
    """Return what a table can do; the last one leads to no other."""
    later = tuple(range(table_id + 1, TABLES))
    instructions = _INSTRUCTIONS if later else tuple(i for i in _INSTRUCTIONS if i != _GOTO)
    return (
        TypesProperty(OFPTFPT.INSTRUCTIONS, instructions),
        NextTablesProperty(OFPTFPT.NEXT_TABLES, later),
        TypesProperty(OFPTFPT.WRITE_ACTIONS, _ACTIONS),
        TypesProperty(OFPTFPT.APPLY_ACTIONS, _ACTIONS),
        OxmProperty(OFPTFPT.MATCH, _MATCH),
        OxmProperty(OFPTFPT.WILDCARDS, _WILDCARDS),
        OxmProperty(OFPTFPT.WRITE_SETFIELD, _SET_FIELD),
        OxmProperty(OFPTFPT.APPLY_SETFIELD, _SET_FIELD),
    )


def _features(table_id: int) -> TableFeatures:
    return TableFeatures(
        table_id, f"table {table_id}", ALL_METADATA, ALL_METADATA, 0, TABLE_LIMIT,
        _properties(table_id),
    )  # fmt: skip


@cache
def _told() -> Entries:
    """Return what all tables can do, in bytes: there are 250 kB of them, for every switch alike."""
    return tuple(Packed(_features(table_id).pack()) for table_id in range(TABLES))


def _table_features(_switch: OpenFlowSwitch, request: Entries) -> Entries:
    if request:
        _check(request)
    return _told()


def _check(request: Entries) -> None:
    """Refuse a pipeline that is not this one or that should do more than it does."""
    wanted: set[int] = set()
    for one in request:
        assert isinstance(one, TableFeatures)
        if one.table_id >= TABLES:
            raise refuse(OFPTFFC.BAD_TABLE, f"no table {one.table_id}")
        if one.table_id in wanted:
            raise refuse(OFPTFFC.BAD_ARGUMENT, f"table {one.table_id} stands twice")
        wanted.add(one.table_id)
        known: dict[int, Property] = {mine.kind: mine for mine in _properties(one.table_id)}
        for asked in one.properties:
            mine = known.get(_MISS.get(asked.kind, asked.kind))
            if mine is None:
                raise refuse(OFPTFFC.BAD_TYPE, f"property {asked.kind} is not supported")
            if not _values(asked) <= _values(mine):
                raise refuse(OFPTFFC.BAD_ARGUMENT, f"property {asked.kind} asks for too much")
    if len(wanted) < TABLES:
        raise refuse(OFPTFFC.EPERM, f"the pipeline has {TABLES} tables, not {len(wanted)}")


def _values(one: Property) -> set[object]:
    """Return what a property lists; a field that may be masked may also be matched exactly."""
    match one:
        case TypesProperty(_, ids):
            return set(ids)
        case NextTablesProperty(_, table_ids):
            return set(table_ids)
        case OxmProperty(_, oxm_ids):
            return {*oxm_ids, *map(_unmasked, oxm_ids)}
    return set()


def _unmasked(one: OxmId) -> OxmId:
    field, _ = oxm.BY_HEADER.get(one.header.to_bytes(oxm.HEADER_SIZE, "big"), (None, False))
    return one if field is None else _oxm_id(field.header)


def _table_mod(_agent: Agent, _mod: TableMod) -> None:
    """Every table number is one of a table, and the bits left to configure have no effect."""


HANDLERS: Final[Handlers] = {TableMod: _table_mod}
ANSWERS: Final[Answers] = {OFPMP.TABLE_FEATURES: _table_features}

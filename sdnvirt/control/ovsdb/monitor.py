"""What a client is told of changes to the tables (RFC 7047, 4.1.5 and 4.1.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sdnvirt.control.ovsdb.database import Change, Changes, Database, Row
from sdnvirt.control.ovsdb.errors import OvsdbError, syntax_error
from sdnvirt.control.ovsdb.schema import TABLES
from sdnvirt.control.ovsdb.values import shown

_KINDS: Final = ("initial", "insert", "delete", "modify")


class _Request(NamedTuple):
    """Columns of one table, and the kinds of changes to them that are told."""

    columns: tuple[str, ...]
    kinds: frozenset[str]


class Monitor:
    """One monitor of one client.

    Args:
        requests: the object of <monitor-requests>, by table.

    Raises:
        OvsdbError: that is no such object, or names what is not there.
    """

    def __init__(self, requests: Any) -> None:
        if not isinstance(requests, dict):
            raise syntax_error(f"{shown(requests)} is no object of monitor requests")
        self._requests: dict[str, tuple[_Request, ...]] = {}
        for name, given in requests.items():
            if name not in TABLES:
                raise OvsdbError("unknown table", shown(name))
            several = given if isinstance(given, list) else [given]
            self._requests[name] = tuple(_parse(name, one) for one in several)
            columns = [column for one in self._requests[name] for column in one.columns]
            if len(set(columns)) != len(columns):
                raise syntax_error(f"{name}: a column is monitored twice")

    def initial(self, database: Database) -> dict[str, Any]:
        """Return the <table-updates> that tell what there is."""
        rows = [
            Change(name, uuid, None, row)
            for name in self._requests
            for uuid, row in database.rows(name).items()
        ]
        return self._updates(rows, "initial")

    def updates(self, changes: Changes) -> dict[str, Any]:
        """Return the <table-updates> for changes; they are empty if none concern the client."""
        return self._updates(changes, None)

    def _updates(self, changes: Changes, kind: str | None) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for change in changes:
            old: dict[str, Any] = {}
            new: dict[str, Any] = {}
            seen = False
            for name in self._columns(change, kind or _kind(change)):
                seen = True
                is_same = _value(change.old, name) == _value(change.new, name)
                if change.old is not None and not (is_same and change.new is not None):
                    old[name] = _show(change, change.old, name)
                if change.new is not None:
                    new[name] = _show(change, change.new, name)
            if not seen or (change.old is not None and change.new is not None and not old):
                continue
            update = {"old": old} if change.old is not None else {}
            if change.new is not None:
                update["new"] = new
            told.setdefault(change.table, {})[str(change.uuid)] = update
        return told

    def _columns(self, change: Change, kind: str) -> Iterator[str]:
        for request in self._requests.get(change.table, ()):
            if kind in request.kinds:
                yield from request.columns


def _kind(change: Change) -> str:
    if change.old is None:
        return "insert"
    return "delete" if change.new is None else "modify"


def _value(row: Row | None, name: str) -> Any:
    return None if row is None else row[name]


def _show(change: Change, row: Row, name: str) -> Any:
    return TABLES[change.table].columns[name].type.show(row[name])


def _parse(table: str, given: Any) -> _Request:
    if not isinstance(given, dict):
        raise syntax_error(f"{shown(given)} is no monitor request")
    columns = given.get("columns", list(TABLES[table].columns))
    select = given.get("select", {})
    if not isinstance(columns, list) or not isinstance(select, dict):
        raise syntax_error(f"{shown(given)} is no monitor request")
    for name in columns:
        TABLES[table].column(name)
    kinds = frozenset(kind for kind in _KINDS if select.get(kind, True) is not False)
    return _Request(tuple(columns), kinds)

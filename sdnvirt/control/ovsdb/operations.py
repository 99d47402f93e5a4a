"""The operations of a transaction (RFC 7047, 5.2).

Not here: a ``wait`` that waits, since nothing else could change the tables meanwhile but another
client; ``commit`` with durable storage, which there is none of; and locks, so that ``assert``
always finds that somebody else has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from sdnvirt.control.ovsdb.conditions import UUID_COLUMN, mutate, parse_condition
from sdnvirt.control.ovsdb.database import Database, Row, Transaction
from sdnvirt.control.ovsdb.errors import OvsdbError, syntax_error, violation
from sdnvirt.control.ovsdb.schema import TABLES, Column, Table
from sdnvirt.control.ovsdb.values import Names, show_atom, shown

OPERATIONS_LIMIT: Final = 1000
"""Operations of one transaction; ovs-vsctl's have about ten."""

WORK_LIMIT: Final = 200_000
"""Rows times what is asked of each, in one transaction: about 0.2 s."""

_SHOWING: Final = 8
"""The work of showing one element, beside that of comparing it."""


def transact(database: Database, operations: list[Any]) -> list[Any]:
    """Carry out a transaction; return the result of each operation, as RFC 7047, 4.1.3 says.

    After an operation that fails come nulls; after all of them an error if they fail together.
    """
    results: list[Any] = []
    try:
        if len(operations) > OPERATIONS_LIMIT:
            raise OvsdbError("resources exhausted", f"more than {OPERATIONS_LIMIT} operations")
        batch = Batch(database, operations)
        for operation in operations:
            results.append(batch.execute(operation))  # noqa: PERF401 - also if a later one fails
        database.commit_client(batch.transaction)
    except OvsdbError as error:
        results.append(error.to_json())
        results += [None] * (len(operations) - len(results))
    return results


class Batch:
    """The operations of one transaction, on their way.

    Args:
        database: the tables.
        operations: all of them, since one may name a row that a later one inserts.

    Raises:
        OvsdbError: two rows have the same name.
    """

    def __init__(self, database: Database, operations: list[Any]) -> None:
        self.transaction: Transaction = database.begin()
        self._new_uuid = database.new_uuid
        self._names: dict[str, UUID] = {}
        self._work = 0
        for operation in operations:
            name = operation.get("uuid-name") if isinstance(operation, dict) else None
            if isinstance(name, str):
                if name in self._names:
                    raise OvsdbError("duplicate uuid-name", shown(name))
                self._names[name] = self._new_uuid()

    def execute(self, operation: Any) -> dict[str, Any]:
        """Carry out one operation; return its result.

        Raises:
            OvsdbError: it cannot be carried out.
        """
        if not isinstance(operation, dict) or not isinstance(operation.get("op"), str):
            raise syntax_error(f"{shown(operation)} is no operation")
        handler = _HANDLERS.get(operation["op"])
        if handler is None:
            raise syntax_error(f"{shown(operation['op'])} is no operation")
        return handler(self, operation)

    # on tables

    def insert(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Insert a row (5.2.1)."""
        name, table = _table(operation)
        row = {**table.defaults(), **self._columns(table, operation.get("row", {}), _insertable)}
        for column, value in row.items():
            table.columns[column].type.checked(value)
        named = operation.get("uuid-name")
        uuid = self._names[named] if isinstance(named, str) else self._new_uuid()
        self.transaction.put(name, uuid, row)
        return {"uuid": show_atom(uuid)}

    def select(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Return columns of rows (5.2.2)."""
        _, table = _table(operation)
        columns = _column_names(table, operation)
        rows = []
        for uuid, row in self._where(operation):
            self._count(_SHOWING * sum(len(row.get(name, ())) for name in columns))
            rows.append(_show(table, uuid, row, columns))
        return {"rows": rows}

    def update(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Give columns of rows other values (5.2.3)."""
        name, table = _table(operation)
        changed = self._columns(table, operation.get("row"), _changeable)
        found = list(self._where(operation))
        for uuid, row in found:
            self.transaction.put(name, uuid, {**row, **changed})
        return {"count": len(found)}

    def mutate(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Change columns of rows by what they are (5.2.4)."""
        name, table = _table(operation)
        mutations = _list(operation, "mutations")
        found = list(self._where(operation))
        for uuid, row in found:
            changed = dict(row)
            for mutation in mutations:
                if not isinstance(mutation, list) or len(mutation) != 3:
                    raise syntax_error(f"{shown(mutation)} is no mutation")
                column_name, mutator, given = mutation
                column = table.column(column_name)
                _changeable(column_name, column)
                self._count(1 + len(changed[column_name]) + len(str(given)) // 8)
                changed[column_name] = mutate(
                    column, changed[column_name], mutator, given, self._names
                )
            self.transaction.put(name, uuid, changed)
        return {"count": len(found)}

    def delete(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Delete rows (5.2.5)."""
        name, _ = _table(operation)
        found = list(self._where(operation))
        for uuid, _ in found:
            self.transaction.delete(name, uuid)
        return {"count": len(found)}

    def wait(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Go on if rows are as expected (5.2.6)."""
        _, table = _table(operation)
        columns = _column_names(table, operation)
        until = operation.get("until")
        if until not in ("==", "!="):
            raise syntax_error(f"wait until {shown(until)}; expected == or !=")
        wanted = [
            self._columns(table, row, lambda _name, _column: None)
            for row in _list(operation, "rows")
        ]
        found = [
            {column: row[column] for column in columns if column != UUID_COLUMN}
            for _, row in self._where(operation)
        ]
        self._count(len(wanted) * len(found))
        same = all(row in found for row in wanted) and all(row in wanted for row in found)
        if same != (until == "=="):
            if operation.get("timeout") != 0:
                raise OvsdbError("not supported", "a wait with another timeout than 0")
            raise OvsdbError("timed out", "the rows are not as expected")
        return {}

    # on the transaction

    def commit(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Ask for durable storage (5.2.7)."""
        if operation.get("durable"):
            raise OvsdbError("not supported", "the database is not stored")
        return {}

    def abort(self, _operation: dict[str, Any]) -> dict[str, Any]:
        """Let the transaction fail (5.2.8)."""
        raise OvsdbError("aborted", "the transaction asks for it")

    def comment(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Say what the transaction is for (5.2.9)."""
        if not isinstance(operation.get("comment"), str):
            raise syntax_error("a comment without a string")
        return {}

    def assert_(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Ask for a lock to be the client's (5.2.10)."""
        raise OvsdbError("not owner", f"lock {shown(operation.get('lock'))}: there are no locks")

    # parts

    def _columns(
        self, table: Table, given: Any, check: Callable[[str, Column], None]
    ) -> dict[str, Any]:
        """Return the columns of a <row>; those that cannot be written only as they are anyway."""
        if not isinstance(given, dict):
            raise syntax_error(f"{shown(given)} is no row")
        parsed = {}
        for name, json in given.items():
            column = table.column(name)
            parsed[name] = column.type.parse(json, self._names)
            if check is not _insertable or parsed[name] != column.type.default():
                check(name, column)
        return parsed

    def _where(self, operation: dict[str, Any]) -> Iterator[tuple[UUID, Row]]:
        """Yield the rows for which all conditions hold."""
        name, table = _table(operation)
        names: Names = self._names
        conditions = [parse_condition(one, table, names) for one in _list(operation, "where")]
        for uuid, row in list(self.transaction.rows(name).items()):
            self._count(1 + sum(condition.work(row) for condition in conditions))
            if all(condition.holds(uuid, row) for condition in conditions):
                yield uuid, row

    def _count(self, work: int) -> None:
        self._work += work
        if self._work > WORK_LIMIT:
            raise OvsdbError("resources exhausted", "the transaction is too much work")


_HANDLERS: Final[dict[str, Callable[[Batch, dict[str, Any]], dict[str, Any]]]] = {
    "insert": Batch.insert,
    "select": Batch.select,
    "update": Batch.update,
    "mutate": Batch.mutate,
    "delete": Batch.delete,
    "wait": Batch.wait,
    "commit": Batch.commit,
    "abort": Batch.abort,
    "comment": Batch.comment,
    "assert": Batch.assert_,
}


def _insertable(name: str, column: Column) -> None:
    if not column.writable:
        raise violation(f"{name} is the switch's own, or configures what is not emulated")


def _changeable(name: str, column: Column) -> None:
    _insertable(name, column)
    if not column.mutable:
        raise violation(f"{name} cannot be changed once a row is inserted")


def _table(operation: dict[str, Any]) -> tuple[str, Table]:
    name = operation.get("table")
    if not isinstance(name, str) or name not in TABLES:
        raise OvsdbError("unknown table", shown(name))
    return name, TABLES[name]


def _list(operation: dict[str, Any], member: str) -> list[Any]:
    value = operation.get(member)
    if not isinstance(value, list):
        raise syntax_error(f"{operation['op']}: {member} is no array")
    return value


def _column_names(table: Table, operation: dict[str, Any]) -> list[str]:
    """Return the columns that an operation names, by default all."""
    if "columns" not in operation:
        return [UUID_COLUMN, *table.columns]
    names = _list(operation, "columns")
    for name in names:
        if name != UUID_COLUMN:
            table.column(name)
    return names


def _show(table: Table, uuid: UUID, row: Row, columns: list[str]) -> dict[str, Any]:
    return {
        name: show_atom(uuid) if name == UUID_COLUMN else table.columns[name].type.show(row[name])
        for name in columns
    }

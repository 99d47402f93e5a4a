"""Rows, and transactions that change all they change or nothing (RFC 7047, 3.2 and 4.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from sdnvirt.control.ovsdb.errors import OvsdbError, violation
from sdnvirt.control.ovsdb.schema import TABLES, Table
from sdnvirt.control.ovsdb.values import Atom, Base, Value

ROWS_LIMIT: Final = 4096
"""Rows of one table: more than a switch of an emulated network has ports."""

Row = Mapping[str, Value]
"""A row's columns; rows are never changed but replaced, so transactions can share them."""


class Change(NamedTuple):
    """What a transaction did to one row.

    Attributes:
        table: the row's table.
        uuid: the row.
        old: what it was, or None if it is new.
        new: what it is, or None if it is gone.
    """

    table: str
    uuid: UUID
    old: Row | None
    new: Row | None


Changes = list[Change]


class Transaction:
    """A set of changes that is to be made at once; nobody sees any of them before.

    Args:
        tables: the rows of each table as they are.
    """

    def __init__(self, tables: Mapping[str, Mapping[UUID, Row]]) -> None:
        self._before = tables
        self._after: dict[str, dict[UUID, Row]] = {}

    def rows(self, table: str) -> Mapping[UUID, Row]:
        """Return the rows of a table as they are now in the transaction."""
        return self._after.get(table, self._before[table])

    def put(self, table: str, uuid: UUID, row: Row) -> None:
        """Insert or replace a row.

        Raises:
            OvsdbError: the table has as many rows as it may have.
        """
        rows = self._writable(table)
        if uuid not in rows and len(rows) >= (TABLES[table].max_rows or ROWS_LIMIT):
            raise violation(f"{table} has {len(rows)} rows, which is all it may have")
        rows[uuid] = row

    def delete(self, table: str, uuid: UUID) -> None:
        """Delete a row, which is there."""
        del self._writable(table)[uuid]

    def finish(self) -> Changes:
        """Take away the rows that nothing refers to, and return all that has changed.

        Raises:
            OvsdbError: a row refers to one that is not there, or two rows have a name in common.
        """
        self._collect()
        for name, rows in self._after.items():
            unique = TABLES[name].unique
            if unique and len({row[unique] for row in rows.values()}) != len(rows):
                raise violation(f"two rows of {name} have the same {unique}")
        return [
            Change(name, uuid, old, new)
            for name in TABLES
            if name in self._after
            for uuid in {**self._before[name], **self._after[name]}
            if (old := self._before[name].get(uuid)) != (new := self._after[name].get(uuid))
        ]

    def _writable(self, table: str) -> dict[UUID, Row]:
        rows = self._after.get(table)
        if rows is None:
            rows = self._after[table] = dict(self._before[table])
        return rows

    def _collect(self) -> None:
        """Keep the rows that a root refers to, at any number of steps."""
        reached: set[tuple[str, UUID]] = set()
        ahead = [(name, uuid) for name in TABLES if TABLES[name].root for uuid in self.rows(name)]
        while ahead:
            name, uuid = one = ahead.pop()
            if one in reached:
                continue
            reached.add(one)
            row = self.rows(name).get(uuid)
            if row is None:
                raise OvsdbError("referential integrity violation", f"{name} has no row {uuid}")
            ahead += _references(TABLES[name], row)
        for name in TABLES:
            for uuid in [uuid for uuid in self.rows(name) if (name, uuid) not in reached]:
                self.delete(name, uuid)


class Keeper(Protocol):
    """Who carries out what clients write into the tables."""

    def check(self, changes: Changes) -> None:
        """Look at changes that a client wants to make.

        Raises:
            OvsdbError: they cannot be made.
        """

    def carry_out(self, changes: Changes) -> None:
        """Do what a client's changes, which have been made and told, ask for."""


class Database:
    """The tables.

    Args:
        random: where the rows' UUIDs come from.

    Attributes:
        keeper: who carries out what clients write.
        observers: told, in this order, of all changes that were made.
    """

    def __init__(self, random: Random) -> None:
        self._tables: dict[str, Mapping[UUID, Row]] = {name: {} for name in TABLES}
        self._random = random
        self.keeper: Keeper | None = None
        self.observers: list[Callable[[Changes], None]] = []

    def new_uuid(self) -> UUID:
        """Return a UUID for a new row."""
        return UUID(int=self._random.getrandbits(128), version=4)

    def rows(self, table: str) -> Mapping[UUID, Row]:
        """Return the rows of a table."""
        return self._tables[table]

    def begin(self) -> Transaction:
        """Return a transaction; one at a time is made."""
        return Transaction(self._tables)

    def commit(self, transaction: Transaction) -> None:
        """Make the keeper's own changes, and tell of them.

        Raises:
            OvsdbError: they do not fit together; nothing is changed.
        """
        self._make(transaction, transaction.finish())

    def commit_client(self, transaction: Transaction) -> None:
        """Make a client's changes, tell of them, and have them carried out.

        Raises:
            OvsdbError: they do not fit together, or cannot be made; nothing is changed.
        """
        changes = transaction.finish()
        if self.keeper is not None and changes:
            self.keeper.check(changes)
        self._make(transaction, changes)
        if self.keeper is not None and changes:
            self.keeper.carry_out(changes)

    def _make(self, transaction: Transaction, changes: Changes) -> None:
        self._tables = {name: transaction.rows(name) for name in TABLES}
        if changes:
            for tell in list(self.observers):
                tell(changes)


def _references(table: Table, row: Row) -> Iterator[tuple[str, UUID]]:
    """Yield the rows that a row refers to."""
    for name, column in table.columns.items():
        key, value = column.type.key, column.type.value
        for element in row[name]:
            if isinstance(element, tuple):
                assert value is not None
                yield from (*_reference(key, element[0]), *_reference(value, element[1]))
            else:
                yield from _reference(key, element)


def _reference(base: Base, atom: Atom) -> list[tuple[str, UUID]]:
    return [(base.ref, atom)] if base.ref and isinstance(atom, UUID) else []

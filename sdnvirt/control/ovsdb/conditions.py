"""Which rows an operation is about, and what mutations make of a value (RFC 7047, 5.1)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from sdnvirt.control.ovsdb.database import Row
from sdnvirt.control.ovsdb.errors import OvsdbError, syntax_error, violation
from sdnvirt.control.ovsdb.schema import Column, Table
from sdnvirt.control.ovsdb.values import (
    INTEGER_MAX,
    Base,
    Names,
    Type,
    Value,
    difference,
    shown,
    union,
)

UUID_COLUMN: Final = "_uuid"
"""The column that every row has, and nobody writes."""

_UUID_TYPE: Final = Type(Base("uuid"))
_NUMBERS: Final = ("integer", "real")

Test = Callable[[Value, Value], bool]

_EQUALITY: Final[dict[str, Test]] = {"==": operator.eq, "!=": operator.ne}
_ORDER: Final[dict[str, Test]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge
}  # fmt: skip
_MEMBERSHIP: Final[dict[str, Test]] = {
    "includes": lambda value, given: set(given) <= set(value),
    "excludes": lambda value, given: not set(given) & set(value),
}


class Condition(NamedTuple):
    """One clause of <where>: a column, how it is compared, and with what."""

    column: str
    test: Test
    given: Value

    def holds(self, uuid: UUID, row: Row) -> bool:
        """Return whether a row is as the clause says."""
        value: Value = (uuid,) if self.column == UUID_COLUMN else row[self.column]
        return self.test(value, self.given)

    def work(self, row: Row) -> int:
        """Return how many elements are compared with each other."""
        return 1 + len(self.given) + len(row.get(self.column, ()))


def parse_condition(given: Any, table: Table, names: Names) -> Condition:
    """Return a clause of JSON, [column, function, value].

    Raises:
        OvsdbError: it is none, or the function is not for that column's type.
    """
    if not isinstance(given, list) or len(given) != 3:
        raise syntax_error(f"{shown(given)} is no condition")
    name, function, value = given
    type_ = _UUID_TYPE if name == UUID_COLUMN else table.column(name).type
    if not isinstance(function, str):
        raise syntax_error(f"{shown(function)} is no function")
    if function in _ORDER:
        if type_.value is not None or type_.key.kind not in _NUMBERS or type_.most != 1:
            raise syntax_error(f"{name} {function}: the column is no number")
        return Condition(name, _ORDER[function], Type(type_.key).parse(value, names))
    test = _EQUALITY.get(function) or _MEMBERSHIP.get(function)
    if test is None:
        raise syntax_error(f"{shown(function)} is no function")
    return Condition(name, test, type_.parse_any(value, names))


def _remainder(number: Any, by: Any) -> Any:
    return number - by * _quotient(number, by)  # the sign of the dividend, as in C


def _quotient(number: Any, by: Any) -> Any:
    if isinstance(number, float):
        return number / by
    return abs(number) // abs(by) * (1 if (number < 0) == (by < 0) else -1)


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+=": operator.add, "-=": operator.sub, "*=": operator.mul,
    "/=": _quotient, "%=": _remainder,
}  # fmt: skip


def mutate(column: Column, value: Value, mutator: Any, given: Any, names: Names) -> Value:
    """Return what a mutation makes of a value.

    Raises:
        OvsdbError: the mutation is none, or not for that column's type; or what it makes is out of
            range.
    """
    type_ = column.type
    if mutator == "insert":
        return type_.checked(union(type_, value, type_.parse_any(given, names)))
    if mutator == "delete":
        return type_.checked(_without(type_, value, given, names))
    if not isinstance(mutator, str) or mutator not in _ARITHMETIC:
        raise syntax_error(f"{shown(mutator)} is no mutator")
    if type_.value is not None or type_.key.kind not in _NUMBERS:
        raise syntax_error(f"{mutator}: the column holds no numbers")
    (operand,) = Type(type_.key).parse(given, names)
    made = tuple(sorted({_compute(mutator, one, operand) for one in value}))
    if len(made) != len(value):
        raise violation(f"{mutator}: two elements become one")
    return cast(Value, made)


def _without(type_: Type, value: Value, given: Any, names: Names) -> Value:
    """Return a value less some elements; of a map, less some pairs or all pairs with some keys."""
    if type_.value is not None and not (isinstance(given, list) and given[:1] == ["map"]):
        keys = set(Type(type_.key, least=0, most=None).parse_any(given, names))
        return difference(value, lambda pair: pair[0] in keys)
    gone = set(type_.parse_any(given, names))
    return difference(value, lambda one: one in gone)


def _compute(mutator: str, number: Any, operand: Any) -> Any:
    try:
        result = _ARITHMETIC[mutator](number, operand)
    except ZeroDivisionError:
        raise OvsdbError("domain error", f"{mutator} 0") from None
    if isinstance(result, int) and not -INTEGER_MAX - 1 <= result <= INTEGER_MAX:
        raise OvsdbError("range error", f"{number} {mutator} {operand}")
    return result

"""The values of columns and their types (RFC 7047, 3.2 and 5.1).

In memory a value is a sorted tuple without repetitions: of atoms for a set (a scalar is a set of
one) and of pairs of atoms for a map. So equal values are equal tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from sdnvirt.control.ovsdb.errors import syntax_error, violation

Atom = int | float | bool | str | UUID
Value = tuple[Atom, ...] | tuple[tuple[Atom, Atom], ...]
Names = Mapping[str, UUID]
"""The rows that a transaction inserts, by what it calls them."""

STRING_LIMIT: Final = 1024
"""Characters of a string that is stored; names, addresses and the like are below 256."""

UNLIMITED: Final = 1024
"""Elements of a set or map whose number the schema does not limit: a switch's ports with room to
spare, and little memory for somebody who fills external_ids."""

INTEGER_MAX: Final = (1 << 63) - 1

_NO_UUID: Final = UUID(int=0)
_DEFAULTS: Final[dict[str, Atom]] = {
    "integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": _NO_UUID
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Base:
    """The type of an atom (<base-type>).

    Attributes:
        kind: ``integer``, ``real``, ``boolean``, ``string`` or ``uuid``.
        enum: the strings that are allowed, or None for all.
        ref: the table of the rows that UUIDs name, or "".
    """

    kind: str
    enum: tuple[str, ...] | None = None
    ref: str = ""

    def parse(self, given: Any, names: Names) -> Atom:
        """Return an atom of JSON.

        Raises:
            OvsdbError: it is no atom of this type.
        """
        if self.kind == "uuid":
            return _parse_uuid(given, names)
        if self.kind == "real" and type(given) is int:
            given = float(given)
        if type(given) is not type(_DEFAULTS[self.kind]):
            raise syntax_error(f"{shown(given)} is no {self.kind}")
        if isinstance(given, str) and len(given) > STRING_LIMIT:
            raise violation(f"a string of {len(given)} characters; at most {STRING_LIMIT}")
        if type(given) is int and not -INTEGER_MAX - 1 <= given <= INTEGER_MAX:
            raise syntax_error(f"{shown(given)} has more than 64 bits")
        if self.enum is not None and given not in self.enum:
            raise violation(f"{shown(given)}; expected one of {', '.join(self.enum)}")
        return given

    def to_json(self) -> Any:
        """Return the type as a schema says it."""
        if self.enum is not None:
            return {"type": self.kind, "enum": ["set", list(self.enum)]}
        return {"type": self.kind, "refTable": self.ref} if self.ref else self.kind


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a column (<type>).

    Attributes:
        key: of the elements, or of a map's keys.
        value: of a map's values; None for a set.
        least: how many elements there are at least, 0 or 1.
        most: how many there are at most, or None for any number, which is UNLIMITED here.
    """

    key: Base
    value: Base | None = None
    least: int = 1
    most: int | None = 1

    def parse(self, given: Any, names: Names) -> Value:
        """Return a value of JSON (<value>).

        Raises:
            OvsdbError: it is no value of this type, or has too few or too many elements.
        """
        return self.checked(self.parse_any(given, names))

    def parse_any(self, given: Any, names: Names) -> Value:
        """Return a value of JSON with any number of elements, as conditions compare with."""
        value = self.value
        if value is not None:
            pairs = _tagged(given, "map")
            if pairs is None:
                raise syntax_error(f"{shown(given)} is no map")
            return _as_map([_pair(pair, self.key, value, names) for pair in pairs])
        atoms = _tagged(given, "set")
        return _as_set(
            [self.key.parse(one, names) for one in ([given] if atoms is None else atoms)]
        )

    def checked(self, value: Value) -> Value:
        """Return a value that has as many elements as it may have.

        Raises:
            OvsdbError: it has fewer or more.
        """
        most = UNLIMITED if self.most is None else self.most
        if not self.least <= len(value) <= most:
            raise violation(f"{len(value)} elements; expected {self.least} to {most}")
        return value

    def default(self) -> Value:
        """Return the value of a column that an insertion leaves out (5.2.1)."""
        if not self.least:
            return ()
        return (self.key.enum[0] if self.key.enum else _DEFAULTS[self.key.kind],)

    def show(self, value: Value) -> Any:
        """Return a value as JSON."""
        if self.value is not None:
            pairs = cast(tuple[tuple[Atom, Atom], ...], value)
            return ["map", [[show_atom(key), show_atom(one)] for key, one in pairs]]
        atoms = [show_atom(one) for one in cast(tuple[Atom, ...], value)]
        return atoms[0] if len(atoms) == 1 else ["set", atoms]

    def to_json(self) -> Any:
        """Return the type as a schema says it."""
        if (self.value, self.least, self.most) == (None, 1, 1):
            key = self.key.to_json()
            return key if isinstance(key, str) else {"key": key}
        said = {"key": self.key.to_json(), "min": self.least}
        if self.value is not None:
            said["value"] = self.value.to_json()
        said["max"] = "unlimited" if self.most is None else self.most
        return said


def show_atom(atom: Atom) -> Any:
    """Return an atom as JSON."""
    return ["uuid", str(atom)] if isinstance(atom, UUID) else atom


def union(type_: Type, value: Value, more: Value) -> Value:
    """Return a value with what another adds; a map's keys keep the values that they have."""
    if type_.value is None:
        return _as_set([*value, *more])
    known = dict(cast(Any, value))
    return _as_map([*known.items(), *((k, v) for k, v in cast(Any, more) if k not in known)])


def difference(value: Value, less: Callable[[Any], bool]) -> Value:
    """Return a value without those elements, or pairs of a map, for which a test holds."""
    return cast(Value, tuple(one for one in value if not less(one)))


def _as_set(atoms: list[Any]) -> Value:
    return tuple(sorted(set(atoms)))


def _as_map(pairs: list[tuple[Any, Any]]) -> Value:
    if len({key for key, _ in pairs}) != len(pairs):
        raise syntax_error("a map with a key that occurs twice")
    return tuple(sorted(pairs))


def _pair(pair: Any, key: Base, value: Base, names: Names) -> tuple[Atom, Atom]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise syntax_error(f"{shown(pair)} is no pair")
    return key.parse(pair[0], names), value.parse(pair[1], names)


def _tagged(given: Any, tag: str) -> list[Any] | None:
    """Return the elements of ["set", [...]] or ["map", [...]], or None if it is no such thing."""
    if isinstance(given, list) and len(given) == 2 and given[0] == tag:
        elements = given[1]
        if isinstance(elements, list):
            return elements
    return None


def _parse_uuid(given: Any, names: Names) -> UUID:
    match given:
        case ["uuid", str(text)] if len(text) == 36:
            try:
                return UUID(text)
            except ValueError:
                raise syntax_error(f"{shown(text)} is no UUID") from None
        case ["named-uuid", str(name)]:
            if name not in names:
                raise syntax_error(f"no row of this transaction is named {shown(name)}")
            return names[name]
    raise syntax_error(f"{shown(given)} is no UUID")


def shown(given: Any) -> str:
    """Return what somebody sent, shortened, for a message."""
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."

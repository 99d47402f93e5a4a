"""Layouts of fixed size, as the structures of the specification have them.

A layout whose values are all integers is a :class:`struct.Struct`. Where a field is an address, a
text or another structure, a :class:`Layout` names its kind between the struct's codes::

    Layout("I4x", MAC, "2x", text(16), "8I")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from struct import Struct
from typing import Any, Final, NamedTuple

from sdnvirt.addresses import Ipv4, Mac


class Kind(NamedTuple):
    """What the bytes of a field mean.

    Attributes:
        size: how many bytes there are.
        read: returns the value that so many bytes say.
        write: returns the bytes of a value, or fewer if zeros follow.
    """

    size: int
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]


class Layout:
    """A sequence of fields; what :class:`struct.Struct` is for integers, for other values, too."""

    __slots__ = ("_reads", "_struct", "_writes", "pack", "size")

    def __init__(self, *parts: str | Kind) -> None:
        """Lay out fields one behind the other, big-endian.

        Args:
            parts: codes of :mod:`struct` for any number of fields, or the kind of one.
        """
        codes = "!"
        self._reads: list[tuple[int, Callable[[bytes], Any]]] = []
        self._writes: list[tuple[int, Callable[[Any], bytes]]] = []
        for part in parts:
            if isinstance(part, Kind):
                place = _count(codes)
                self._reads.append((place, part.read))
                if part.write is not bytes:  # addresses are their bytes already
                    self._writes.append((place, part.write))
                codes += f"{part.size}s"
            else:
                codes += part
        self._struct = Struct(codes)
        self.size = self._struct.size
        self.pack: Callable[..., bytes] = self._pack if self._writes else self._struct.pack
        """Returns the bytes of values, one for each field, padding included."""

    def unpack_from(self, data: bytes, offset: int) -> list[Any]:
        """Return the values at an offset, behind which there are at least ``size`` bytes."""
        values: list[Any] = list(self._struct.unpack_from(data, offset))
        for place, read in self._reads:
            values[place] = read(values[place])
        return values

    def _pack(self, *values: Any) -> bytes:
        raw = [*values]
        for place, write in self._writes:
            raw[place] = write(raw[place])
        return self._struct.pack(*raw)


def _count(codes: str) -> int:
    """Return how many values the fields have that some codes are for."""
    layout = Struct(codes)
    return len(layout.unpack(bytes(layout.size)))


MAC: Final = Kind(6, Mac, bytes)
IPV4: Final = Kind(4, Ipv4, bytes)


def words(count: int) -> Kind:
    """Return the kind of a tuple of ``count`` integers of 32 bits."""
    array = Struct(f"!{count}I")
    return Kind(array.size, array.unpack, lambda values: array.pack(*values))


def text(size: int) -> Kind:
    """Return the kind of a text in ``size`` bytes, cut so that a zero byte ends it.

    Bytes that are not UTF-8 survive both ways.
    """

    def write(value: str) -> bytes:
        return value.encode("utf-8", "surrogateescape")[: size - 1]

    return Kind(size, _text_of, write)


def _text_of(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def getter(names: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    """Return what returns the attributes of these names, in order."""
    if len(names) > 1:
        return attrgetter(*names)
    if names:
        (name,) = names
        return lambda value: (getattr(value, name),)
    return lambda value: ()


_GETTERS: Final[dict[type, Callable[[object], tuple[Any, ...]]]] = {}


def fields_of(value: Any) -> tuple[Any, ...]:
    """Return what the fields of a dataclass say, in order."""
    kind = type(value)
    try:
        return _GETTERS[kind](value)
    except KeyError:
        _GETTERS[kind] = getter(kind.__match_args__)  # made by @dataclass
        return _GETTERS[kind](value)

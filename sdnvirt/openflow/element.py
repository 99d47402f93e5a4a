"""Elements: parts of a message that say their type and their length first, and how lists are read.

::

    0      2        4
    type   length   arguments

Actions, instructions, meter bands and properties of queues are elements. Their layouts begin with
both numbers, of which there are no fields.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, wraps
from struct import Struct
from typing import ClassVar, Final, NamedTuple, Protocol, Self, TypeVar

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.layout import Layout, fields_of

_HEADER: Final = Struct("!HH")


class Family(NamedTuple):
    """What elements of one family have in common.

    Attributes:
        noun: what errors call one of them.
        smallest: bytes of the shortest one.
        unit: bytes of which all lengths are a multiple.
        wrong_length: returns the error for a length that cannot be, with these words.
    """

    noun: str
    smallest: int
    unit: int
    wrong_length: Callable[[str], OpenFlowError]


class Element(ABC):
    """An element; ``TYPE`` is its number in the family."""

    __slots__ = ()

    TYPE: ClassVar[int]
    FAMILY: ClassVar[Family]

    @classmethod
    @abstractmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the element that is ``data[start:end]``, whose type and length were checked.

        Raises:
            OpenFlowError: the arguments break the specification.
        """

    @abstractmethod
    def pack(self) -> bytes:
        """Return the element's bytes, header and padding included."""

    @classmethod
    def wrong_size(cls, size: int) -> OpenFlowError:
        """Return the error for an element of this type that cannot have ``size`` bytes."""
        return cls.FAMILY.wrong_length(f"{cls.__name__} cannot have {size} bytes")


class FixedElement(Element):
    """An element whose arguments are the values of one layout, in order."""

    __slots__ = ()

    LAYOUT: ClassVar[Struct | Layout]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the element that is ``data[start:end]``, whose type and length were checked.

        Raises:
            OpenFlowError: it has another size.
        """
        if end - start != cls.LAYOUT.size:
            raise cls.wrong_size(end - start)
        make: Callable[..., Self] = cls
        return make(*cls.LAYOUT.unpack_from(data, start)[2:])

    def pack(self) -> bytes:
        """Return the element's bytes, header and padding included."""
        return self.LAYOUT.pack(self.TYPE, self.LAYOUT.size, *fields_of(self))


class DataElement(Element):
    """An element whose last field is all the bytes behind its layout."""

    __slots__ = ()

    LAYOUT: ClassVar[Struct]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the element that is ``data[start:end]``, which has room for the layout."""
        _, _, *values = cls.LAYOUT.unpack_from(data, start)
        make: Callable[..., Self] = cls
        return make(*values, data[start + cls.LAYOUT.size : end])

    def pack(self) -> bytes:
        """Return the element's bytes, header included."""
        *values, data = fields_of(self)
        return self.LAYOUT.pack(self.TYPE, self.LAYOUT.size + len(data), *values) + bytes(data)


_E_co = TypeVar("_E_co", covariant=True)
_E = TypeVar("_E", bound=Element)


class ClassOf(Protocol[_E_co]):
    """Tells the class of an element of ``kind`` that is ``data[start:end]``.

    Raises:
        OpenFlowError: there is none.
    """

    def __call__(self, kind: int, data: bytes, start: int, end: int, /) -> type[_E_co]: ...


def take_elements(
    family: Family, data: bytes, start: int, end: int, class_of: ClassOf[_E]
) -> tuple[_E, ...]:
    """Return the elements that fill ``data[start:end]``.

    Raises:
        OpenFlowError: one of them breaks the specification.
    """
    found = []
    noun, smallest, unit, wrong_length = family
    while start < end:
        room = end - start
        if room < smallest:
            raise wrong_length(f"{noun} cannot have {room} bytes")
        kind, length = _HEADER.unpack_from(data, start)
        if length < smallest or length % unit or length > room:
            raise wrong_length(f"{noun} of {length} bytes in {room}")
        stop = start + length
        found.append(class_of(kind, data, start, stop).unpack(data, start, stop))
        start = stop
    return tuple(found)


REMEMBERED: Final = 4_096
"""Lists that are remembered for each family; switches have fewer different ones in use."""

REMEMBERED_SIZE: Final = 512
"""Bytes of the longest list that is remembered, so that hostile ones fill 2 MiB at most, with their
elements some 40 MiB."""

_T = TypeVar("_T")
Unpack = Callable[[bytes, int, int], _T]
"""Returns what ``data[start:end]`` says."""


def remembered(unpack: Unpack[_T]) -> Unpack[_T]:
    """Have lists that are not long read once for all that say the same.

    Equal bytes give the same objects for as long as they are remembered: many entries of a table
    do the same to their packets, and share what says so.
    """

    @lru_cache(maxsize=REMEMBERED)
    def known(data: bytes) -> _T:
        return unpack(data, 0, len(data))

    @wraps(unpack)
    def unpack_once(data: bytes, start: int, end: int) -> _T:
        if end - start > REMEMBERED_SIZE:
            return unpack(data, start, end)
        return known(data[start:end])

    return unpack_once


class Packable(Protocol):
    """Anything that knows its bytes."""

    def pack(self) -> bytes:
        """Return the bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Packed:
    """The bytes of what is told again and again, and never changes."""

    data: bytes

    def pack(self) -> bytes:
        """Return the bytes."""
        return self.data


def pack_all(parts: Iterable[Packable]) -> bytes:
    """Return the bytes of parts, one behind the other."""
    return b"".join([part.pack() for part in parts])

"""The two shapes that all structures of all versions have: a fixed record, and a message.

A structure is read with ``take``, which returns it and the offset behind it, and written with
``pack``. A message's body is read with ``unpack``, which must use up all of it. Offsets are
bounded by ``end`` and never by the length of ``data``, so a structure cannot read past the one
that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import ClassVar, Protocol, Self, TypeVar

from sdnvirt.openflow.errors import bad_length


class Structure(Protocol):
    """Anything that stands in a message and knows its own length."""

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the structure at ``start`` and the offset behind it."""
        ...

    def pack(self) -> bytes:
        """Return the structure's bytes, padding included."""
        ...


class Record:
    """A structure of fixed size whose fields are the integers of one struct layout, in order."""

    __slots__: tuple[str, ...] = ()

    LAYOUT: ClassVar[Struct]

    __match_args__: ClassVar[tuple[str, ...]] = ()  # the fields; filled in by @dataclass

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the record at ``start`` and the offset behind it.

        Raises:
            OpenFlowError: it would reach past ``end``.
        """
        stop = start + cls.LAYOUT.size
        if stop > end:
            raise bad_length(cls.__name__, end - start)
        make: Callable[..., Self] = cls
        return make(*cls.LAYOUT.unpack_from(data, start)), stop

    def pack(self) -> bytes:
        """Return the record's bytes, padding included."""
        return self.LAYOUT.pack(*[getattr(self, name) for name in self.__match_args__])


class Message:
    """A message; ``TYPE`` is its OFPT number."""

    __slots__: tuple[str, ...] = ()

    TYPE: ClassVar[int]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the message whose body is ``data[start:end]``.

        Raises:
            OpenFlowError: the body breaks the specification; the error says how to answer.
        """
        raise NotImplementedError

    def pack(self) -> bytes:
        """Return the message's body, without the header."""
        raise NotImplementedError


class FixedMessage(Record, Message):
    """A message whose body is one record."""

    __slots__ = ()

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the message whose body is ``data[start:end]``.

        Raises:
            OpenFlowError: the body has another size than the record.
        """
        message, stop = cls.take(data, start, end)
        if stop != end:
            raise bad_length(cls.__name__, end - start)
        return message


class EmptyMessage(FixedMessage):
    """A message that says all by its type."""

    __slots__ = ()

    LAYOUT = Struct("!")


_S = TypeVar("_S", bound=Structure)


def take_all(kind: type[_S], data: bytes, start: int, end: int) -> tuple[_S, ...]:
    """Return the structures of one kind that fill ``data[start:end]``."""
    found = []
    while start < end:
        structure, start = kind.take(data, start, end)
        found.append(structure)
    return tuple(found)


def text_of(raw: bytes) -> str:
    """Return the text of a field that is padded with zero bytes; any bytes survive both ways."""
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def text_field(text: str, size: int) -> bytes:
    """Return ``text`` as a field of ``size`` bytes, cut so that a zero byte ends it."""
    return text.encode("utf-8", "surrogateescape")[: size - 1].ljust(size, b"\0")

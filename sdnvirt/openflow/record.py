"""The shapes that the structures and messages of all versions have, each declared by its fields.

A structure is a dataclass whose fields stand in the order of the bytes. ``LAYOUT`` says how those
of fixed size are laid out, and ``TAIL`` what the last fields are, one part for each, where their
size depends on what they say: a match, a list of actions, a packet. Reading, writing and all
bounds follow from that. A structure that counts its own length is a :class:`SizedRecord`.

A structure is read with ``take``, which returns it and the offset behind it, and written with
``pack``. A message's body is read with ``unpack``, which must use up all of it. Offsets are
bounded by ``end`` and never by the length of ``data``, so a structure cannot read past the one
that it stands in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from struct import Struct
from typing import Any, ClassVar, Final, NamedTuple, Protocol, Self, TypeVar

from sdnvirt.openflow.element import pack_all
from sdnvirt.openflow.errors import OpenFlowError, bad_length, too_many_actions
from sdnvirt.openflow.header import MESSAGE_MAX
from sdnvirt.openflow.layout import Kind, Layout, getter


class Structure(Protocol):
    """Anything that stands in a message and knows its own length."""

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the structure at ``start`` and the offset behind it."""
        ...

    def pack(self) -> bytes:
        """Return the structure's bytes, padding included."""
        ...


class Part(NamedTuple):
    """What one field behind a layout is.

    Attributes:
        take: returns the value at ``start`` of ``data`` and the offset behind it, at most ``end``.
        pack: returns the bytes of a value.
    """

    take: Callable[[bytes, int, int], tuple[Any, int]]
    pack: Callable[[Any], bytes]


def filling(unpack: Callable[[bytes, int, int], Any], pack: Callable[[Any], bytes]) -> Part:
    """Return the part that fills its structure up to the end.

    Args:
        unpack: returns the value that ``data[start:end]`` says.
        pack: returns the bytes of a value.
    """
    return Part(lambda data, start, end: (unpack(data, start, end), end), pack)


BYTES: Final = filling(lambda data, start, end: data[start:end], bytes)
"""All bytes that are left."""


class Record:
    """A structure of a layout and perhaps a tail."""

    __slots__: tuple[str, ...] = ()

    __match_args__: ClassVar[tuple[str, ...]] = ()  # the fields; filled in by @dataclass

    LAYOUT: ClassVar[Struct | Layout]
    TAIL: ClassVar[tuple[Part, ...]] = ()
    NOUN: ClassVar[str] = ""
    """What errors call the structure, if not by the name of its class."""

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the record at ``start`` and the offset behind it.

        Raises:
            OpenFlowError: it would reach past ``end``, or its tail breaks the specification.
        """
        stop = start + cls.LAYOUT.size
        if stop > end:
            raise cls.wrong_size(end - start)
        values = cls.LAYOUT.unpack_from(data, start)
        if cls.TAIL:
            return cls._behind(values, data, stop, end)
        make: Callable[..., Self] = cls
        return make(*values), stop

    @classmethod
    def _behind(cls, values: Iterable[Any], data: bytes, at: int, end: int) -> tuple[Self, int]:
        """Return the record of the values of its layout and of its tail, which begins at ``at``."""
        make: Callable[..., Self] = cls
        tail = []
        for take, _ in cls.TAIL:
            value, at = take(data, at, end)
            tail.append(value)
        return make(*values, *tail), at

    def pack(self) -> bytes:
        """Return the record's bytes, padding included."""
        reader = _reader_of(type(self))
        packed = self.LAYOUT.pack(*reader.fixed(self))
        for read, pack in reader.tail:
            packed += pack(read(self))
        return packed

    @classmethod
    def wrong_size(cls, size: int) -> OpenFlowError:
        """Return the error for a structure that cannot have ``size`` bytes."""
        return bad_length(cls.NOUN or cls.__name__, size)


class SizedRecord(Record):
    """A structure that says its own length in bytes, its tail included.

    Attributes:
        LENGTH_AT: which value of the layout is the length; there is no field for it.
    """

    __slots__ = ()

    LENGTH_AT: ClassVar[int] = 0

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the record at ``start`` and the offset behind it.

        Raises:
            OpenFlowError: its length cannot be, or its tail breaks the specification.
        """
        size = cls.LAYOUT.size
        if end - start < size:
            raise cls.wrong_size(end - start)
        values = list(cls.LAYOUT.unpack_from(data, start))
        length = values.pop(cls.LENGTH_AT)
        stop = start + length
        if length < size or stop > end:
            raise cls.wrong_size(length)
        return cls._behind(values, data, start + size, stop)[0], stop

    def pack(self) -> bytes:
        """Return the record's bytes, padding included."""
        reader = _reader_of(type(self))
        tail = b""
        for read, pack in reader.tail:
            tail += pack(read(self))
        length = self.LAYOUT.size + len(tail)
        values = [*reader.fixed(self)]
        values.insert(self.LENGTH_AT, length)
        return self.LAYOUT.pack(*values) + tail


class _Reader(NamedTuple):
    """How the fields of a class of records are read to be written.

    Attributes:
        fixed: returns those of the layout, in order.
        tail: for each of the others, what returns it, and what returns its bytes.
    """

    fixed: Callable[[object], tuple[Any, ...]]
    tail: tuple[tuple[Callable[[object], Any], Callable[[Any], bytes]], ...]


_READERS: Final[dict[type, _Reader]] = {}


def _reader_of(kind: type[Record]) -> _Reader:
    try:
        return _READERS[kind]
    except KeyError:
        names = kind.__match_args__
        split = len(names) - len(kind.TAIL)
        parts = zip(names[split:], kind.TAIL, strict=True)
        tail = tuple((attrgetter(name), part.pack) for name, part in parts)
        return _READERS.setdefault(kind, _Reader(getter(names[:split]), tail))


class Message(ABC):
    """A message; ``TYPE`` is its OFPT number."""

    __slots__: tuple[str, ...] = ()

    TYPE: ClassVar[int]

    @classmethod
    @abstractmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the message whose body is ``data[start:end]``.

        Raises:
            OpenFlowError: the body breaks the specification; the error says how to answer.
        """

    @abstractmethod
    def pack(self) -> bytes:
        """Return the message's body, without the header."""


class RecordMessage(Record, Message):
    """A message whose body is one record.

    Attributes:
        MOST: bytes of the longest body.
    """

    __slots__ = ()

    MOST: ClassVar[int] = MESSAGE_MAX

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the message whose body is ``data[start:end]``.

        Raises:
            OpenFlowError: the body has another size than the record, or is refused.
        """
        if end - start > cls.MOST:
            raise too_many_actions(f"{cls.NOUN} of {end - start} bytes")
        behind = start + cls.LAYOUT.size
        if behind > end or (behind != end and not cls.TAIL):
            raise cls.wrong_size(end - start)
        values = cls.LAYOUT.unpack_from(data, start)
        cls.check(values)
        message, stop = cls._behind(values, data, behind, end)
        if stop != end:
            raise cls.wrong_size(end - start)
        return message

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        """Refuse values of the layout that the specification does not know.

        Raises:
            OpenFlowError: there are some.
        """


class EmptyMessage(RecordMessage):
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


def many(kind: type[Structure]) -> Part:
    """Return the part that is any number of structures of one kind, up to the end."""
    return filling(partial(take_all, kind), pack_all)


def nested(kind: type[Record]) -> Kind:
    """Return the kind of field that is a record itself, one without a tail."""
    size = kind.LAYOUT.size
    return Kind(size, lambda raw: kind.take(raw, 0, size)[0], kind.pack)

"""Messages of entries: the multipart messages of OpenFlow 1.3, and the statistics of 1.0.

A question or an answer is about one kind of thing, and each kind has in each direction a body of
its own: nothing, one entry, or as many as there are. What does not fit one message is continued
by others with the same xid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import ClassVar, Final, NamedTuple, Self

from sdnvirt.openflow.element import Packable
from sdnvirt.openflow.errors import OpenFlowError, bad_length
from sdnvirt.openflow.header import HEADER_SIZE, MESSAGE_MAX
from sdnvirt.openflow.record import Message, Structure, take_all

_MORE: Final = 1
"""OFPMPF_REQ_MORE, OFPMPF_REPLY_MORE and OFPSF_REPLY_MORE."""


class Body(NamedTuple):
    """What a body of some kind is made of: the class of its entries, and whether there is one."""

    entry: type[Structure] | None
    single: bool = False


NOTHING: Final = Body(None)
"""The body that says nothing more than the kind."""


class Terms(NamedTuple):
    """What a version calls such messages, and how it refuses them.

    Attributes:
        kinds: the names of the kinds.
        noun: what any such message is, for errors.
        question: what one of a kind without entries is; ``{}`` stands for the kind.
        single: what one of a kind with one entry is, likewise.
        unknown: returns the error for a kind that is not known.
    """

    kinds: type[IntEnum]
    noun: str
    question: str
    single: str
    unknown: Callable[[int], OpenFlowError]


@dataclass(frozen=True, slots=True)
class EntriesMessage(Message):
    """A message of entries of one kind.

    Attributes:
        kind: one of the version's names for them.
        entries: of the class that the table of bodies names for the kind; or what has its bytes.
        more: whether another message with the same xid continues this one.
    """

    kind: int
    entries: tuple[Packable, ...] = ()
    more: bool = False

    HEADER: ClassVar[Struct]
    TERMS: ClassVar[Terms]
    BODIES: ClassVar[dict[int, Body]]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the message whose body is ``data[start:end]``.

        Raises:
            OpenFlowError: there is no such kind, or the entries break the specification.
        """
        first = start + cls.HEADER.size
        if first > end:
            raise bad_length(cls.TERMS.noun, end - start)
        kind, flags = cls.HEADER.unpack_from(data, start)
        body = cls.BODIES.get(kind)
        if body is None:
            raise cls.TERMS.unknown(kind)
        more = bool(flags & _MORE)
        name = cls.TERMS.kinds(kind).name
        if body.entry is None:
            if first != end:
                raise bad_length(cls.TERMS.question.format(name), end - start)
            return cls(kind, (), more)
        entries = take_all(body.entry, data, first, end)
        if body.single and len(entries) != 1:
            raise bad_length(cls.TERMS.single.format(name), end - start)
        return cls(kind, entries, more)

    def pack(self) -> bytes:
        """Return the message's body, however long it is."""
        return self._body([entry.pack() for entry in self.entries], self.more)

    def bodies(self) -> Iterator[bytes]:
        """Yield bodies that each fit the length field and together say what this one says."""
        room = MESSAGE_MAX - HEADER_SIZE - self.HEADER.size
        batch: list[bytes] = []
        size = 0
        for entry in self.entries:
            packed = entry.pack()
            if batch and size + len(packed) > room:
                yield self._body(batch, True)
                batch, size = [], 0
            batch.append(packed)
            size += len(packed)
        yield self._body(batch, self.more)

    def _body(self, packed: list[bytes], more: bool) -> bytes:
        return self.HEADER.pack(self.kind, _MORE if more else 0) + b"".join(packed)

"""HELLO, ERROR and ECHO: the messages that all versions share (OpenFlow 1.3.5, 7.4.4 and 7.5).

A HELLO of version 1.3.1 or later may carry a bitmap of the versions that its sender speaks.
Elements of other types are skipped, as the specification asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import BYTES, Message, Part, RecordMessage

_ELEMENT: Final = Struct("!HH")
_VERSION_BITMAP: Final = 1


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """The first message from either side.

    Attributes:
        versions: wire versions of the sender in ascending order, or None without a bitmap.
    """

    versions: tuple[int, ...] | None = None

    TYPE: ClassVar[int] = 0

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the HELLO whose elements are ``data[start:end]``.

        Raises:
            OpenFlowError: an element is shorter than its header or longer than the message.
        """
        versions = None
        while start < end:
            if end - start < _ELEMENT.size:
                raise bad_length("a hello element", end - start)
            kind, length = _ELEMENT.unpack_from(data, start)
            if not _ELEMENT.size <= length <= end - start:
                raise bad_length("a hello element", length)
            if kind == _VERSION_BITMAP:
                versions = _versions_of(data[start + _ELEMENT.size : start + length])
            start += (length + 7) // 8 * 8
        return cls(versions)

    def pack(self) -> bytes:
        """Return the elements: the bitmap, or none."""
        if self.versions is None:
            return b""
        bits = sum(1 << version for version in self.versions)
        words = max(1, (bits.bit_length() + 31) // 32)
        # Word 0, which stands first, holds versions 0 to 31.
        bitmap = b"".join(
            (bits >> 32 * index & 0xFFFFFFFF).to_bytes(4, "big") for index in range(words)
        )
        length = _ELEMENT.size + len(bitmap)
        return _ELEMENT.pack(_VERSION_BITMAP, length) + bitmap + bytes(-length % 8)


def _versions_of(bitmap: bytes) -> tuple[int, ...]:
    if len(bitmap) % 4:
        raise bad_length("a version bitmap", len(bitmap))
    return tuple(
        offset * 8 + bit
        for offset in range(0, len(bitmap), 4)
        for word in [int.from_bytes(bitmap[offset : offset + 4], "big")]
        for bit in range(32)
        if word >> bit & 1
    )


@dataclass(frozen=True, slots=True)
class Error(RecordMessage):
    """Something that the peer sent is refused (ofp_error_msg).

    Attributes:
        error_type: the OFPET_* number.
        code: the code within the type.
        data: the beginning of the refused message, or text for OFPET_HELLO_FAILED. Of an
            experimenter error, whose ``code`` is its exp_type, it begins with the experimenter.
    """

    error_type: int
    code: int
    data: bytes = b""

    TYPE: ClassVar[int] = 1
    LAYOUT: ClassVar[Struct] = Struct("!HH")
    TAIL: ClassVar[tuple[Part, ...]] = (BYTES,)
    NOUN: ClassVar[str] = "an error message"


@dataclass(frozen=True, slots=True)
class _Echo(Message):
    data: bytes = b""

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the echo that carries ``data[start:end]``."""
        return cls(data[start:end])

    def pack(self) -> bytes:
        """Return the body."""
        return self.data


@dataclass(frozen=True, slots=True)
class EchoRequest(_Echo):
    """Are you there? The reply carries the same ``data``."""

    TYPE: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class EchoReply(_Echo):
    """I am here, with the ``data`` of the request."""

    TYPE: ClassVar[int] = 3

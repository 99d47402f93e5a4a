"""Messages that are not the specification's (OpenFlow 1.0.0, 5.3.5 and 5.5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v10.constants import OFPT

_HEADER: Final = Struct("!I")


@dataclass(frozen=True, slots=True)
class Vendor(Message):
    """A message whose meaning ``vendor`` defines."""

    vendor: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPT.VENDOR

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _HEADER.size:
            raise bad_length("a vendor message", end - start)
        (vendor,) = _HEADER.unpack_from(data, start)
        return cls(vendor, data[start + _HEADER.size : end])

    def pack(self) -> bytes:
        return _HEADER.pack(self.vendor) + self.data


@dataclass(frozen=True, slots=True)
class VendorStats:
    """The body of a statistics message whose meaning ``vendor`` defines."""

    vendor: int
    data: bytes = b""

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the body, which reaches to ``end``, and ``end``."""
        if end - start < _HEADER.size:
            raise bad_length("vendor statistics", end - start)
        (vendor,) = _HEADER.unpack_from(data, start)
        return cls(vendor, data[start + _HEADER.size : end]), end

    def pack(self) -> bytes:
        """Return the body's bytes."""
        return _HEADER.pack(self.vendor) + self.data

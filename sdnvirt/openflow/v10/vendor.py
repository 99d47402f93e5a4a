"""Messages that are not the specification's (OpenFlow 1.0.0, 5.3.5 and 5.5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar

from sdnvirt.openflow.record import BYTES, Part, Record, RecordMessage
from sdnvirt.openflow.v10.constants import OFPT


@dataclass(frozen=True, slots=True)
class Vendor(RecordMessage):
    """A message whose meaning ``vendor`` defines (ofp_vendor_header)."""

    vendor: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPT.VENDOR
    LAYOUT: ClassVar[Struct] = Struct("!I")
    TAIL: ClassVar[tuple[Part, ...]] = (BYTES,)
    NOUN: ClassVar[str] = "a vendor message"


@dataclass(frozen=True, slots=True)
class VendorStats(Record):
    """The body of a statistics message whose meaning ``vendor`` defines."""

    vendor: int
    data: bytes = b""

    LAYOUT: ClassVar[Struct] = Struct("!I")
    TAIL: ClassVar[tuple[Part, ...]] = (BYTES,)
    NOUN: ClassVar[str] = "vendor statistics"

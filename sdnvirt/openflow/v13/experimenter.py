"""Messages that are not the specification's (OpenFlow 1.3.5, 7.3.5.15 and 7.5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar

from sdnvirt.openflow.record import BYTES, Part, Record, RecordMessage
from sdnvirt.openflow.v13.constants import OFPT


@dataclass(frozen=True, slots=True)
class Experimenter(RecordMessage):
    """A message whose meaning ``experimenter`` defines (ofp_experimenter_header)."""

    experimenter: int
    exp_type: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPT.EXPERIMENTER
    LAYOUT: ClassVar[Struct] = Struct("!II")
    TAIL: ClassVar[tuple[Part, ...]] = (BYTES,)
    NOUN: ClassVar[str] = "an experimenter message"


@dataclass(frozen=True, slots=True)
class ExperimenterMultipart(Record):
    """The body of a multipart message whose meaning ``experimenter`` defines.

    ofp_experimenter_multipart_header.
    """

    experimenter: int
    exp_type: int
    data: bytes = b""

    LAYOUT: ClassVar[Struct] = Struct("!II")
    TAIL: ClassVar[tuple[Part, ...]] = (BYTES,)
    NOUN: ClassVar[str] = "an experimenter multipart message"

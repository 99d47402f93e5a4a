"""Messages that are not the specification's (OpenFlow 1.3.5, 7.3.5.15 and 7.5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.constants import OFPT

_HEADER: Final = Struct("!II")


@dataclass(frozen=True, slots=True)
class Experimenter(Message):
    """A message whose meaning ``experimenter`` defines."""

    experimenter: int
    exp_type: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPT.EXPERIMENTER

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _HEADER.size:
            raise bad_length("an experimenter message", end - start)
        experimenter, exp_type = _HEADER.unpack_from(data, start)
        return cls(experimenter, exp_type, data[start + _HEADER.size : end])

    def pack(self) -> bytes:
        return _HEADER.pack(self.experimenter, self.exp_type) + self.data


@dataclass(frozen=True, slots=True)
class ExperimenterMultipart:
    """The body of a multipart message whose meaning ``experimenter`` defines."""

    experimenter: int
    exp_type: int
    data: bytes = b""

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the body, which reaches to ``end``, and ``end``."""
        if end - start < _HEADER.size:
            raise bad_length("an experimenter multipart message", end - start)
        experimenter, exp_type = _HEADER.unpack_from(data, start)
        return cls(experimenter, exp_type, data[start + _HEADER.size : end]), end

    def pack(self) -> bytes:
        """Return the body's bytes."""
        return _HEADER.pack(self.experimenter, self.exp_type) + self.data

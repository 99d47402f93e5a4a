"""HELLO, which has no body yet; one that comes all the same has no meaning (1.0.0, 5.5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v10.constants import OFPT


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """The first message from either side."""

    TYPE: ClassVar[int] = OFPT.HELLO

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the HELLO; what ``data[start:end]`` says is left to later versions."""
        return cls()

    def pack(self) -> bytes:
        """Return the body: nothing."""
        return b""

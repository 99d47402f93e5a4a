"""The shape of Nicira's actions (ovs-actions(7)).

::

    0        2        4            8         10
    0xffff   length   0x00002320   subtype   arguments, up to a multiple of 8 bytes
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.action import WireAction
from sdnvirt.openflow.layout import fields_of
from sdnvirt.openflow.nicira.constants import NICIRA
from sdnvirt.openflow.v13.constants import OFPAT
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse

HEADER: Final = Struct("!HHIH")


class NiciraAction(WireAction):
    """An action of Nicira's; ``SUBTYPE`` is its NXAST number."""

    __slots__ = ()

    TYPE: ClassVar[int] = OFPAT.EXPERIMENTER
    SUBTYPE: ClassVar[int]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        return cls.unpack_body(data, start + HEADER.size, end)

    @classmethod
    @abstractmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        """Return the action whose arguments, padding included, are ``data[start:end]``.

        Raises:
            OpenFlowError: they break the action's rules (OFPET_BAD_ACTION).
        """

    def pack(self) -> bytes:
        body = self.pack_body()
        length = (HEADER.size + len(body) + 7) // 8 * 8
        header = HEADER.pack(self.TYPE, length, NICIRA, self.SUBTYPE)
        return header + body.ljust(length - HEADER.size, b"\0")

    @abstractmethod
    def pack_body(self) -> bytes:
        """Return the arguments' bytes, without the padding behind them."""

    @classmethod
    def check_size(cls, start: int, end: int, size: int) -> None:
        """Refuse arguments that are not ``size`` bytes and padding (OFPBAC_BAD_LEN)."""
        if end - start != (HEADER.size + size + 7) // 8 * 8 - HEADER.size:
            raise refuse(OFPBAC.BAD_LEN, f"{cls.__name__} with {end - start} bytes of arguments")


class FixedNiciraAction(NiciraAction):
    """An action whose arguments are the integers of one struct layout, in order."""

    __slots__ = ()

    LAYOUT: ClassVar[Struct]

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        cls.check_size(start, end, cls.LAYOUT.size)
        make: Callable[..., Self] = cls
        return make(*cls.LAYOUT.unpack_from(data, start))

    def pack_body(self) -> bytes:
        return self.LAYOUT.pack(*fields_of(self))

"""What a switch is and how it is set (OpenFlow 1.3.5, 7.3.1, 7.3.2 and 7.3.5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import EmptyMessage, FixedMessage, text_field, text_of
from sdnvirt.openflow.v13.constants import DEFAULT_MISS_SEND_LEN, OFPT, OFPCFrag
from sdnvirt.openflow.v13.error_codes import OFPSCFC, refuse

_DESC: Final = Struct("!256s256s256s32s256s")
_DESC_SIZES: Final = (256, 256, 256, 32, 256)


@dataclass(frozen=True, slots=True)
class FeaturesRequest(EmptyMessage):
    """Who are you?"""

    TYPE: ClassVar[int] = OFPT.FEATURES_REQUEST


@dataclass(frozen=True, slots=True)
class FeaturesReply(FixedMessage):
    """The switch's identity and abilities.

    Attributes:
        datapath_id: 64 bits that no other switch has.
        n_buffers: packets that it can keep for the controller.
        n_tables: flow tables.
        auxiliary_id: 0 on the main connection.
        capabilities: bits of OFPC.
    """

    datapath_id: int
    n_buffers: int
    n_tables: int
    auxiliary_id: int
    capabilities: int

    TYPE: ClassVar[int] = OFPT.FEATURES_REPLY
    LAYOUT: ClassVar[Struct] = Struct("!QIBB2xI4x")


@dataclass(frozen=True, slots=True)
class GetConfigRequest(EmptyMessage):
    """How are you set?"""

    TYPE: ClassVar[int] = OFPT.GET_CONFIG_REQUEST


@dataclass(frozen=True, slots=True)
class _SwitchConfig(FixedMessage):
    flags: int = OFPCFrag.NORMAL
    miss_send_len: int = DEFAULT_MISS_SEND_LEN

    LAYOUT: ClassVar[Struct] = Struct("!HH")


@dataclass(frozen=True, slots=True)
class GetConfigReply(_SwitchConfig):
    """The settings; ``flags`` are bits of OFPCFrag, ``miss_send_len`` is in bytes."""

    TYPE: ClassVar[int] = OFPT.GET_CONFIG_REPLY


@dataclass(frozen=True, slots=True)
class SetConfig(_SwitchConfig):
    """Be set so; ``flags`` are bits of OFPCFrag, ``miss_send_len`` is in bytes."""

    TYPE: ClassVar[int] = OFPT.SET_CONFIG

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        message, stop = cls.take(data, start, end)
        if stop != end:
            raise refuse(OFPSCFC.BAD_LEN, f"a switch configuration of {end - start} bytes")
        if message.flags > OFPCFrag.MASK:
            raise refuse(OFPSCFC.BAD_FLAGS, f"no configuration flags {message.flags:#x}")
        return message


@dataclass(frozen=True, slots=True)
class Desc:
    """What people should know of a switch; each text is cut to 255 bytes, the serial to 31."""

    mfr_desc: str
    hw_desc: str
    sw_desc: str
    serial_num: str
    dp_desc: str

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the description at ``start`` and the offset behind it."""
        stop = start + _DESC.size
        if stop > end:
            raise bad_length("a switch description", end - start)
        return cls(*map(text_of, _DESC.unpack_from(data, start))), stop

    def pack(self) -> bytes:
        """Return the description's bytes."""
        texts = (self.mfr_desc, self.hw_desc, self.sw_desc, self.serial_num, self.dp_desc)
        return b"".join(map(text_field, texts, _DESC_SIZES))

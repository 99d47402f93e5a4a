"""What a switch is and how it is set (OpenFlow 1.3.5, 7.3.1, 7.3.2 and 7.3.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.layout import Layout, text
from sdnvirt.openflow.record import EmptyMessage, Record, RecordMessage
from sdnvirt.openflow.v13.constants import DEFAULT_MISS_SEND_LEN, OFPT, OFPCFrag
from sdnvirt.openflow.v13.error_codes import OFPSCFC, refuse


@dataclass(frozen=True, slots=True)
class FeaturesRequest(EmptyMessage):
    """Who are you?"""

    TYPE: ClassVar[int] = OFPT.FEATURES_REQUEST


@dataclass(frozen=True, slots=True)
class FeaturesReply(RecordMessage):
    """The switch's identity and abilities (ofp_switch_features).

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
class _SwitchConfig(RecordMessage):
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
    def wrong_size(cls, size: int) -> OpenFlowError:
        return refuse(OFPSCFC.BAD_LEN, f"a switch configuration of {size} bytes")

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        flags, _ = values
        if flags > OFPCFrag.MASK:
            raise refuse(OFPSCFC.BAD_FLAGS, f"no configuration flags {flags:#x}")


@dataclass(frozen=True, slots=True)
class Desc(Record):
    """What people should know of a switch (ofp_desc).

    Each text is cut to 255 bytes, the serial to 31.
    """

    mfr_desc: str
    hw_desc: str
    sw_desc: str
    serial_num: str
    dp_desc: str

    LAYOUT: ClassVar[Layout] = Layout(text(256), text(256), text(256), text(32), text(256))
    NOUN: ClassVar[str] = "a switch description"

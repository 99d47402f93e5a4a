"""What a switch is and how it is set (OpenFlow 1.0.0, 5.3.1, 5.3.2 and 5.3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar

from sdnvirt.openflow.layout import Layout, text
from sdnvirt.openflow.record import EmptyMessage, Part, Record, RecordMessage, many
from sdnvirt.openflow.v10.constants import (
    DEFAULT_MISS_SEND_LEN,
    OFPT,
    WILDCARDS_ALL,
    OFPCFrag,
)
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v10.ports import PortDesc


@dataclass(frozen=True, slots=True)
class FeaturesRequest(EmptyMessage):
    """Who are you?"""

    TYPE: ClassVar[int] = OFPT.FEATURES_REQUEST


@dataclass(frozen=True, slots=True)
class FeaturesReply(RecordMessage):
    """The switch's identity, abilities and ports (ofp_switch_features).

    Attributes:
        datapath_id: 64 bits that no other switch has.
        n_buffers: packets that it can keep for the controller.
        n_tables: flow tables.
        capabilities: bits of OFPC.
        actions: bit n is set if the action of type n can be executed.
        ports: as many as the message has room for; so 1,364 at most.
    """

    datapath_id: int
    n_buffers: int
    n_tables: int
    capabilities: int
    actions: int
    ports: tuple[PortDesc, ...] = ()

    TYPE: ClassVar[int] = OFPT.FEATURES_REPLY
    LAYOUT: ClassVar[Struct] = Struct("!QIB3xII")
    TAIL: ClassVar[tuple[Part, ...]] = (many(PortDesc),)
    NOUN: ClassVar[str] = "a features reply"


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
    """The settings; ``flags`` is one of OFPCFrag, ``miss_send_len`` is in bytes."""

    TYPE: ClassVar[int] = OFPT.GET_CONFIG_REPLY


@dataclass(frozen=True, slots=True)
class SetConfig(_SwitchConfig):
    """Be set so; ``flags`` is one of OFPCFrag, ``miss_send_len`` is in bytes."""

    TYPE: ClassVar[int] = OFPT.SET_CONFIG
    NOUN: ClassVar[str] = "a switch configuration"

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        flags, _ = values
        if flags & ~OFPCFrag.MASK:
            # There is no code for this; the other codes say even less.
            raise refuse(OFPBRC.EPERM, f"no configuration flags {flags:#x}")


@dataclass(frozen=True, slots=True)
class Desc(Record):
    """What people should know of a switch (ofp_desc_stats).

    Each text is cut to 255 bytes, the serial to 31.
    """

    mfr_desc: str
    hw_desc: str
    sw_desc: str
    serial_num: str
    dp_desc: str

    LAYOUT: ClassVar[Layout] = Layout(text(256), text(256), text(256), text(32), text(256))
    NOUN: ClassVar[str] = "a switch description"


@dataclass(frozen=True, slots=True)
class TableStats(Record):
    """A flow table and its counters (ofp_table_stats).

    Attributes:
        name: for people; cut to 31 bytes.
        wildcards: bits of OFPFW for the fields that may be wildcarded.
        max_entries: entries that the table has room for.
        active_count: entries in it.
        lookup_count: packets looked up in it; ``matched_count`` those that matched an entry.
    """

    table_id: int
    name: str
    wildcards: int = WILDCARDS_ALL
    max_entries: int = 0
    active_count: int = 0
    lookup_count: int = 0
    matched_count: int = 0

    LAYOUT: ClassVar[Layout] = Layout("B3x", text(32), "IIIQQ")
    NOUN: ClassVar[str] = "table statistics"

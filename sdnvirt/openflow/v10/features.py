"""What a switch is and how it is set (OpenFlow 1.0.0, 5.3.1, 5.3.2 and 5.3.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import (
    EmptyMessage,
    FixedMessage,
    Message,
    take_all,
    text_field,
    text_of,
)
from sdnvirt.openflow.v10.constants import (
    DEFAULT_MISS_SEND_LEN,
    OFPT,
    WILDCARDS_ALL,
    OFPCFrag,
)
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v10.ports import PortDesc

_FEATURES: Final = Struct("!QIB3xII")
_DESC: Final = Struct("!256s256s256s32s256s")
_DESC_SIZES: Final = (256, 256, 256, 32, 256)
_TABLE: Final = Struct("!B3x32sIIIQQ")
_TABLE_NAME_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class FeaturesRequest(EmptyMessage):
    """Who are you?"""

    TYPE: ClassVar[int] = OFPT.FEATURES_REQUEST


@dataclass(frozen=True, slots=True)
class FeaturesReply(Message):
    """The switch's identity, abilities and ports.

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

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        first = start + _FEATURES.size
        if first > end:
            raise bad_length("a features reply", end - start)
        ports = take_all(PortDesc, data, first, end)
        make: Callable[..., Self] = cls
        return make(*_FEATURES.unpack_from(data, start), ports)

    def pack(self) -> bytes:
        fixed = _FEATURES.pack(
            self.datapath_id, self.n_buffers, self.n_tables, self.capabilities, self.actions
        )
        return fixed + b"".join([port.pack() for port in self.ports])


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
    """The settings; ``flags`` is one of OFPCFrag, ``miss_send_len`` is in bytes."""

    TYPE: ClassVar[int] = OFPT.GET_CONFIG_REPLY


@dataclass(frozen=True, slots=True)
class SetConfig(_SwitchConfig):
    """Be set so; ``flags`` is one of OFPCFrag, ``miss_send_len`` is in bytes."""

    TYPE: ClassVar[int] = OFPT.SET_CONFIG

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        message, stop = cls.take(data, start, end)
        if stop != end:
            raise bad_length("a switch configuration", end - start)
        if message.flags & ~OFPCFrag.MASK:
            # There is no code for this; the other codes say even less.
            raise refuse(OFPBRC.EPERM, f"no configuration flags {message.flags:#x}")
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


@dataclass(frozen=True, slots=True)
class TableStats:
    """A flow table and its counters.

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

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the statistics at ``start`` and the offset behind them."""
        stop = start + _TABLE.size
        if stop > end:
            raise bad_length("table statistics", end - start)
        table_id, name, *numbers = _TABLE.unpack_from(data, start)
        return cls(table_id, text_of(name), *numbers), stop

    def pack(self) -> bytes:
        """Return the statistics' bytes."""
        return _TABLE.pack(
            self.table_id,
            text_field(self.name, _TABLE_NAME_SIZE),
            self.wildcards,
            self.max_entries,
            self.active_count,
            self.lookup_count,
            self.matched_count,
        )

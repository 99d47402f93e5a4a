"""What each flow table can do (OpenFlow 1.3.5, 7.3.5.5).

Each property says one thing about a table, once for its entries in general and once (``_MISS``) for
its table-miss entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, NamedTuple

from sdnvirt.openflow.element import pack_all
from sdnvirt.openflow.layout import Layout, text
from sdnvirt.openflow.record import Part, SizedRecord, filling
from sdnvirt.openflow.v13.constants import OFPTFPT, OFPXMC
from sdnvirt.openflow.v13.error_codes import OFPTFFC, refuse

_PROPERTY: Final = Struct("!HH")
_ID: Final = Struct("!HH")
_EXPERIMENTER: Final = Struct("!II")
_WORD: Final = Struct("!I")

_EXPERIMENTER_TYPE: Final = 0xFFFF  # both OFPIT.EXPERIMENTER and OFPAT.EXPERIMENTER


class TypeId(NamedTuple):
    """A type of instruction (OFPIT) or action (OFPAT), and whose it is if not OpenFlow's."""

    type: int
    experimenter: int | None = None


class OxmId(NamedTuple):
    """The header of a match field without a value, and whose it is if not OpenFlow's."""

    header: int
    experimenter: int | None = None


@dataclass(frozen=True, slots=True)
class TypesProperty:
    """The instructions or the actions that entries may have; ``kind`` is one of OFPTFPT."""

    kind: int
    ids: tuple[TypeId, ...] = ()

    def pack(self) -> bytes:
        """Return the property's bytes."""
        parts = []
        for kind, experimenter in self.ids:
            if experimenter is None:
                parts.append(_ID.pack(kind, _ID.size))
            else:
                parts.append(_ID.pack(kind, 2 * _ID.size) + _WORD.pack(experimenter))
        return _pack_property(self.kind, b"".join(parts))


@dataclass(frozen=True, slots=True)
class NextTablesProperty:
    """The tables that an entry may go on to; ``kind`` is one of OFPTFPT."""

    kind: int
    table_ids: tuple[int, ...] = ()

    def pack(self) -> bytes:
        """Return the property's bytes."""
        return _pack_property(self.kind, bytes(self.table_ids))


@dataclass(frozen=True, slots=True)
class OxmProperty:
    """The fields that entries may match, leave out or set; ``kind`` is one of OFPTFPT."""

    kind: int
    ids: tuple[OxmId, ...] = ()

    def pack(self) -> bytes:
        """Return the property's bytes."""
        parts = []
        for header, experimenter in self.ids:
            parts.append(_WORD.pack(header))
            if experimenter is not None:
                parts.append(_WORD.pack(experimenter))
        return _pack_property(self.kind, b"".join(parts))


@dataclass(frozen=True, slots=True)
class ExperimenterProperty:
    """A property that is not the specification's; ``kind`` is one of OFPTFPT."""

    kind: int
    experimenter: int
    exp_type: int
    data: bytes = b""

    def pack(self) -> bytes:
        """Return the property's bytes."""
        header = _EXPERIMENTER.pack(self.experimenter, self.exp_type)
        return _pack_property(self.kind, header + self.data)


Property = TypesProperty | NextTablesProperty | OxmProperty | ExperimenterProperty


def _pack_property(kind: int, body: bytes) -> bytes:
    length = _PROPERTY.size + len(body)
    return _PROPERTY.pack(kind, length) + body + bytes(-length % 8)


def _unpack_types(kind: int, data: bytes, start: int, end: int) -> TypesProperty:
    ids = []
    while start < end:
        if end - start < _ID.size:
            raise refuse(OFPTFFC.BAD_LEN, f"a type cannot have {end - start} bytes")
        number, length = _ID.unpack_from(data, start)
        experimenter = None
        if number == _EXPERIMENTER_TYPE and length == 2 * _ID.size <= end - start:
            (experimenter,) = _WORD.unpack_from(data, start + _ID.size)
        elif length != _ID.size:
            raise refuse(OFPTFFC.BAD_LEN, f"the type {number} cannot have {length} bytes")
        ids.append(TypeId(number, experimenter))
        start += length
    return TypesProperty(kind, tuple(ids))


def _unpack_next_tables(kind: int, data: bytes, start: int, end: int) -> NextTablesProperty:
    return NextTablesProperty(kind, tuple(data[start:end]))


def _unpack_oxms(kind: int, data: bytes, start: int, end: int) -> OxmProperty:
    if (end - start) % _WORD.size:
        raise refuse(OFPTFFC.BAD_LEN, f"match fields cannot have {end - start} bytes")
    words = iter(_WORD.iter_unpack(data[start:end]))
    ids = []
    for (header,) in words:
        experimenter = None
        if header >> 16 == OFPXMC.EXPERIMENTER:
            (experimenter,) = next(words, (None,))
            if experimenter is None:
                raise refuse(OFPTFFC.BAD_LEN, "an experimenter's match field without its id")
        ids.append(OxmId(header, experimenter))
    return OxmProperty(kind, tuple(ids))


def _unpack_experimenter(kind: int, data: bytes, start: int, end: int) -> ExperimenterProperty:
    if end - start < _EXPERIMENTER.size:
        raise refuse(OFPTFFC.BAD_LEN, f"an experimenter property of {end - start} bytes")
    experimenter, exp_type = _EXPERIMENTER.unpack_from(data, start)
    return ExperimenterProperty(
        kind, experimenter, exp_type, data[start + _EXPERIMENTER.size : end]
    )


_UNPACK: Final[dict[int, Callable[[int, bytes, int, int], Property]]] = {
    OFPTFPT.INSTRUCTIONS: _unpack_types,
    OFPTFPT.INSTRUCTIONS_MISS: _unpack_types,
    OFPTFPT.NEXT_TABLES: _unpack_next_tables,
    OFPTFPT.NEXT_TABLES_MISS: _unpack_next_tables,
    OFPTFPT.WRITE_ACTIONS: _unpack_types,
    OFPTFPT.WRITE_ACTIONS_MISS: _unpack_types,
    OFPTFPT.APPLY_ACTIONS: _unpack_types,
    OFPTFPT.APPLY_ACTIONS_MISS: _unpack_types,
    OFPTFPT.MATCH: _unpack_oxms,
    OFPTFPT.WILDCARDS: _unpack_oxms,
    OFPTFPT.WRITE_SETFIELD: _unpack_oxms,
    OFPTFPT.WRITE_SETFIELD_MISS: _unpack_oxms,
    OFPTFPT.APPLY_SETFIELD: _unpack_oxms,
    OFPTFPT.APPLY_SETFIELD_MISS: _unpack_oxms,
    OFPTFPT.EXPERIMENTER: _unpack_experimenter,
    OFPTFPT.EXPERIMENTER_MISS: _unpack_experimenter,
}


def _unpack_properties(data: bytes, start: int, end: int) -> tuple[Property, ...]:
    properties: list[Property] = []
    while start < end:
        if end - start < _PROPERTY.size:
            raise refuse(OFPTFFC.BAD_LEN, f"a property cannot have {end - start} bytes")
        kind, length = _PROPERTY.unpack_from(data, start)
        stop = start + (length + 7) // 8 * 8
        if length < _PROPERTY.size or stop > end:
            raise refuse(OFPTFFC.BAD_LEN, f"a property of {length} bytes in {end - start}")
        unpack = _UNPACK.get(kind)
        if unpack is None:
            raise refuse(OFPTFFC.BAD_TYPE, f"no table feature property has the type {kind}")
        properties.append(unpack(kind, data, start + _PROPERTY.size, start + length))
        start = stop
    return tuple(properties)


_PROPERTIES: Final = filling(_unpack_properties, pack_all)


@dataclass(frozen=True, slots=True)
class TableFeatures(SizedRecord):
    """The abilities of one flow table, as a switch tells them or a controller asks for them.

    ofp_table_features.

    Attributes:
        name: for people; cut to 31 bytes.
        metadata_match: bits of the metadata that it can match; ``metadata_write`` set.
        max_entries: the most flow entries.
    """

    table_id: int
    name: str
    metadata_match: int
    metadata_write: int
    config: int
    max_entries: int
    properties: tuple[Property, ...] = ()

    LAYOUT: ClassVar[Layout] = Layout("HB5x", text(32), "QQII")
    TAIL: ClassVar[tuple[Part, ...]] = (_PROPERTIES,)
    NOUN: ClassVar[str] = "table features"

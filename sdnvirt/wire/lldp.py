"""Link layer discovery (IEEE 802.1AB, clauses 8 and 9): who is at the other end of a cable.

Controllers find their links with it. The three mandatory TLVs come first and in their order; the
optional ones are kept with type and bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import Mac
from sdnvirt.errors import MalformedError
from sdnvirt.wire.cursor import Cursor

NEAREST_BRIDGE: Final = Mac("01:80:c2:00:00:0e")
"""Group address that no bridge forwards (802.1AB, table 7-1)."""

MAX_VALUE_LENGTH: Final = 511
"""The length of a TLV is 9 bits (802.1AB, 8.4)."""

MAX_ID_LENGTH: Final = 255
"""Bytes of a chassis or port id behind its subtype (802.1AB, 8.5.2.3 and 8.5.3.3)."""

_LENGTH_BITS: Final = 9


class TlvType(IntEnum):
    """What a TLV tells (802.1AB, table 8-1)."""

    END = 0
    CHASSIS_ID = 1
    PORT_ID = 2
    TTL = 3
    PORT_DESCRIPTION = 4
    SYSTEM_NAME = 5
    SYSTEM_DESCRIPTION = 6
    SYSTEM_CAPABILITIES = 7
    MANAGEMENT_ADDRESS = 8
    ORGANIZATION = 127


_ONCE_ONLY: Final = (TlvType.CHASSIS_ID, TlvType.PORT_ID, TlvType.TTL)


class ChassisIdSubtype(IntEnum):
    """What identifies the chassis (802.1AB, table 8-2)."""

    CHASSIS_COMPONENT = 1
    INTERFACE_ALIAS = 2
    PORT_COMPONENT = 3
    MAC_ADDRESS = 4
    NETWORK_ADDRESS = 5
    INTERFACE_NAME = 6
    LOCAL = 7


class PortIdSubtype(IntEnum):
    """What identifies the port (802.1AB, table 8-3)."""

    INTERFACE_ALIAS = 1
    PORT_COMPONENT = 2
    MAC_ADDRESS = 3
    NETWORK_ADDRESS = 4
    INTERFACE_NAME = 5
    AGENT_CIRCUIT_ID = 6
    LOCAL = 7


@dataclass(frozen=True, slots=True)
class Tlv:
    """A TLV as it stands on the wire.

    Attributes:
        type: what it tells, 7 bits.
        value: its information, 511 bytes at most.
    """

    type: int
    value: bytes

    def emit(self) -> bytes:
        """Return type and length in 16 bits, and the value."""
        assert len(self.value) <= MAX_VALUE_LENGTH, "an LLDP TLV is too long"
        return (self.type << _LENGTH_BITS | len(self.value)).to_bytes(2, "big") + self.value


@dataclass(frozen=True, slots=True)
class ChassisId:
    """What identifies a chassis: one of :class:`ChassisIdSubtype` (8 bits), and 1 to 255 bytes."""

    subtype: int
    value: bytes

    def __str__(self) -> str:
        return _id_text(self.subtype == ChassisIdSubtype.MAC_ADDRESS, self.value)


@dataclass(frozen=True, slots=True)
class PortId:
    """What identifies a port: one of :class:`PortIdSubtype` (8 bits), and 1 to 255 bytes."""

    subtype: int
    value: bytes

    def __str__(self) -> str:
        return _id_text(self.subtype == PortIdSubtype.MAC_ADDRESS, self.value)


@dataclass(frozen=True, slots=True)
class Lldp:
    """An LLDP data unit.

    Attributes:
        chassis_id: who sends it.
        port_id: the port that it was sent from.
        ttl_s: seconds for which it is true, 16 bits; 0 takes it back.
        tlvs: the optional TLVs in their order, without the end.
    """

    chassis_id: ChassisId
    port_id: PortId
    ttl_s: int
    tlvs: tuple[Tlv, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the data unit that begins the bytes; what follows its end TLV is padding.

        The end TLV may be missing at the end of the bytes (802.1AB, table 8-1).

        Raises:
            TruncatedError: the bytes end inside a TLV or before the three mandatory ones.
            MalformedError: a mandatory TLV is out of place, doubled, or of a wrong length.
        """
        cursor = Cursor(data)
        chassis_id = ChassisId(*_parse_id(_mandatory(cursor, TlvType.CHASSIS_ID)))
        port_id = PortId(*_parse_id(_mandatory(cursor, TlvType.PORT_ID)))
        ttl = _mandatory(cursor, TlvType.TTL)
        if len(ttl) != 2:
            raise MalformedError(f"an LLDP time to live of {len(ttl)} bytes")
        optional = []
        while not cursor.at_end:
            tlv = _parse_tlv(cursor)
            if tlv.type == TlvType.END:
                if tlv.value:
                    raise MalformedError(f"an LLDP end with {len(tlv.value)} bytes of value")
                break
            if tlv.type in _ONCE_ONLY:
                raise MalformedError(f"a second LLDP TLV of type {tlv.type}")
            optional.append(tlv)
        return cls(chassis_id, port_id, int.from_bytes(ttl, "big"), tuple(optional))

    def emit(self) -> bytes:
        """Return the bytes of the data unit, with the end TLV."""
        tlvs = (
            Tlv(TlvType.CHASSIS_ID, bytes([self.chassis_id.subtype]) + self.chassis_id.value),
            Tlv(TlvType.PORT_ID, bytes([self.port_id.subtype]) + self.port_id.value),
            Tlv(TlvType.TTL, self.ttl_s.to_bytes(2, "big")),
            *self.tlvs,
            Tlv(TlvType.END, b""),
        )
        return b"".join(tlv.emit() for tlv in tlvs)

    def __str__(self) -> str:
        return f"LLDP, chassis {self.chassis_id}, port {self.port_id}, ttl {self.ttl_s}"


def _parse_tlv(cursor: Cursor) -> Tlv:
    head = cursor.u16()
    return Tlv(head >> _LENGTH_BITS, cursor.take(head & MAX_VALUE_LENGTH))


def _mandatory(cursor: Cursor, wanted: TlvType) -> bytes:
    """Return the value of the next TLV, which must be of this type."""
    tlv = _parse_tlv(cursor)
    if tlv.type != wanted:
        raise MalformedError(f"an LLDP TLV of type {tlv.type} in the place of type {wanted}")
    return tlv.value


def _parse_id(value: bytes) -> tuple[int, bytes]:
    """Return subtype and bytes of a chassis or port id."""
    if not 2 <= len(value) <= 1 + MAX_ID_LENGTH:
        raise MalformedError(f"an LLDP id of {len(value)} bytes with its subtype")
    return value[0], value[1:]


def _id_text(is_mac: bool, value: bytes) -> str:
    if is_mac and len(value) == 6:
        return str(Mac(value))
    return value.decode("ascii", "backslashreplace")

"""The numbers of Nicira's extensions (ovs-actions(7), ovs-fields(7))."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

NICIRA: Final = 0x00002320
"""Nicira's experimenter id."""

IN_PORT: Final = 0xFFF8
"""OFPP_IN_PORT where a port has 16 bits, as in OpenFlow 1.0 and in these extensions."""

LOCAL: Final = 0xFFFE
"""OFPP_LOCAL in the same places."""

RESERVED: Final = 0xFF00
"""The first of the reserved ports where a port has 16 bits."""

SAME_TABLE: Final = 0xFF
"""In a resubmit action: the table that the packet is in."""

NO_TABLE: Final = 0xFF
"""In a connection tracking action: the packet is not looked up again."""


class NXAST(IntEnum):
    """Subtypes of actions."""

    RESUBMIT = 1
    SET_TUNNEL = 2
    REG_MOVE = 6
    REG_LOAD = 7
    NOTE = 8
    SET_TUNNEL64 = 9
    RESUBMIT_TABLE = 14
    OUTPUT_REG = 15
    LEARN = 16
    EXIT = 17
    CONTROLLER = 20
    OUTPUT_REG2 = 32
    REG_LOAD2 = 33
    CT = 35
    NAT = 36
    CT_CLEAR = 43


class NXCT(IntFlag):
    """Flags of the connection tracking action."""

    COMMIT = 1
    FORCE = 2


class NXNAT(IntFlag):
    """Flags of the address translation within it."""

    SRC = 1
    DST = 2
    PERSISTENT = 4
    PROTO_HASH = 8
    PROTO_RANDOM = 16


class NXLEARN(IntFlag):
    """Flags of the learn action."""

    SEND_FLOW_REM = 1
    DELETE_LEARNED = 2


class CtState(IntFlag):
    """Bits of the field ct_state, by the names that ovs-fields(7) gives them."""

    NEW = 0x01
    EST = 0x02
    REL = 0x04
    RPL = 0x08
    INV = 0x10
    TRK = 0x20
    SNAT = 0x40
    DNAT = 0x80

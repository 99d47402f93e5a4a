"""The numbers of OpenFlow 1.0.0, by the specification's names (section 5).

``OFPP_CONTROLLER`` is ``OFPP.CONTROLLER``. Messages carry plain integers, since a peer may send
numbers that have no name.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

VERSION: Final = 1
"""Wire version of OpenFlow 1.0."""

NO_BUFFER: Final = 0xFFFFFFFF
"""Buffer id that says that the packet is in the message (5.3.3)."""

DEFAULT_PRIORITY: Final = 0x8000
"""OFP_DEFAULT_PRIORITY; no message depends on it, controllers do."""

EXACT_PRIORITY: Final = 0xFFFF
"""Priority of an entry without wildcards, whatever its flow mod says (3.4)."""

DEFAULT_MISS_SEND_LEN: Final = 128
"""Bytes of a packet-in that a buffer holds back, until SET_CONFIG says otherwise."""

VLAN_NONE: Final = 0xFFFF
"""The dl_vlan of a frame without a VLAN tag (OFP_VLAN_NONE)."""

QUEUE_ALL: Final = 0xFFFFFFFF
"""All queues of a port, in requests (OFPQ_ALL)."""

ALL_TABLES: Final = 0xFF
"""All tables, in requests for statistics (5.3.5)."""

EMERGENCY_TABLE: Final = 0xFE
"""The table of emergency flow entries, in requests for statistics (5.3.5)."""


class OFPT(IntEnum):
    """Message types (5.1)."""

    HELLO = 0
    ERROR = 1
    ECHO_REQUEST = 2
    ECHO_REPLY = 3
    VENDOR = 4
    FEATURES_REQUEST = 5
    FEATURES_REPLY = 6
    GET_CONFIG_REQUEST = 7
    GET_CONFIG_REPLY = 8
    SET_CONFIG = 9
    PACKET_IN = 10
    FLOW_REMOVED = 11
    PORT_STATUS = 12
    PACKET_OUT = 13
    FLOW_MOD = 14
    PORT_MOD = 15
    STATS_REQUEST = 16
    STATS_REPLY = 17
    BARRIER_REQUEST = 18
    BARRIER_REPLY = 19
    QUEUE_GET_CONFIG_REQUEST = 20
    QUEUE_GET_CONFIG_REPLY = 21


class OFPP(IntEnum):
    """Reserved port numbers (5.2.1)."""

    MAX = 0xFF00
    IN_PORT = 0xFFF8
    TABLE = 0xFFF9
    NORMAL = 0xFFFA
    FLOOD = 0xFFFB
    ALL = 0xFFFC
    CONTROLLER = 0xFFFD
    LOCAL = 0xFFFE
    NONE = 0xFFFF


class OFPPC(IntFlag):
    """Port configuration (5.2.1)."""

    PORT_DOWN = 1 << 0
    NO_STP = 1 << 1
    NO_RECV = 1 << 2
    NO_RECV_STP = 1 << 3
    NO_FLOOD = 1 << 4
    NO_FWD = 1 << 5
    NO_PACKET_IN = 1 << 6


class OFPPS(IntFlag):
    """Port state (5.2.1); of the bits STP_MASK, each value is one state of a spanning tree."""

    LINK_DOWN = 1 << 0
    STP_LEARN = 1 << 8
    STP_FORWARD = 2 << 8
    STP_BLOCK = 3 << 8
    STP_MASK = 3 << 8


class OFPPF(IntFlag):
    """Port features (5.2.1)."""

    RATE_10MB_HD = 1 << 0
    RATE_10MB_FD = 1 << 1
    RATE_100MB_HD = 1 << 2
    RATE_100MB_FD = 1 << 3
    RATE_1GB_HD = 1 << 4
    RATE_1GB_FD = 1 << 5
    RATE_10GB_FD = 1 << 6
    COPPER = 1 << 7
    FIBER = 1 << 8
    AUTONEG = 1 << 9
    PAUSE = 1 << 10
    PAUSE_ASYM = 1 << 11


class OFPQT(IntEnum):
    """Queue properties (5.2.2)."""

    NONE = 0
    MIN_RATE = 1


class OFPFW(IntFlag):
    """Wildcards of a match (5.2.3), but for the two counts of ignored address bits."""

    IN_PORT = 1 << 0
    DL_VLAN = 1 << 1
    DL_SRC = 1 << 2
    DL_DST = 1 << 3
    DL_TYPE = 1 << 4
    NW_PROTO = 1 << 5
    TP_SRC = 1 << 6
    TP_DST = 1 << 7
    DL_VLAN_PCP = 1 << 20
    NW_TOS = 1 << 21


NW_SRC_SHIFT: Final = 8
"""Where the wildcards count the low bits of nw_src that are ignored, 32 or more for all."""

NW_DST_SHIFT: Final = 14
"""Where the wildcards count the low bits of nw_dst that are ignored, 32 or more for all."""

NW_BITS_MASK: Final = (1 << 6) - 1
"""The width of both counts."""

WILDCARDS_ALL: Final = (1 << 22) - 1
"""Wildcards of the match that all packets match (OFPFW_ALL)."""


class OFPAT(IntEnum):
    """Action types (5.2.4)."""

    OUTPUT = 0
    SET_VLAN_VID = 1
    SET_VLAN_PCP = 2
    STRIP_VLAN = 3
    SET_DL_SRC = 4
    SET_DL_DST = 5
    SET_NW_SRC = 6
    SET_NW_DST = 7
    SET_NW_TOS = 8
    SET_TP_SRC = 9
    SET_TP_DST = 10
    ENQUEUE = 11
    VENDOR = 0xFFFF


class OFPC(IntFlag):
    """Capabilities of a datapath (5.3.1)."""

    FLOW_STATS = 1 << 0
    TABLE_STATS = 1 << 1
    PORT_STATS = 1 << 2
    STP = 1 << 3
    IP_REASM = 1 << 5
    QUEUE_STATS = 1 << 6
    ARP_MATCH_IP = 1 << 7


class OFPCFrag(IntEnum):
    """What SET_CONFIG asks for IP fragments, OFPC_FRAG_* (5.3.2)."""

    NORMAL = 0
    DROP = 1
    REASM = 2
    MASK = 3


class OFPFC(IntEnum):
    """Commands of a flow mod (5.3.3)."""

    ADD = 0
    MODIFY = 1
    MODIFY_STRICT = 2
    DELETE = 3
    DELETE_STRICT = 4


class OFPFF(IntFlag):
    """Flags of a flow mod (5.3.3)."""

    SEND_FLOW_REM = 1 << 0
    CHECK_OVERLAP = 1 << 1
    EMERG = 1 << 2


class OFPST(IntEnum):
    """Kinds of statistics (5.3.5)."""

    DESC = 0
    FLOW = 1
    AGGREGATE = 2
    TABLE = 3
    PORT = 4
    QUEUE = 5
    VENDOR = 0xFFFF


class OFPSF(IntFlag):
    """Flags of a statistics reply (5.3.5)."""

    REPLY_MORE = 1 << 0


class OFPR(IntEnum):
    """Why a packet is sent to the controller (5.4.1)."""

    NO_MATCH = 0
    ACTION = 1


class OFPRR(IntEnum):
    """Why a flow entry was removed (5.4.2)."""

    IDLE_TIMEOUT = 0
    HARD_TIMEOUT = 1
    DELETE = 2


class OFPPR(IntEnum):
    """What happened to a port (5.4.3)."""

    ADD = 0
    DELETE = 1
    MODIFY = 2

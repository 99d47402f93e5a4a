"""The numbers of OpenFlow 1.3.5, by the specification's names (section 7, and appendix A).

``OFPP_CONTROLLER`` is ``OFPP.CONTROLLER``. Messages carry plain integers, since a peer may send
numbers that have no name.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

VERSION: Final = 4
"""Wire version of OpenFlow 1.3."""

NO_BUFFER: Final = 0xFFFFFFFF
"""Buffer id that says that the packet is in the message (OFP_NO_BUFFER)."""

DEFAULT_PRIORITY: Final = 0x8000
"""OFP_DEFAULT_PRIORITY; no message depends on it, controllers do."""

DEFAULT_MISS_SEND_LEN: Final = 128
"""Bytes of a packet-in that a buffer holds back, until SET_CONFIG says otherwise."""

QUEUE_ALL: Final = 0xFFFFFFFF
"""All queues of a port, in requests (OFPQ_ALL)."""


class OFPT(IntEnum):
    """Message types (7.1.1)."""

    HELLO = 0
    ERROR = 1
    ECHO_REQUEST = 2
    ECHO_REPLY = 3
    EXPERIMENTER = 4
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
    GROUP_MOD = 15
    PORT_MOD = 16
    TABLE_MOD = 17
    MULTIPART_REQUEST = 18
    MULTIPART_REPLY = 19
    BARRIER_REQUEST = 20
    BARRIER_REPLY = 21
    QUEUE_GET_CONFIG_REQUEST = 22
    QUEUE_GET_CONFIG_REPLY = 23
    ROLE_REQUEST = 24
    ROLE_REPLY = 25
    GET_ASYNC_REQUEST = 26
    GET_ASYNC_REPLY = 27
    SET_ASYNC = 28
    METER_MOD = 29


class OFPP(IntEnum):
    """Reserved port numbers (7.2.1)."""

    MAX = 0xFFFFFF00
    IN_PORT = 0xFFFFFFF8
    TABLE = 0xFFFFFFF9
    NORMAL = 0xFFFFFFFA
    FLOOD = 0xFFFFFFFB
    ALL = 0xFFFFFFFC
    CONTROLLER = 0xFFFFFFFD
    LOCAL = 0xFFFFFFFE
    ANY = 0xFFFFFFFF


class OFPPC(IntFlag):
    """Port configuration (7.2.1)."""

    PORT_DOWN = 1 << 0
    NO_RECV = 1 << 2
    NO_FWD = 1 << 5
    NO_PACKET_IN = 1 << 6


class OFPPS(IntFlag):
    """Port state (7.2.1)."""

    LINK_DOWN = 1 << 0
    BLOCKED = 1 << 1
    LIVE = 1 << 2


class OFPPF(IntFlag):
    """Port features (7.2.1)."""

    RATE_10MB_HD = 1 << 0
    RATE_10MB_FD = 1 << 1
    RATE_100MB_HD = 1 << 2
    RATE_100MB_FD = 1 << 3
    RATE_1GB_HD = 1 << 4
    RATE_1GB_FD = 1 << 5
    RATE_10GB_FD = 1 << 6
    RATE_40GB_FD = 1 << 7
    RATE_100GB_FD = 1 << 8
    RATE_1TB_FD = 1 << 9
    OTHER = 1 << 10
    COPPER = 1 << 11
    FIBER = 1 << 12
    AUTONEG = 1 << 13
    PAUSE = 1 << 14
    PAUSE_ASYM = 1 << 15


class OFPQT(IntEnum):
    """Queue properties (7.2.2)."""

    MIN_RATE = 1
    MAX_RATE = 2
    EXPERIMENTER = 0xFFFF


class OFPMT(IntEnum):
    """Match types (7.2.3)."""

    STANDARD = 0
    OXM = 1


class OFPXMC(IntEnum):
    """OXM classes (7.2.3)."""

    NXM_0 = 0x0000
    NXM_1 = 0x0001
    OPENFLOW_BASIC = 0x8000
    EXPERIMENTER = 0xFFFF


class OFPVID(IntFlag):
    """The bits of a vlan_vid that say whether there is a tag (7.2.3)."""

    NONE = 0x0000
    PRESENT = 0x1000


class OFPIEH(IntFlag):
    """The bits of an ipv6_exthdr (7.2.3)."""

    NONEXT = 1 << 0
    ESP = 1 << 1
    AUTH = 1 << 2
    DEST = 1 << 3
    FRAG = 1 << 4
    ROUTER = 1 << 5
    HOP = 1 << 6
    UNREP = 1 << 7
    UNSEQ = 1 << 8


class OFPIT(IntEnum):
    """Instruction types (7.2.4)."""

    GOTO_TABLE = 1
    WRITE_METADATA = 2
    WRITE_ACTIONS = 3
    APPLY_ACTIONS = 4
    CLEAR_ACTIONS = 5
    METER = 6
    EXPERIMENTER = 0xFFFF


class OFPAT(IntEnum):
    """Action types (7.2.5)."""

    OUTPUT = 0
    COPY_TTL_OUT = 11
    COPY_TTL_IN = 12
    SET_MPLS_TTL = 15
    DEC_MPLS_TTL = 16
    PUSH_VLAN = 17
    POP_VLAN = 18
    PUSH_MPLS = 19
    POP_MPLS = 20
    SET_QUEUE = 21
    GROUP = 22
    SET_NW_TTL = 23
    DEC_NW_TTL = 24
    SET_FIELD = 25
    PUSH_PBB = 26
    POP_PBB = 27
    EXPERIMENTER = 0xFFFF


class OFPCML(IntEnum):
    """Special values of an output action's max_len (7.2.5)."""

    MAX = 0xFFE5
    NO_BUFFER = 0xFFFF


class OFPC(IntFlag):
    """Capabilities of a datapath (7.3.1)."""

    FLOW_STATS = 1 << 0
    TABLE_STATS = 1 << 1
    PORT_STATS = 1 << 2
    GROUP_STATS = 1 << 3
    IP_REASM = 1 << 5
    QUEUE_STATS = 1 << 6
    PORT_BLOCKED = 1 << 8


class OFPCFrag(IntFlag):
    """What SET_CONFIG asks for IP fragments, OFPC_FRAG_* (7.3.2)."""

    NORMAL = 0
    DROP = 1 << 0
    REASM = 1 << 1
    MASK = 3


class OFPTT(IntEnum):
    """Table numbers (7.3.3)."""

    MAX = 0xFE
    ALL = 0xFF


class OFPTC(IntFlag):
    """Table configuration (7.3.3): two deprecated bits, without effect."""

    DEPRECATED_MASK = 3


class OFPFC(IntEnum):
    """Commands of a flow mod (7.3.4.1)."""

    ADD = 0
    MODIFY = 1
    MODIFY_STRICT = 2
    DELETE = 3
    DELETE_STRICT = 4


class OFPFF(IntFlag):
    """Flags of a flow mod (7.3.4.1)."""

    SEND_FLOW_REM = 1 << 0
    CHECK_OVERLAP = 1 << 1
    RESET_COUNTS = 1 << 2
    NO_PKT_COUNTS = 1 << 3
    NO_BYT_COUNTS = 1 << 4


class OFPG(IntEnum):
    """Reserved group numbers (7.3.4.2)."""

    MAX = 0xFFFFFF00
    ALL = 0xFFFFFFFC
    ANY = 0xFFFFFFFF


class OFPGC(IntEnum):
    """Commands of a group mod (7.3.4.2)."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


class OFPGT(IntEnum):
    """Group types (7.3.4.2)."""

    ALL = 0
    SELECT = 1
    INDIRECT = 2
    FF = 3


class OFPM(IntEnum):
    """Reserved meter numbers (7.3.4.4)."""

    MAX = 0xFFFF0000
    SLOWPATH = 0xFFFFFFFD
    CONTROLLER = 0xFFFFFFFE
    ALL = 0xFFFFFFFF


class OFPMC(IntEnum):
    """Commands of a meter mod (7.3.4.4)."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


class OFPMF(IntFlag):
    """Flags of a meter (7.3.4.4)."""

    KBPS = 1 << 0
    PKTPS = 1 << 1
    BURST = 1 << 2
    STATS = 1 << 3


class OFPMBT(IntEnum):
    """Meter band types (7.3.4.4)."""

    DROP = 1
    DSCP_REMARK = 2
    EXPERIMENTER = 0xFFFF


class OFPMP(IntEnum):
    """Multipart types (7.3.5)."""

    DESC = 0
    FLOW = 1
    AGGREGATE = 2
    TABLE = 3
    PORT_STATS = 4
    QUEUE = 5
    GROUP = 6
    GROUP_DESC = 7
    GROUP_FEATURES = 8
    METER = 9
    METER_CONFIG = 10
    METER_FEATURES = 11
    TABLE_FEATURES = 12
    PORT_DESC = 13
    EXPERIMENTER = 0xFFFF


class OFPMPF(IntFlag):
    """Flags of a multipart message (7.3.5)."""

    MORE = 1 << 0


class OFPTFPT(IntEnum):
    """Table feature properties (7.3.5.5)."""

    INSTRUCTIONS = 0
    INSTRUCTIONS_MISS = 1
    NEXT_TABLES = 2
    NEXT_TABLES_MISS = 3
    WRITE_ACTIONS = 4
    WRITE_ACTIONS_MISS = 5
    APPLY_ACTIONS = 6
    APPLY_ACTIONS_MISS = 7
    MATCH = 8
    WILDCARDS = 10
    WRITE_SETFIELD = 12
    WRITE_SETFIELD_MISS = 13
    APPLY_SETFIELD = 14
    APPLY_SETFIELD_MISS = 15
    EXPERIMENTER = 0xFFFE
    EXPERIMENTER_MISS = 0xFFFF


class OFPGFC(IntFlag):
    """Group capabilities (7.3.5.11)."""

    SELECT_WEIGHT = 1 << 0
    SELECT_LIVENESS = 1 << 1
    CHAINING = 1 << 2
    CHAINING_CHECKS = 1 << 3


class OFPCR(IntEnum):
    """Controller roles, OFPCR_ROLE_* (7.3.9)."""

    NOCHANGE = 0
    EQUAL = 1
    MASTER = 2
    SLAVE = 3


class OFPR(IntEnum):
    """Why a packet is sent to the controller (7.4.1)."""

    NO_MATCH = 0
    ACTION = 1
    INVALID_TTL = 2


class OFPRR(IntEnum):
    """Why a flow entry was removed (7.4.2)."""

    IDLE_TIMEOUT = 0
    HARD_TIMEOUT = 1
    DELETE = 2
    GROUP_DELETE = 3


class OFPPR(IntEnum):
    """What happened to a port (7.4.3)."""

    ADD = 0
    DELETE = 1
    MODIFY = 2


def named(number: int, names: type[IntEnum]) -> str:
    """Return the specification's name of a number, without its prefix, or else the number."""
    try:
        return names(number).name
    except ValueError:
        return str(number)

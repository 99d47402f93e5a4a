"""The error types of OpenFlow 1.3.5 and the codes of each (7.4.4).

A code's class says its type, so code that refuses something names the code alone::

    raise refuse(OFPBMC.DUP_FIELD, "eth_dst stands twice in the match")
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from sdnvirt.openflow.errors import OpenFlowError


class OFPET(IntEnum):
    """Error types."""

    HELLO_FAILED = 0
    BAD_REQUEST = 1
    BAD_ACTION = 2
    BAD_INSTRUCTION = 3
    BAD_MATCH = 4
    FLOW_MOD_FAILED = 5
    GROUP_MOD_FAILED = 6
    PORT_MOD_FAILED = 7
    TABLE_MOD_FAILED = 8
    QUEUE_OP_FAILED = 9
    SWITCH_CONFIG_FAILED = 10
    ROLE_REQUEST_FAILED = 11
    METER_MOD_FAILED = 12
    TABLE_FEATURES_FAILED = 13
    EXPERIMENTER = 0xFFFF


class OFPHFC(IntEnum):
    """Codes of HELLO_FAILED."""

    INCOMPATIBLE = 0
    EPERM = 1


class OFPBRC(IntEnum):
    """Codes of BAD_REQUEST."""

    BAD_VERSION = 0
    BAD_TYPE = 1
    BAD_MULTIPART = 2
    BAD_EXPERIMENTER = 3
    BAD_EXP_TYPE = 4
    EPERM = 5
    BAD_LEN = 6
    BUFFER_EMPTY = 7
    BUFFER_UNKNOWN = 8
    BAD_TABLE_ID = 9
    IS_SLAVE = 10
    BAD_PORT = 11
    BAD_PACKET = 12
    MULTIPART_BUFFER_OVERFLOW = 13


class OFPBAC(IntEnum):
    """Codes of BAD_ACTION."""

    BAD_TYPE = 0
    BAD_LEN = 1
    BAD_EXPERIMENTER = 2
    BAD_EXP_TYPE = 3
    BAD_OUT_PORT = 4
    BAD_ARGUMENT = 5
    EPERM = 6
    TOO_MANY = 7
    BAD_QUEUE = 8
    BAD_OUT_GROUP = 9
    MATCH_INCONSISTENT = 10
    UNSUPPORTED_ORDER = 11
    BAD_TAG = 12
    BAD_SET_TYPE = 13
    BAD_SET_LEN = 14
    BAD_SET_ARGUMENT = 15


class OFPBIC(IntEnum):
    """Codes of BAD_INSTRUCTION."""

    UNKNOWN_INST = 0
    UNSUP_INST = 1
    BAD_TABLE_ID = 2
    UNSUP_METADATA = 3
    UNSUP_METADATA_MASK = 4
    BAD_EXPERIMENTER = 5
    BAD_EXP_TYPE = 6
    BAD_LEN = 7
    EPERM = 8


class OFPBMC(IntEnum):
    """Codes of BAD_MATCH."""

    BAD_TYPE = 0
    BAD_LEN = 1
    BAD_TAG = 2
    BAD_DL_ADDR_MASK = 3
    BAD_NW_ADDR_MASK = 4
    BAD_WILDCARDS = 5
    BAD_FIELD = 6
    BAD_VALUE = 7
    BAD_MASK = 8
    BAD_PREREQ = 9
    DUP_FIELD = 10
    EPERM = 11


class OFPFMFC(IntEnum):
    """Codes of FLOW_MOD_FAILED."""

    UNKNOWN = 0
    TABLE_FULL = 1
    BAD_TABLE_ID = 2
    OVERLAP = 3
    EPERM = 4
    BAD_TIMEOUT = 5
    BAD_COMMAND = 6
    BAD_FLAGS = 7


class OFPGMFC(IntEnum):
    """Codes of GROUP_MOD_FAILED."""

    GROUP_EXISTS = 0
    INVALID_GROUP = 1
    WEIGHT_UNSUPPORTED = 2
    OUT_OF_GROUPS = 3
    OUT_OF_BUCKETS = 4
    CHAINING_UNSUPPORTED = 5
    WATCH_UNSUPPORTED = 6
    LOOP = 7
    UNKNOWN_GROUP = 8
    CHAINED_GROUP = 9
    BAD_TYPE = 10
    BAD_COMMAND = 11
    BAD_BUCKET = 12
    BAD_WATCH = 13
    EPERM = 14


class OFPPMFC(IntEnum):
    """Codes of PORT_MOD_FAILED."""

    BAD_PORT = 0
    BAD_HW_ADDR = 1
    BAD_CONFIG = 2
    BAD_ADVERTISE = 3
    EPERM = 4


class OFPTMFC(IntEnum):
    """Codes of TABLE_MOD_FAILED."""

    BAD_TABLE = 0
    BAD_CONFIG = 1
    EPERM = 2


class OFPQOFC(IntEnum):
    """Codes of QUEUE_OP_FAILED."""

    BAD_PORT = 0
    BAD_QUEUE = 1
    EPERM = 2


class OFPSCFC(IntEnum):
    """Codes of SWITCH_CONFIG_FAILED."""

    BAD_FLAGS = 0
    BAD_LEN = 1
    EPERM = 2


class OFPRRFC(IntEnum):
    """Codes of ROLE_REQUEST_FAILED."""

    STALE = 0
    UNSUP = 1
    BAD_ROLE = 2


class OFPMMFC(IntEnum):
    """Codes of METER_MOD_FAILED."""

    UNKNOWN = 0
    METER_EXISTS = 1
    INVALID_METER = 2
    UNKNOWN_METER = 3
    BAD_COMMAND = 4
    BAD_FLAGS = 5
    BAD_RATE = 6
    BAD_BURST = 7
    BAD_BAND = 8
    BAD_BAND_VALUE = 9
    OUT_OF_METERS = 10
    OUT_OF_BANDS = 11


class OFPTFFC(IntEnum):
    """Codes of TABLE_FEATURES_FAILED."""

    BAD_TABLE = 0
    BAD_METADATA = 1
    BAD_TYPE = 2
    BAD_LEN = 3
    BAD_ARGUMENT = 4
    EPERM = 5


CODES: Final[dict[OFPET, type[IntEnum]]] = {
    OFPET.HELLO_FAILED: OFPHFC,
    OFPET.BAD_REQUEST: OFPBRC,
    OFPET.BAD_ACTION: OFPBAC,
    OFPET.BAD_INSTRUCTION: OFPBIC,
    OFPET.BAD_MATCH: OFPBMC,
    OFPET.FLOW_MOD_FAILED: OFPFMFC,
    OFPET.GROUP_MOD_FAILED: OFPGMFC,
    OFPET.PORT_MOD_FAILED: OFPPMFC,
    OFPET.TABLE_MOD_FAILED: OFPTMFC,
    OFPET.QUEUE_OP_FAILED: OFPQOFC,
    OFPET.SWITCH_CONFIG_FAILED: OFPSCFC,
    OFPET.ROLE_REQUEST_FAILED: OFPRRFC,
    OFPET.METER_MOD_FAILED: OFPMMFC,
    OFPET.TABLE_FEATURES_FAILED: OFPTFFC,
}
"""The codes of each error type; experimenters number their own."""

_TYPE_OF: Final = {codes: error_type for error_type, codes in CODES.items()}


def refuse(code: IntEnum, detail: str) -> OpenFlowError:
    """Return the error that answers with ``code`` and the error type that it belongs to."""
    return OpenFlowError(_TYPE_OF[type(code)], code, detail)


def error_name(error_type: int, code: int) -> str:
    """Return an error as the specification names it, such as ``BAD_MATCH/DUP_FIELD``."""
    try:
        known = OFPET(error_type)
        return f"{known.name}/{CODES[known](code).name}"
    except (ValueError, KeyError):
        return f"{error_type:#x}/{code:#x}"

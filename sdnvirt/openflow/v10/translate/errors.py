"""Refusals: which error of OpenFlow 1.0 (5.4.4) says what one of OpenFlow 1.3 (7.4.4) says."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v10.error_codes import OFPBAC, OFPBRC, OFPFMFC, OFPPMFC, OFPQOFC, refuse
from sdnvirt.openflow.v13 import error_codes as v13

_CODES: Final[dict[type[IntEnum], tuple[IntEnum, ...]]] = {
    v13.OFPBRC: (
        OFPBRC.BAD_VERSION, OFPBRC.BAD_TYPE, OFPBRC.BAD_STAT, OFPBRC.BAD_VENDOR,
        OFPBRC.BAD_SUBTYPE, OFPBRC.EPERM, OFPBRC.BAD_LEN, OFPBRC.BUFFER_EMPTY,
        OFPBRC.BUFFER_UNKNOWN, OFPBRC.EPERM, OFPBRC.EPERM, OFPBRC.EPERM, OFPBRC.BAD_LEN,
        OFPBRC.BAD_LEN,
    ),
    v13.OFPBAC: (
        OFPBAC.BAD_TYPE, OFPBAC.BAD_LEN, OFPBAC.BAD_VENDOR, OFPBAC.BAD_VENDOR_TYPE,
        OFPBAC.BAD_OUT_PORT, OFPBAC.BAD_ARGUMENT, OFPBAC.EPERM, OFPBAC.TOO_MANY,
        OFPBAC.BAD_QUEUE, OFPBAC.BAD_OUT_PORT, OFPBAC.BAD_ARGUMENT, OFPFMFC.UNSUPPORTED,
        OFPBAC.BAD_ARGUMENT, OFPBAC.BAD_TYPE, OFPBAC.BAD_LEN, OFPBAC.BAD_ARGUMENT,
    ),
    v13.OFPFMFC: (
        OFPFMFC.UNSUPPORTED, OFPFMFC.ALL_TABLES_FULL, OFPFMFC.UNSUPPORTED, OFPFMFC.OVERLAP,
        OFPFMFC.EPERM, OFPFMFC.UNSUPPORTED, OFPFMFC.BAD_COMMAND, OFPFMFC.UNSUPPORTED,
    ),
    v13.OFPPMFC: (
        OFPPMFC.BAD_PORT, OFPPMFC.BAD_HW_ADDR, OFPBRC.EPERM, OFPBRC.EPERM, OFPBRC.EPERM,
    ),
    v13.OFPQOFC: (OFPQOFC.BAD_PORT, OFPQOFC.BAD_QUEUE, OFPQOFC.EPERM),
    v13.OFPSCFC: (OFPBRC.EPERM, OFPBRC.BAD_LEN, OFPBRC.EPERM),
    v13.OFPBIC: (OFPFMFC.UNSUPPORTED,) * len(v13.OFPBIC),
    v13.OFPBMC: (OFPFMFC.UNSUPPORTED,) * len(v13.OFPBMC),
}  # fmt: skip
"""For each code of OpenFlow 1.3, by number, the nearest of 1.0; EPERM is "no" without a reason.

Types that are not here answer requests that 1.0 does not have.
"""


def error_to_v10(error: OpenFlowError) -> OpenFlowError:
    """Return the error as OpenFlow 1.0 numbers it; one that already is, or is shared, unchanged."""
    code = error.code
    if not isinstance(code, IntEnum) or type(code) not in _CODES:
        return error
    return refuse(_CODES[type(code)][code], error.detail)

"""Port numbers: 16 bits in OpenFlow 1.0 (5.2.1), 32 bits in OpenFlow 1.3 (7.2.1)."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.v10.constants import OFPP
from sdnvirt.openflow.v13.constants import OFPP as OFPP13

_RESERVED_OFFSET: Final = OFPP13.MAX - OFPP.MAX
"""By how much the reserved numbers are higher in OpenFlow 1.3; each has the same low bits."""


def port_to_v13(port: int) -> int:
    """Return the number of a port or of OFPP; OFPP.NONE becomes OFPP.ANY."""
    return port if port < OFPP.MAX else port + _RESERVED_OFFSET


def port_to_v10(port: int) -> int:
    """Return the number of a port or of OFPP; OFPP.NONE for one that 16 bits cannot number."""
    if port < OFPP.MAX:
        return port
    return port - _RESERVED_OFFSET if port >= OFPP13.MAX else OFPP.NONE

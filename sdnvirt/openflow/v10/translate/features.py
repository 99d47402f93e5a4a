"""Port features: OpenFlow 1.0 (5.2.1) knows three speeds less, so the bits above stand lower."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.v10.constants import OFPPF
from sdnvirt.openflow.v13.constants import OFPPF as OFPPF13

_PAIRS: Final = tuple((feature.value, OFPPF13[str(feature.name)].value) for feature in OFPPF)
"""Each feature of OpenFlow 1.0, as a bit of 1.0 and as a bit of 1.3."""


def features_to_v13(features: int) -> int:
    """Return bits of OFPPF as bits of OpenFlow 1.3."""
    return sum(new for old, new in _PAIRS if features & old)


def features_to_v10(features: int) -> int:
    """Return bits of OpenFlow 1.3's OFPPF as bits of OFPPF; faster speeds are left out."""
    return sum(old for old, new in _PAIRS if features & new)

"""VLAN membership of bridge ports (IEEE 802.1Q, 6.9 and 8.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.addresses import VLAN_MAX

DEFAULT_VLAN: Final = 1
"""The VLAN of a port that nobody configured (802.1Q, table 9-2)."""


@dataclass(frozen=True, slots=True)
class Access:
    """A port for stations that know no VLANs: all frames are untagged and in one VLAN.

    Attributes:
        vlan: the VLAN, 1 to 4094.
    """

    vlan: int = DEFAULT_VLAN

    def __post_init__(self) -> None:
        assert 1 <= self.vlan <= VLAN_MAX, f"VLAN {self.vlan}"

    @property
    def untagged(self) -> int | None:
        """The VLAN whose frames are untagged on the cable."""
        return self.vlan

    def carries(self, vid: int) -> bool:
        """Whether frames of a VLAN may pass the port."""
        return vid == self.vlan

    def __str__(self) -> str:
        return f"access port of VLAN {self.vlan}"


@dataclass(frozen=True, slots=True)
class Trunk:
    """A port whose frames are tagged, but for those of the native VLAN if there is one.

    Attributes:
        allowed: the VLANs that may pass, the native one included; None for all.
        native: the VLAN that untagged frames belong to and that leaves untagged, or None.
    """

    allowed: frozenset[int] | None = None
    native: int | None = None

    def __post_init__(self) -> None:
        assert self.native is None or self.carries(self.native), f"native VLAN {self.native}"

    @property
    def untagged(self) -> int | None:
        """The VLAN whose frames are untagged on the cable."""
        return self.native

    def carries(self, vid: int) -> bool:
        """Whether frames of a VLAN may pass the port; never those of the reserved VLAN 4095."""
        return 1 <= vid <= VLAN_MAX and (self.allowed is None or vid in self.allowed)

    def __str__(self) -> str:
        vlans = "all VLANs" if self.allowed is None else f"VLANs {ranges(self.allowed)}"
        return f"trunk of {vlans}" + (f", native {self.native}" if self.native else "")


Membership = Access | Trunk


def ranges(vids: frozenset[int]) -> str:
    """Return VLANs as people write them, as ``1,10-12``."""
    runs: list[list[int]] = []
    for vid in sorted(vids):
        if runs and vid == runs[-1][-1] + 1:
            runs[-1][1:] = [vid]
        else:
            runs.append([vid])
    return ",".join("-".join(map(str, run)) for run in runs) or "none"

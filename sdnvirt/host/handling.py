"""What can become of a frame that a host's protocols were given."""

from __future__ import annotations

from enum import Enum

from sdnvirt.drops import DropReason


class Kept(Enum):
    """The frame is neither delivered nor lost yet."""

    KEPT = "it waits in the host, or was passed on"


Handled = DropReason | Kept | None
"""Why a frame was of no use, or KEPT, or None if it was delivered."""

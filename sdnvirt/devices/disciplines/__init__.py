"""Queue disciplines of links: who of the frames that wait goes next, and which are lost.

Each is a frozen value that says what the discipline is like, and makes the queue that acts so.
:class:`~sdnvirt.devices.disciplines.waiting.Waiting` joins such a queue to a transmitter. A link
without a discipline loses at the tail, and needs no queue for it (:mod:`sdnvirt.devices.link`).
"""

from sdnvirt.devices.disciplines.codel import CoDel
from sdnvirt.devices.disciplines.fifo import Discipline
from sdnvirt.devices.disciplines.priority import StrictPriority
from sdnvirt.devices.disciplines.red import Red
from sdnvirt.devices.disciplines.token_bucket import TokenBucket

__all__ = ["CoDel", "Discipline", "Red", "StrictPriority", "TokenBucket"]

"""Captures that tests look into: the frames of one port, as bytes or as scapy packets.

scapy is imported when packets are first asked for, and nowhere else in the package's library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sdnvirt.capture.pcapng import PcapngFile
from sdnvirt.capture.taps import tap_all, untap
from sdnvirt.devices.device import Port
from sdnvirt.frame import Frame
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.pcapng import Direction

if TYPE_CHECKING:
    from scapy.layers.l2 import Ether

MAX_FRAMES: Final = 100_000
"""Frames kept, some 150 MB of full ones; a test that needs more wants a pcapng file."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A captured frame.

    Attributes:
        time_ns: when it passed the port.
        direction: INBOUND to the port's device, or OUTBOUND from it.
        frame: the frame, with its provenance.
    """

    time_ns: int
    direction: Direction
    frame: Frame

    @property
    def data(self) -> bytes:
        """The frame's bytes."""
        return self.frame.data


class Capture:
    """The frames that pass a port between :meth:`start` and :meth:`stop`.

    A ``with`` statement starts and stops it. Frames stay when it stops, and starting it again
    adds to them.

    Args:
        port: where to capture.
        direction: INBOUND or OUTBOUND to capture one way only; UNKNOWN for both.
        keep: says which frames to keep; all by default.

    Attributes:
        frames: the captured frames, in order; the first MAX_FRAMES.
        missed: how many frames came after them.
    """

    def __init__(
        self,
        port: Port,
        direction: Direction = Direction.UNKNOWN,
        keep: Callable[[Frame], bool] | None = None,
    ) -> None:
        self.port = port
        self.frames: list[Captured] = []
        self.missed = 0
        self._direction = direction
        self._keep = keep
        self._packets: list[Ether] = []

    def start(self) -> None:
        """Begin to capture; does nothing when it has begun already."""
        if self not in self.port.taps:
            tap_all([self.port], self)

    def stop(self) -> None:
        """End capturing; does nothing when it has ended already."""
        untap([self.port], self)

    def clear(self) -> None:
        """Forget what was captured."""
        self.frames.clear()
        self._packets.clear()
        self.missed = 0

    def received(self, port: Port, frame: Frame) -> None:
        """Keep a frame that arrived, if it is one of those asked for."""
        self._capture(Direction.INBOUND, frame)

    def sent(self, port: Port, frame: Frame) -> None:
        """Keep a frame that leaves, if it is one of those asked for."""
        self._capture(Direction.OUTBOUND, frame)

    def _capture(self, direction: Direction, frame: Frame) -> None:
        if self._direction not in (Direction.UNKNOWN, direction):
            return
        if self._keep is not None and not self._keep(frame):
            return
        if len(self.frames) == MAX_FRAMES:
            self.missed += 1
            return
        now = self.port.device.world.scheduler.now
        self.frames.append(Captured(now, direction, frame))

    @property
    def packets(self) -> list[Ether]:
        """The frames as scapy packets, whose ``time`` counts seconds of virtual time."""
        new = self.frames[len(self._packets) :]
        if new:
            self._packets += map(_dissect, new)
        return list(self._packets)

    def to_pcapng(self, path: Path) -> None:
        """Write what was captured to a file.

        Raises:
            OutputError: the file cannot be written.
        """
        file = PcapngFile(path)
        interface = file.add_interface(self.port)
        for captured in self.frames:
            file.add_frame(interface, captured.time_ns, captured.frame, captured.direction)
        file.flush()

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Captured]:
        return iter(self.frames)

    def __enter__(self) -> Capture:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Capture at {self.port.full_name}: {len(self)} frames>"


def _dissect(captured: Captured) -> Ether:
    # Each layer is known to scapy only once its module is imported.
    import scapy.contrib.lldp
    import scapy.layers.dhcp
    import scapy.layers.dns
    import scapy.layers.vxlan  # noqa: F401
    from scapy.layers.l2 import Ether
    from scapy.utils import EDecimal

    packet = Ether(captured.data)
    packet.time = EDecimal(captured.time_ns) / NS_PER_S
    return packet

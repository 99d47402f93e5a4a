"""Devices and their ports.

A frame moves by ``port.send(frame)`` on one device and, later, ``port.receive(frame)`` on the
next. What lies between is the port's *egress*: one direction of a link, the encapsulator of a
tunnel, or :class:`Unplugged`. States of the way (cut, faulty) are different egress objects, not
flags that every frame would have to test.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from mypy_extensions import mypyc_attr

from sdnvirt.addresses import Mac
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame


class Egress(Protocol):
    """Where a port sends frames."""

    def carry(self, frame: Frame) -> None:
        """Take the frame over: deliver it some time, or enter its drop in the ledger."""


class Cable(Protocol):
    """What a port is plugged into."""

    def carrier_changed(self) -> None:
        """An end was shut, or opened again: find out anew whether frames are carried."""


class Interposed(Protocol):
    """What stands before a port's egress: the port's queues, if it has any."""

    def behind(self, egress: Egress, up: bool) -> Egress:
        """Pass on to another egress from now on; return what the port sends by.

        Args:
            egress: the new one.
            up: whether it carries frames.
        """


class Tap(Protocol):
    """Sees the frames of a port; must not change anything a device can notice."""

    def received(self, port: Port, frame: Frame) -> None:
        """A frame arrived at the port, now."""

    def sent(self, port: Port, frame: Frame) -> None:
        """A frame leaves by the port, now."""


class Unplugged:
    """The egress of a port without a link, or whose link is down: frames end here.

    Args:
        port: the port.
        place: what the ledger names as the place.
        reason: NO_LINK, LINK_DOWN or INTERFACE_DOWN.
    """

    __slots__ = ("_place", "_port", "_reason")

    def __init__(self, port: Port, place: str, reason: DropReason = DropReason.NO_LINK) -> None:
        self._port = port
        self._place = place
        self._reason = reason

    def carry(self, frame: Frame) -> None:
        """Drop the frame."""
        self._port.tx_dropped += 1
        self._port.device.world.ledger.drop(frame, self._reason, self._place)


class Port:
    """One interface of a device.

    Attributes:
        device: the device it belongs to.
        number: its number on the device, from 1.
        name: its name on the device, by default the name of the peer.
        mac: its MAC address.
        egress: where it sends frames.
        interposed: what stands before the egress of its link; the usual port has nothing there.
        cable: what it is plugged into, or None.
        shut: whether its device keeps it shut, so that there is no carrier at either end.
        rate_bps: bits a second of its link, or None while that is unlimited or there is none.
        up: whether its link carries frames; the hot path reads ``egress`` instead.
        taps: observers; the usual port has none.
        created_ns: when the device got it.
        rx_packets, rx_bytes, tx_packets, tx_bytes: frames that came in, and that the device sent.
        rx_dropped: those of the first that the port itself did not take in.
        tx_dropped: those of the second that were lost before their transmission began.
    """

    __slots__ = (
        "cable", "created_ns", "device", "egress", "interposed", "mac", "name", "number",
        "rate_bps", "rx_bytes", "rx_dropped", "rx_packets", "shut", "taps", "tx_bytes",
        "tx_dropped", "tx_packets", "up",
    )  # fmt: skip

    def __init__(self, device: Device, number: int, name: str, mac: Mac) -> None:
        self.device = device
        self.number = number
        self.name = name
        self.mac = mac
        self.created_ns: int = device.world.scheduler.now
        self.egress: Egress = Unplugged(self, f"{device.name}:{name}")
        self.interposed: Interposed | None = None
        self.cable: Cable | None = None
        self.shut = False
        self.rate_bps: int | None = None
        self.up = False
        self.taps: tuple[Tap, ...] = ()
        self.rx_packets: int = 0
        self.rx_bytes: int = 0
        self.tx_packets: int = 0
        self.tx_bytes: int = 0
        self.rx_dropped: int = 0
        self.tx_dropped: int = 0

    @property
    def full_name(self) -> str:
        """The name that is unique in the network, as ``s1:h1``."""
        return f"{self.device.name}:{self.name}"

    def receive(self, frame: Frame) -> None:
        """Take a frame from the link and hand it to the device."""
        self.rx_packets += 1
        self.rx_bytes += frame.size
        if self.taps:
            for tap in self.taps:
                tap.received(self, frame)
        self.device.receive(self, frame)

    def send(self, frame: Frame) -> None:
        """Hand a frame of the device to the link."""
        self.tx_packets += 1
        self.tx_bytes += frame.size
        if self.taps:
            for tap in self.taps:
                tap.sent(self, frame)
        self.egress.carry(frame)

    def send_by(self, egress: Egress, frame: Frame) -> None:
        """Hand a frame of the device to one queue of the port."""
        self.tx_packets += 1
        self.tx_bytes += frame.size
        for tap in self.taps:
            tap.sent(self, frame)
        egress.carry(frame)

    def attach(self, egress: Egress, up: bool) -> None:
        """Send by another egress from now on, and tell the device if the link state changed."""
        self.egress = egress if self.interposed is None else self.interposed.behind(egress, up)
        if up != self.up:
            self.up = up
            self.device.port_changed(self)

    def set_shut(self, shut: bool) -> None:
        """Let go of the carrier, or raise it again, by administration of the device."""
        self.shut = shut
        if self.cable is not None:
            self.cable.carrier_changed()

    def __repr__(self) -> str:
        return f"<Port {self.full_name}>"


@mypyc_attr(allow_interpreted_subclasses=True)  # for when this module is compiled
class Device(ABC):
    """Something with ports: a bridge, a switch, a router, a host.

    Attributes:
        name: unique in the network.
        world: what all devices share.
        ports: by number, in order of number.
    """

    __slots__ = ("name", "ports", "world")

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.ports: dict[int, Port] = {}

    def add_port(self, number: int, name: str, mac: Mac) -> Port:
        """Give the device one more port; numbers are unique on the device."""
        assert number not in self.ports, f"{self.name} has a port {number} already"
        port = self.ports[number] = Port(self, number, name, mac)
        return port

    def remove_port(self, number: int) -> None:
        """Take a port away; nothing is linked to it any more."""
        assert not self.ports[number].up, f"{self.ports[number].full_name} is linked"
        del self.ports[number]

    @abstractmethod
    def receive(self, port: Port, frame: Frame) -> None:
        """Handle a frame that arrived at a port."""

    def port_changed(self, port: Port) -> None:  # noqa: B027 - most devices do not mind
        """The link of a port came up or went down."""

    def crash(self) -> None:  # noqa: B027 - many devices keep nothing
        """Lose all that is not kept on disk; the links are down already."""

    def restart(self) -> None:  # noqa: B027 - the same
        """Start again after a crash; the links come up next."""

    def explain(self, port: Port, frame: Frame) -> list[str]:
        """Tell, line by line, what the device would do with a frame, changing nothing."""
        return [f"{self.name} takes the frame at {port.name}"]

    def drop(self, frame: Frame, reason: DropReason, detail: str = "") -> None:
        """Enter in the ledger that the frame ended at this device."""
        self.world.ledger.drop(frame, reason, self.name, detail)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

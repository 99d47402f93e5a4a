"""Watching over isolation: no frame of one tenant network may reach a machine of another.

The monitor reads the provenance of frames, which no device can see, so it judges the network by
other means than those by which the network separates tenants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.devices.device import Port
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame

KEPT_VIOLATIONS: Final = 1000
"""Violations kept in full; the first ones show the mistake, and all are counted."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One frame that arrived where it must not.

    Attributes:
        time_ns: when.
        port: name of the port that it arrived at.
        network: tenant network of that port, as ``tenant/network``.
        origin: who sent it.
        origin_network: tenant network of who sent it.
        frame: the frame as it arrived.
    """

    time_ns: int
    port: str
    network: str
    origin: str
    origin_network: str
    frame: Frame

    def __str__(self) -> str:
        return (
            f"{self.port} in {self.network} received {self.frame!r}, "
            f"which is in {self.origin_network}"
        )


class IsolationMonitor:
    """A tap on the ports of virtual machines and network functions.

    Frames of no tenant network, such as an ARP answer that a controller made, belong to nobody
    whom they could betray; they are counted apart.

    Args:
        world: the surroundings.

    Attributes:
        violations: the first KEPT_VIOLATIONS of them.
        count: how many there were.
        unowned: how many frames of no tenant network the watched ports received.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._networks: dict[Port, str] = {}
        self.violations: list[Violation] = []
        self.count = 0
        self.unowned = 0

    @property
    def watched(self) -> tuple[Port, ...]:
        """The ports that are watched, in the order in which they were added."""
        return tuple(self._networks)

    @property
    def deliveries(self) -> int:
        """How many frames the watched ports have received."""
        return sum(port.rx_packets for port in self._networks)

    def watch(self, port: Port, network: str) -> None:
        """Watch a port that belongs to a tenant network."""
        assert port not in self._networks, f"{port.full_name} is watched already"
        self._networks[port] = network
        port.taps += (self,)

    def received(self, port: Port, frame: Frame) -> None:
        """Compare the frame's network with the port's."""
        if frame.provenance.network != self._networks[port]:
            self._judge(port, frame)

    def _judge(self, port: Port, frame: Frame) -> None:
        provenance = frame.provenance
        if not provenance.network:
            self.unowned += 1
            return
        self.count += 1
        if len(self.violations) < KEPT_VIOLATIONS:
            self.violations.append(
                Violation(
                    self._world.scheduler.now, port.full_name, self._networks[port],
                    provenance.origin, provenance.network, frame,
                )
            )  # fmt: skip

    def sent(self, port: Port, frame: Frame) -> None:
        """Look at nothing: what a machine sends is its own."""

"""Following a packet through the whole network, with the reasons of every device.

The packet is a real one: the host sends it, and each device is asked to explain what it will do
in the very moment in which the packet arrives, so the answers are those of the state that decides.
Tunnels explain what they make of the packet; what is lost says where and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sdnvirt.capture.describe import describe
from sdnvirt.capture.taps import packet_name, tap_all, untap
from sdnvirt.devices.device import Port
from sdnvirt.frame import Frame
from sdnvirt.host.udp import UdpSocket
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.network.network import Network
    from sdnvirt.network.nodes import HostNode

PATIENCE_NS = 4 * NS_PER_S
"""Virtual time that a trace waits for what becomes of its packet: three ARP requests and more."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One thing that happened to a packet.

    Attributes:
        time_ns: when.
        place: the port, as ``s1:h1``, or the device where it was lost.
        what: the packet as it was, in one line.
        reasons: the device's explanation, line by line.
    """

    time_ns: int
    place: str
    what: str
    reasons: tuple[str, ...]


@dataclass(slots=True)
class PacketTrace:
    """The way of one packet; ``name`` says whose it is."""

    name: str
    hops: list[Hop] = field(default_factory=list)


@dataclass(slots=True)
class Trace:
    """The ways of all packets of one conversation, in the order in which they began.

    Attributes:
        title: what was sent.
        packets: the packets; an ARP request and the answers are packets, too.
        answered: whether the target answered.
        verdict: the same in words, and who else answered.
    """

    title: str
    packets: list[PacketTrace] = field(default_factory=list)
    answered: bool = False
    verdict: str = ""

    def text(self) -> str:
        """Return the trace as text, an indented paragraph for each hop."""
        lines = [self.title]
        for packet in self.packets:
            lines += ["", packet.name]
            for hop in packet.hops:
                lines.append(f"  {hop.time_ns / NS_PER_S:.6f} s  {hop.place}  {hop.what}")
                lines += [f"      {reason}" for reason in hop.reasons]
        return "\n".join(lines)


class _TraceTap:
    """Asks devices, while a conversation's packets pass."""

    def __init__(self, network: Network, cause: int) -> None:
        self._network = network
        self._cause = cause
        self._tunnels = {
            tunnel.switch_port: tunnel
            for hypervisor in network.plant.hypervisors.values()
            for tunnel in hypervisor.tunnels.values()
        }
        self.packets: dict[int, PacketTrace] = {}

    def received(self, port: Port, frame: Frame) -> None:
        """Ask the device that the packet arrives at."""
        if frame.provenance.cause == self._cause:
            self._add(frame, port.full_name, port.device.explain(port, frame))

    def sent(self, port: Port, frame: Frame) -> None:
        """Ask the tunnel that the packet enters, if it does, and note where packets begin."""
        if frame.provenance.cause != self._cause:
            return
        tunnel = self._tunnels.get(port)
        if tunnel is not None:
            self._add(frame, port.full_name, tunnel.explain(frame))
        elif frame.provenance.packet_id not in self.packets:
            self._add(frame, port.full_name, [f"{port.device.name} sends it"])

    def _add(self, frame: Frame, place: str, reasons: list[str]) -> None:
        origin = frame.provenance
        packet = self.packets.get(origin.packet_id)
        if packet is None:
            packet = self.packets[origin.packet_id] = PacketTrace(packet_name(origin))
        packet.hops.append(Hop(self._network.now, place, describe(frame.data), tuple(reasons)))

    def add_losses(self) -> None:
        """Add what the ledger knows of lost packets."""
        for drop in self._network.stories.drops(self._cause):
            packet = self.packets.get(drop.frame.provenance.packet_id)
            if packet is not None:
                reason = drop.reason.value + (f" ({drop.detail})" if drop.detail else "")
                what = f"dropped: {reason}"
                packet.hops.append(Hop(drop.time_ns, drop.place, what, ()))


def trace(network: Network, source: HostNode, target: HostNode, udp: int | None = None) -> Trace:
    """Send one packet from a host to another and follow it, and what answers it.

    Args:
        network: a booted network.
        source: the host that sends.
        target: the host that is addressed.
        udp: destination port of a UDP datagram; an echo request by default.

    Raises:
        UserError: the target has no address.
    """
    address = source.address_of(target)
    cause = network.next_cause()
    tap = _TraceTap(network, cause)
    ports = network.plant.ports()
    tap_all(ports, tap)
    try:
        if udp is None:
            source.host.start_ping(address, 1, timeout_ns=PATIENCE_NS, cause=cause)
        else:
            socket = UdpSocket(source.host, 0, lambda *_: None)
            socket.send(address, udp, b"", cause)
        network.run_for(PATIENCE_NS)
        if udp is not None:
            socket.close()
    finally:
        untap(ports, tap)
    tap.add_losses()
    kind = "ICMP echo" if udp is None else f"UDP to port {udp}"
    title = f"{source.name} > {target.name} ({address}), {kind}"
    packets = list(tap.packets.values())
    came_back = _came_back(network, cause, source.name)
    reached = any(network.stories.crossed(cause, target.name).values())
    verdict = "answered" if came_back else "no answer"
    if came_back and not reached:
        verdict = f"answered, but not by {target.name}: nothing reached it"
    return Trace(title, packets, came_back and reached, verdict)


def _came_back(network: Network, cause: int, source: str) -> bool:
    """Whether a packet of the conversation that is not an ARP packet ended at its sender."""
    return any(
        hop.device == source
        and hop.frame.provenance.origin != source
        and hop.frame.data[12:14] != b"\x08\x06"
        for hop in network.stories.hops(cause)
    )

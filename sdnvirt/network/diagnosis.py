"""Why a ping was not answered by its target.

The ledger knows where its packets were dropped, the stories know where they were last seen, and
every device can explain what it does with a frame. From these, the one reason that counts is
chosen: in this order, somebody else answered; the device next to the target kept the packets from
it; they were dropped on the way; the host itself had no way.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from sdnvirt.addresses import IpAddress
from sdnvirt.drops import DropReason
from sdnvirt.host.ping import Ping
from sdnvirt.host.stack import Host
from sdnvirt.wire.pcapng import Direction

if TYPE_CHECKING:
    from sdnvirt.network.network import Network

_BYSTANDER: Final = (
    DropReason.NOT_FOR_ME_L2, DropReason.NOT_FOR_ME_L3, DropReason.NOT_MY_ARP, DropReason.NOT_MY_ND,
)  # fmt: skip
"""What hosts say that a flooded frame was not for; no reason for a missing answer."""


class Asked(Protocol):
    """What a ping asks."""

    @property
    def source(self) -> str:
        """The node that pings."""

    @property
    def node(self) -> str | None:
        """The node that is to answer, or None if any may."""

    @property
    def address(self) -> IpAddress:
        """Where it is asked."""


def why_unanswered(network: Network, asked: Asked, ping: Ping) -> str:
    """Return in one line why the target of a ping did not answer, as far as is known."""
    result = ping.result()
    target = asked.node
    reasons = (
        _other_answered(network, asked, ping),
        _kept_away(network, target, ping.cause),
        _dropped(network, ping.cause),
        "; ".join(result.errors),
    )
    found = [reason for reason in reasons if reason]
    return found[0] if found else "no answer, and no packet of it was dropped"


def _other_answered(network: Network, asked: Asked, ping: Ping) -> str:
    """Tell who answered in the target's place."""
    result = ping.result()
    if not result.received:
        return ""
    hosts = network.plant.hosts
    for name in network.stories.nodes(ping.cause):
        host = hosts.get(name)
        if host is not None and name != asked.source and _has(host, asked.address):
            where = f" of {host.network}" if host.network else ""
            return (
                f"{asked.address} is {name}{where} here, which answered; "
                f"nothing reached {asked.node}"
            )
    return ""


def _has(host: Host, address: IpAddress) -> bool:
    return any(interface.has(address) for interface in host.all_interfaces())


def _kept_away(network: Network, target: str | None, cause: int) -> str:
    """Ask the device next to the target why the packets did not go on to it."""
    if target is None:
        return ""
    hops = network.stories.hops(cause)
    for port in network.plant.devices[target].ports.values():
        neighbour = network.plant.peers[port]
        passed = {hop.frame.provenance.packet_id for hop in hops if hop.port is neighbour}
        arrivals = [
            hop
            for hop in hops
            if hop.port.device is neighbour.device and hop.direction is Direction.INBOUND
        ]
        if arrivals and arrivals[-1].frame.provenance.packet_id not in passed:
            told = neighbour.device.explain(arrivals[-1].port, arrivals[-1].frame)
            lines = [line for line in told if neighbour.full_name in line]
            if lines:
                return lines[-1]
    return ""


def _dropped(network: Network, cause: int) -> str:
    """Tell the most frequent reason for which the conversation's packets were lost."""
    hosts = network.plant.hosts
    counts = Counter(
        f"dropped at {drop}"
        for drop in network.stories.drops(cause)
        if drop.reason not in _BYSTANDER or drop.place not in hosts
    )
    return next((text for text, _ in counts.most_common(1)), "")

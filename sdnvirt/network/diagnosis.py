"""Why a ping was not answered by its target.

The ledger knows where its packets were dropped, the stories know where they were last seen, and
every device can explain what it does with a frame. From these, the one reason that counts is
chosen: in this order, somebody else answered; the device next to the target kept the packets from
it; they were dropped on the way; the host itself had no way.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from sdnvirt.drops import DropReason
from sdnvirt.host.ping import Ping
from sdnvirt.topology.resolved import PingCheck
from sdnvirt.wire.pcapng import Direction

if TYPE_CHECKING:
    from sdnvirt.network.network import Network

_BYSTANDER: Final = (
    DropReason.NOT_FOR_ME_L2, DropReason.NOT_FOR_ME_L3, DropReason.NOT_MY_ARP, DropReason.NOT_MY_ND,
)  # fmt: skip
"""What hosts say that a flooded frame was not for; no reason for a missing answer."""


def why_unanswered(network: Network, check: PingCheck, ping: Ping) -> str:
    """Return in one line why the target of a ping did not answer, as far as is known."""
    result = ping.result()
    target = check.node
    reasons = (
        _other_answered(network, check, ping),
        _kept_away(network, target, ping.cause),
        _dropped(network, ping.cause),
        "; ".join(result.errors),
    )
    found = [reason for reason in reasons if reason]
    return found[0] if found else "no answer, and no packet of it was dropped"


def _other_answered(network: Network, check: PingCheck, ping: Ping) -> str:
    """Tell who answered in the target's place."""
    result = ping.result()
    if not result.received:
        return ""
    hosts = network.plant.hosts
    for name in network.stories.nodes(ping.cause):
        host = hosts.get(name)
        if host is not None and name != check.source and host.address == check.address:
            where = f" of {host.network}" if host.network else ""
            return (
                f"{check.address} is {name}{where} here, which answered; "
                f"nothing reached {check.node}"
            )
    return ""


def _kept_away(network: Network, target: str | None, cause: int) -> str:
    """Ask the device next to the target why the packets did not go on to it."""
    if target is None:
        return ""
    for port in network.plant.devices[target].ports.values():
        neighbour = network.plant.peers[port]
        arrivals = [
            hop
            for hop in network.stories.hops(cause)
            if hop.port.device is neighbour.device and hop.direction is Direction.INBOUND
        ]
        if arrivals:
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

"""What a run is asked to check, resolved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sdnvirt.addresses import IpAddress


class Expect(Enum):
    """What a ping check expects."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class PingCheck:
    """Echo requests from one node to another at a virtual time.

    Attributes:
        where: ``file:line`` of the check.
        at_ns: virtual time of the first request.
        source: VM or host that sends.
        target: the name or address that the file gives.
        node: the node of that name, which must be the one that answers, because another tenant's
            may have the same address; None if the file gives an address.
        address: the destination address.
        count: number of requests.
        interval_ns: time between requests.
        size: bytes of echo data.
        timeout_ns: how long each request waits for its answer.
        expect: whether answers must or must not come.
        max_loss: the share of requests that may stay unanswered, 0 to 1, when reachable.
        via: a node that every request must have crossed, or None.
    """

    where: str
    at_ns: int
    source: str
    target: str
    node: str | None
    address: IpAddress
    count: int
    interval_ns: int
    size: int
    timeout_ns: int
    expect: Expect
    max_loss: float
    via: str | None


@dataclass(frozen=True, slots=True)
class LeaseCheck:
    """By ``at_ns`` the VM has obtained its address by DHCP."""

    where: str
    at_ns: int
    vm: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Nodes that reach each other by one version of IP without a router between them.

    They are hosts in one broadcast domain and subnet, or VMs in one tenant network.

    Attributes:
        members: the names, each with its address.
    """

    members: tuple[tuple[str, IpAddress], ...]

    @property
    def pairs(self) -> int:
        """How many pairs of members there are."""
        return len(self.members) * (len(self.members) - 1) // 2


@dataclass(frozen=True, slots=True)
class ConnectivityCheck:
    """From ``at_ns`` on, nodes reach each other exactly where the network connects them.

    Attributes:
        where: ``file:line`` of the check.
        at_ns: virtual time of the first requests.
        segments: who is asked: all pairs in each.
        timeout_ns: how long each request waits for its answer.
    """

    where: str
    at_ns: int
    segments: tuple[Segment, ...]
    timeout_ns: int


Check = PingCheck | LeaseCheck | ConnectivityCheck

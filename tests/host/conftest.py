"""Two hosts on one cable, and means to speak to a host byte by byte."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6, Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame
from sdnvirt.host.stack import Host

ALICE_MAC = Mac("02:00:00:00:00:01")
BOB_MAC = Mac("02:00:00:00:00:02")
DELAY_NS = 1000


class Wire(Device):
    """The far end of a host's cable: sends what a test says and keeps what it hears."""

    def __init__(self, world: World) -> None:
        super().__init__("wire", world)
        self.heard: list[bytes] = []
        self.frames: list[Frame] = []

    def receive(self, port: Port, frame: Frame) -> None:
        self.heard.append(frame.data)
        self.frames.append(frame)
        self.world.ledger.delivered += 1

    def say(self, data: bytes, cause: int = 0) -> None:
        """Send a frame to the host, and run until it has arrived."""
        self.ports[1].send(self.world.originate(data, "wire", cause=cause))
        self.world.scheduler.run_until(self.world.scheduler.now + 2 * DELAY_NS)

    def listen(self) -> list[bytes]:
        """Return the frames heard since the last call."""
        self.world.scheduler.run_until(self.world.scheduler.now + 2 * DELAY_NS)
        heard, self.heard = self.heard, []
        return heard


@dataclass
class Pair:
    """Two hosts, 10.0.0.1/24 and 10.0.0.2/24, and the cable between them."""

    world: World
    alice: Host
    bob: Host
    link: Link

    def run(self, seconds: float) -> None:
        scheduler = self.world.scheduler
        scheduler.run_until(scheduler.now + int(seconds * 1e9))


@dataclass
class Wired:
    """One host, 10.0.0.1/24, and the bare end of its cable."""

    world: World
    host: Host
    wire: Wire


@pytest.fixture
def pair():
    world = World(seed=1)
    alice, bob = Host("alice", world, "acme", "acme/web"), Host("bob", world)
    link = Link(
        world, "alice--bob",
        alice.add_port(1, "bob", ALICE_MAC), bob.add_port(1, "alice", BOB_MAC),
        LinkParameters(delay_ns=DELAY_NS),
    )  # fmt: skip
    alice.configure(IPv4Interface("10.0.0.1/24"))
    bob.configure(IPv4Interface("10.0.0.2/24"))
    yield Pair(world, alice, bob, link)
    assert world.ledger.imbalance() == 0


@pytest.fixture
def wired():
    world = World(seed=1)
    host, wire = Host("alice", world, "acme", "acme/web"), Wire(world)
    Link(
        world, "alice--wire",
        host.add_port(1, "wire", ALICE_MAC), wire.add_port(1, "alice", BOB_MAC),
        LinkParameters(delay_ns=DELAY_NS, mtu=9000),
    )  # fmt: skip
    host.configure(IPv4Interface("10.0.0.1/24"))
    yield Wired(world, host, wire)
    assert world.ledger.imbalance() == 0


@dataclass
class Version:
    """A version of IP, with the addresses of a test's hosts and scapy's layers."""

    name: str
    alice: IpAddress
    bob: IpAddress
    nobody: IpAddress
    header_length: int

    @property
    def is_v4(self) -> bool:
        return self.name == "IPv4"

    def header(self, src: IpAddress, dst: IpAddress, **fields) -> Packet:
        """Return scapy's header of a packet between two addresses."""
        if self.is_v4:
            return IP(src=str(src), dst=str(dst), **fields)
        if "ttl" in fields:
            fields["hlim"] = fields.pop("ttl")
        return IPv6(src=str(src), dst=str(dst), **fields)


V4 = Version("IPv4", Ipv4("10.0.0.1"), Ipv4("10.0.0.2"), Ipv4("10.0.0.13"), 20)
V6 = Version("IPv6", Ipv6("2001:db8::1"), Ipv6("2001:db8::2"), Ipv6("2001:db8::13"), 40)
SETTLED_NS = 4 * 10**9


@pytest.fixture(params=[V4, V6], ids=["IPv4", "IPv6"])
def ip(request) -> Version:
    """Run the test for both versions of IP."""
    return request.param


@pytest.fixture
def dual(pair) -> Pair:
    """The two hosts with addresses of both versions of IP, which are known to be unique."""
    pair.alice.configure(IPv6Interface("2001:db8::1/64"))
    pair.bob.configure(IPv6Interface("2001:db8::2/64"))
    pair.world.scheduler.run_until(SETTLED_NS)
    return pair


@pytest.fixture
def wired6(wired) -> Wired:
    """The one host, with 2001:db8::1/64, too."""
    wired.host.configure(IPv6Interface("2001:db8::1/64"))
    wired.world.scheduler.run_until(15 * 10**9)  # it has given up asking for routers
    wired.wire.heard.clear()
    return wired


@dataclass
class Routed:
    """Two hosts in networks of their own, and the router between them."""

    world: World
    alice: Host
    bob: Host
    router: Host
    to_bob: Link

    def run(self, seconds: float) -> None:
        scheduler = self.world.scheduler
        scheduler.run_until(scheduler.now + int(seconds * 1e9))


R1_MAC = Mac("02:00:00:00:00:11")
R2_MAC = Mac("02:00:00:00:00:12")
R_ALICE = {"IPv4": Ipv4("10.0.0.254"), "IPv6": Ipv6("2001:db8::254")}
FAR_BOB = {"IPv4": Ipv4("10.0.9.2"), "IPv6": Ipv6("2001:db8:9::2")}
BOB_LINK_MTU = 1300


@pytest.fixture
def routed():
    world = World(seed=1)
    alice, bob, router = Host("alice", world), Host("bob", world), Host("router", world)
    Link(
        world, "alice--router",
        alice.add_port(1, "router", ALICE_MAC), router.add_port(1, "alice", R1_MAC),
        LinkParameters(delay_ns=DELAY_NS),
    )  # fmt: skip
    to_bob = Link(
        world, "router--bob",
        router.add_port(2, "bob", R2_MAC), bob.add_port(1, "router", BOB_MAC),
        LinkParameters(delay_ns=DELAY_NS, mtu=BOB_LINK_MTU),
    )  # fmt: skip
    near, far = router.interfaces[1], router.interfaces[2]
    bob.interface.mtu = far.mtu = BOB_LINK_MTU
    router.enable_forwarding()
    router.configure(IPv4Interface("10.0.0.254/24"), interface=near)
    router.configure(IPv6Interface("2001:db8::254/64"), interface=near)
    router.configure(IPv4Interface("10.0.9.254/24"), interface=far)
    router.configure(IPv6Interface("2001:db8:9::254/64"), interface=far)
    alice.configure(IPv4Interface("10.0.0.1/24"), R_ALICE["IPv4"])
    alice.configure(IPv6Interface("2001:db8::1/64"), R_ALICE["IPv6"])
    bob.configure(IPv4Interface("10.0.9.2/24"), Ipv4("10.0.9.254"))
    bob.configure(IPv6Interface("2001:db8:9::2/64"), Ipv6("2001:db8:9::254"))
    world.scheduler.run_until(15 * 10**9)
    yield Routed(world, alice, bob, router, to_bob)
    assert world.ledger.imbalance() == 0

"""Frames of known connections are taken as the IP layer and the service would take them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import BROADCAST, Ipv4, Ipv6, Mac
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.stack import Host
from sdnvirt.host.tcp import early
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.checksum import internet_checksum, pseudo_header_sum

PORT = 80
CLIENTS = {4: Ipv4("10.0.0.1"), 6: Ipv6("2001:db8::1")}
SERVERS = {4: Ipv4("10.0.0.2"), 6: Ipv6("2001:db8::2")}
TCP_AT = {4: 34, 6: 54}
ADDRESSES_AT = {4: 26, 6: 22}


POINTED = (
    (0, 1), (14, 1), (15, 1), (15, 3), (15, 0x30), (17, 8), (19, 8), (20, 0x20), (20, 0x40),
    (20, 0x80), (21, 1), (22, 64), (23, 6 ^ 17), (20, 6 ^ 17), (47, 2), (47, 4), (47, 16), (47, 1),
    (67, 2), (67, 4), (67, 16), (67, 1),
)  # fmt: skip
"""Bits that mean something by themselves: of a group's frame, version, length, ECN, fragments, time
to live, protocol and TCP's flags."""


class Recorder:
    """A tap that keeps the bytes of frames."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.told: list[bytes] = []

    def received(self, _port: Port, frame: Frame) -> None:
        self.heard.append(frame.data)

    def sent(self, _port: Port, frame: Frame) -> None:
        self.told.append(frame.data)


class Blind(dict[bytes, TcpConnection]):
    """A table in which nothing is found, so that every frame takes the long way."""

    def get(self, *_: object) -> None:  # type: ignore[override]
        return None


class Stage:
    """A server with one open connection, and what its client sent last."""

    def __init__(self, version: int, *, blind: bool) -> None:
        self.world = World(seed=3)
        client, self.server = Host("client", self.world), Host("server", self.world)
        ends = client.add_port(1, "eth0", Mac(2)), self.server.add_port(1, "eth0", Mac(4))
        Link(self.world, "cable", *ends, LinkParameters(10**9, 1000))
        for host, addresses in ((client, CLIENTS), (self.server, SERVERS)):
            if version == 4:
                host.configure(IPv4Interface(f"{addresses[4]}/24"))
            else:
                host.interface.enable_ipv6(autoconfigure=False)
                host.configure(IPv6Interface(f"{addresses[6]}/64"))
        self.run()
        if blind:
            self.server.tcp_flows = Blind()
        self.read = b""
        self.server.tcp.listen(PORT, lambda one: setattr(one, "on_data", self.take))
        recorder = Recorder()
        ends[1].taps = (recorder,)
        one = client.tcp.connect(SERVERS[version], PORT)
        assert isinstance(one, TcpConnection)
        one.on_connected = lambda: one.write(b"a question") and None
        self.run()
        client.tcp.crash()
        self.last = recorder.heard[-1]
        self.recorder = recorder
        ends[1].taps = (recorder,)
        recorder.told.clear()

    def take(self, data: bytes) -> None:
        self.read += data

    def run(self) -> None:
        self.world.scheduler.run_until(self.world.scheduler.now + 5 * NS_PER_S)

    def outcome(self, frames: list[bytes]) -> object:
        """Return all that can be seen of what the server does with frames."""
        for data in frames:
            self.server.receive(self.server.ports[1], self.world.originate(data, "somebody"))
            self.world.scheduler.run_until(self.world.scheduler.now + NS_PER_S // 10)
        ledger = self.world.ledger
        details = [(drop.reason, drop.detail) for drop in ledger.recent]
        connections = [repr(one) for one in self.server.tcp.connections.values()]
        told = self.recorder.told
        return ledger.delivered, ledger.drops, details, told, self.read, connections


@dataclass(frozen=True)
class Damage:
    """What is done to a frame before it arrives.

    Attributes:
        flips: bytes that are changed, by offset, and the bits that are.
        length: bytes that are left of it.
        padding: bytes behind it.
        repaired: whether the checksums are made right again.
    """

    flips: tuple[tuple[int, int], ...]
    length: int
    padding: bytes
    repaired: bool

    def on(self, frame: bytes, version: int) -> bytes:
        data = bytearray(frame)
        for offset, bits in self.flips:
            data[offset] ^= bits
        if self.repaired:
            repair(data, version)
        return bytes(data[: self.length]) + self.padding


def repair(data: bytearray, version: int) -> None:
    """Make the checksums of a frame right, of whatever it has become."""
    at = TCP_AT[version]
    if version == 4:
        data[24:26] = b"\0\0"
        data[24:26] = internet_checksum(bytes(data[14:34])).to_bytes(2, "big")
    data[at + 16 : at + 18] = b"\0\0"
    segment = bytes(data[at:])
    middle = (ADDRESSES_AT[version] + at) // 2
    src, dst = bytes(data[ADDRESSES_AT[version] : middle]), bytes(data[middle:at])
    checksum = internet_checksum(segment, pseudo_header_sum(src, dst, 6, len(segment)))
    data[at + 16 : at + 18] = checksum.to_bytes(2, "big")


def damages() -> st.SearchStrategy[Damage]:
    """Return damages, many of them to the headers, and some of them none at all."""
    flip = st.one_of(st.tuples(st.integers(0, 75), st.integers(1, 255)), st.sampled_from(POINTED))
    return st.builds(
        Damage, st.lists(flip, max_size=3).map(tuple),
        st.one_of(st.just(2000), st.integers(0, 96)), st.sampled_from([b"", b"\0", b"padding"]),
        st.booleans(),
    )  # fmt: skip


@pytest.mark.parametrize("version", [4, 6])
@settings(deadline=None)
@given(st.data())
def test_every_frame_comes_to_the_same_end(version: int, data: st.DataObject) -> None:
    quick, slow = Stage(version, blind=False), Stage(version, blind=True)
    assert quick.last == slow.last
    harm = data.draw(st.lists(damages(), min_size=1, max_size=3))
    frames = [damage.on(quick.last, version) for damage in harm]
    assert quick.outcome(frames) == slow.outcome(frames)


@pytest.mark.parametrize("version", [4, 6])
def test_the_usual_segment_takes_the_short_way(version: int) -> None:
    stage = Stage(version, blind=False)
    known = {4: (early.IPV4_ENDS, early.ipv4_segment), 6: (early.IPV6_ENDS, early.ipv6_segment)}
    ends, segment_of = known[version]
    assert stage.last[ends] in stage.server.tcp_flows
    segment = segment_of(stage.server.interface, stage.last)
    assert segment is not None
    assert segment.payload == b"a question"


@pytest.mark.parametrize("version", [4, 6])
def test_a_connection_that_is_gone_is_known_no_more(version: int) -> None:
    stage = Stage(version, blind=False)
    [connection] = stage.server.tcp.connections.values()
    connection.abort()
    assert stage.server.tcp_flows == {}


@pytest.mark.parametrize("repaired", [False, True])
@pytest.mark.parametrize("flip", POINTED)
@pytest.mark.parametrize("version", [4, 6])
def test_a_meaningful_bit_comes_to_the_same_end(
    version: int, flip: tuple[int, int], repaired: bool
) -> None:
    quick, slow = Stage(version, blind=False), Stage(version, blind=True)
    frame = Damage((flip,), 2000, b"", repaired).on(quick.last, version)
    assert quick.outcome([frame]) == slow.outcome([frame])


@pytest.mark.parametrize("version", [4, 6])
def test_a_broadcast_frame_comes_to_the_same_end(version: int) -> None:
    quick, slow = Stage(version, blind=False), Stage(version, blind=True)
    frame = BROADCAST + quick.last[6:]
    assert quick.outcome([frame]) == slow.outcome([frame])
    assert DropReason.NOT_FOR_ME_L2 in quick.world.ledger.by_reason()


@pytest.mark.parametrize("version", [4, 6])
def test_a_lost_address_comes_to_the_same_end(version: int) -> None:
    stages = Stage(version, blind=False), Stage(version, blind=True)
    for stage in stages:
        stage.server.interface.withdraw(SERVERS[version])
    quick, slow = (stage.outcome([stage.last]) for stage in stages)
    assert quick == slow
    assert stages[0].world.ledger.dropped

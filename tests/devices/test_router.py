"""The router of the underlay: RFC 1812 forwarding, and the choice among equal-cost paths."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import BROADCAST, Ipv4, Mac
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.router import FabricRouter, NextHop
from sdnvirt.devices.underlay import inner_flow, ipv4_fault, ipv4_flow
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.errors import WireError
from sdnvirt.frame import Frame
from sdnvirt.wire.checksum import ChecksumError
from sdnvirt.wire.dot1q import VlanTag, push_tag
from sdnvirt.wire.ethernet import Ethernet, EtherType
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.udp import Udp

SRC = Ipv4("10.0.0.1")
DST = Ipv4("10.0.0.2")


def packet(dst: Ipv4 = DST, source_port: int = 50_000, **fields) -> Ipv4Packet:
    payload = Udp(source_port, 4789, b"data").emit(SRC, dst)
    return Ipv4Packet(SRC, dst, IpProtocol.UDP, payload, **fields)


def framed(router: FabricRouter, data: bytes) -> bytes:
    """An IPv4 packet in a frame to port 1 of a router."""
    mac = router.ports[1].mac
    return Ethernet(mac, Mac("02:00:00:00:00:01"), EtherType.IPV4, data).emit()


@pytest.fixture
def router(world):
    return FabricRouter("r1", world)


@pytest.fixture
def sides(router, station):
    """Stations at ports 1 to 4 of a router."""
    return [station(router) for _ in range(4)]


def hop(sides, *numbers: int) -> tuple[NextHop, ...]:
    return tuple(NextHop(number, sides[number - 1].mac) for number in numbers)


# -- forwarding


def test_a_packet_goes_one_hop_further_and_gets_one_step_older(router, sides):
    router.set_routes({IPv4Network("10.0.0.2/32"): hop(sides, 2)})
    sent = sides[0].send(framed(router, packet(ttl=64, identification=7).emit()))
    (arrived,) = sides[1].received
    ethernet = Ethernet.parse(arrived)
    assert (ethernet.dst, ethernet.src) == (sides[1].mac, router.ports[2].mac)
    assert ethernet.payload == packet(ttl=63, identification=7).emit()
    assert sides[1].frames[0].provenance is sent.provenance


@given(
    ttl=st.integers(2, 255),
    protocol=st.integers(0, 255),
    dscp=st.integers(0, 63),
    identification=st.integers(0, 0xFFFF),
    options=st.sampled_from([b"", b"\x01" * 4, b"\x01" * 40]),
    payload=st.binary(max_size=40),
)
def test_the_checksum_is_right_after_every_step(
    ttl, protocol, dscp, identification, options, payload
):
    world = World()
    router = FabricRouter("r1", world)
    arrived = plug(world, router, 1)
    router.set_routes({IPv4Network("0.0.0.0/0"): (NextHop(1, Mac(1)),)})

    def expected(ttl: int) -> bytes:
        return Ipv4Packet(
            SRC, DST, protocol, payload, ttl, dscp, identification=identification, options=options
        ).emit()

    router.ports[1].receive(world.originate(framed(router, expected(ttl)), "test"))
    world.scheduler.run_until(0)
    assert arrived[0].data[14:] == expected(ttl - 1)


def plug(world: World, router: FabricRouter, number: int) -> list[Frame]:
    """Give a router a port; return the list that will hold what it sends."""

    class Sink:
        def __init__(self) -> None:
            self.frames: list[Frame] = []

        def carry(self, frame: Frame) -> None:
            world.ledger.delivered += 1
            self.frames.append(frame)

    sink = Sink()
    port: Port = router.add_port(number, f"p{number}", Mac(0x0600_0000_0000 + number))
    port.attach(sink, up=True)
    return sink.frames


@pytest.mark.parametrize(
    ("dst", "number"),
    [("10.0.0.2", 2), ("10.0.0.9", 3), ("10.0.7.7", 4), ("192.0.2.1", 1)],
)
def test_the_longest_prefix_wins(router, sides, dst, number):
    router.set_routes(
        {
            IPv4Network("0.0.0.0/0"): hop(sides, 1),
            IPv4Network("10.0.0.0/16"): hop(sides, 4),
            IPv4Network("10.0.0.2/32"): hop(sides, 2),
            IPv4Network("10.0.0.0/24"): hop(sides, 3),
        }
    )
    sides[0].send(framed(router, packet(Ipv4(dst)).emit()))
    assert [len(side.received) for side in sides] == [int(n == number) for n in (1, 2, 3, 4)]


def test_routes_are_plain_data(router, sides):
    given_routes = {IPv4Network("10.0.0.0/24"): hop(sides, 2, 3)}
    router.set_routes(given_routes)
    assert router.routes == given_routes


def drop_of(world: World, router: FabricRouter, sides, data: bytes) -> DropReason:
    router.set_routes({IPv4Network("10.0.0.0/24"): hop(sides, 2)})
    story = router.explain(router.ports[1], Frame(data))
    sides[0].send(data)
    (reason,) = world.ledger.by_reason()
    assert story == [f"r1:{router.ports[1].name} drops the frame: {reason.value}"]
    assert world.ledger.imbalance() == 0
    return reason


@pytest.mark.parametrize("ttl", [0, 1])
def test_a_packet_does_not_outlive_its_ttl(world, router, sides, ttl):
    data = framed(router, packet(ttl=ttl).emit())
    assert drop_of(world, router, sides, data) == DropReason.TTL_EXPIRED


def test_without_a_route_there_is_no_way(world, router, sides):
    data = framed(router, packet(Ipv4("10.1.0.1")).emit())
    assert drop_of(world, router, sides, data) == DropReason.NO_ROUTE


def test_a_wrong_header_checksum_is_not_repaired(world, router, sides):
    data = bytearray(framed(router, packet().emit()))
    data[24] ^= 1
    assert drop_of(world, router, sides, bytes(data)) == DropReason.BAD_CHECKSUM


@pytest.mark.parametrize("dst", [BROADCAST, Mac("06:00:00:00:00:99")])
def test_frames_for_others_are_not_routed(world, router, sides, dst):
    data = Ethernet(dst, sides[0].mac, EtherType.IPV4, packet().emit()).emit()
    assert drop_of(world, router, sides, data) == DropReason.NOT_FOR_ME_L2


def test_only_ipv4_is_routed(world, router, sides):
    data = Ethernet(router.ports[1].mac, sides[0].mac, EtherType.IPV6, bytes(40)).emit()
    assert drop_of(world, router, sides, data) == DropReason.UNKNOWN_PROTOCOL


@pytest.mark.parametrize("cut", [0, 1, 19, 20, 31])
def test_a_packet_that_ends_too_early_is_malformed(world, router, sides, cut):
    data = framed(router, packet().emit()[:cut])
    assert drop_of(world, router, sides, data) == DropReason.MALFORMED


@given(st.data())
def test_the_header_check_agrees_with_the_codec(data):
    mutated = bytearray(packet(options=data.draw(st.sampled_from([b"", b"\0" * 8]))).emit())
    for _ in range(data.draw(st.integers(0, 2))):
        mutated[data.draw(st.integers(0, 27))] = data.draw(st.integers(0, 255))
    whole = bytes(mutated[: data.draw(st.integers(0, len(mutated)))])
    if len(whole) > 6 and whole[6] & 0x80:
        return  # the reserved flag is the receiver's business (RFC 1812, 5.2.2)
    fault = ipv4_fault(bytes(14) + whole)
    try:
        Ipv4Packet.parse(whole)
    except ChecksumError:
        assert fault == DropReason.BAD_CHECKSUM
    except WireError:
        assert fault == DropReason.MALFORMED
    else:
        assert fault is None


# -- equal-cost paths


def spread(router: FabricRouter, source_ports: range | list[int]) -> Counter[str]:
    """Count, by the sending port that explain names, the paths of some flows."""
    return Counter(path_of(router, source_port) for source_port in source_ports)


def path_of(router: FabricRouter, source_port: int) -> str:
    data = framed(router, packet(source_port=source_port).emit())
    return router.explain(router.ports[1], Frame(data))[-1].split()[0]


def test_flows_spread_evenly_and_each_keeps_its_path(router, sides):
    router.set_routes({IPv4Network("10.0.0.2/32"): hop(sides, 2, 3, 4)})
    counts = spread(router, range(49152, 49152 + 3000))
    assert sorted(counts) == ["r1:h2", "r1:h3", "r1:h4"]
    assert all(850 < count < 1150 for count in counts.values())
    assert spread(router, [50_000] * 5).most_common(1)[0][1] == 5


def test_the_path_taken_is_the_one_that_explain_tells(router, sides):
    router.set_routes({IPv4Network("10.0.0.2/32"): hop(sides, 2, 3, 4)})
    for source_port in range(50_000, 50_020):
        expected = path_of(router, source_port)
        before = [len(side.received) for side in sides]
        sides[0].send(framed(router, packet(source_port=source_port).emit()))
        grown = [len(side.received) > n for side, n in zip(sides, before, strict=True)]
        assert f"r1:h{grown.index(True) + 1}" == expected


def test_a_second_router_does_not_repeat_the_choice_of_the_first(world, router, sides, station):
    """Else half the paths behind every router would stay empty ("polarization")."""
    router.set_routes({IPv4Network("10.0.0.2/32"): hop(sides, 2, 3)})
    second = FabricRouter("r2", world)
    others = [station(second) for _ in range(3)]
    second.set_routes({IPv4Network("10.0.0.2/32"): hop(others, 2, 3)})
    chosen = [port for port in range(49152, 51152) if path_of(router, port) == "r1:h2"]
    counts = spread(second, chosen)
    assert all(0.4 < count / len(chosen) < 0.6 for count in counts.values())
    assert len(counts) == 2


def test_many_pairs_of_routers_choose_independently(world):
    """Not two names by luck: of 60 routers, no two choose alike or opposite."""
    choices = []
    for number in range(60):
        router = FabricRouter(f"spine{number}", world)
        for port in (1, 2):
            plug(world, router, port)
        router.set_routes({IPv4Network("0.0.0.0/0"): (NextHop(1, Mac(1)), NextHop(2, Mac(2)))})
        frames = [framed(router, packet(source_port=p).emit()) for p in range(50_000, 50_200)]
        story = [router.explain(router.ports[1], Frame(data))[-1] for data in frames]
        choices.append([line.split()[0].endswith("p1") for line in story])
    for i, mine in enumerate(choices):
        for theirs in choices[:i]:
            agreeing = sum(a == b for a, b in zip(mine, theirs, strict=True))
            assert 40 < agreeing < 160


def test_the_flows_of_a_dead_path_spread_over_the_rest(world, router, sides):
    link_end = router.ports[4]
    router.set_routes({IPv4Network("10.0.0.2/32"): hop(sides, 2, 3, 4)})
    link_end.attach(link_end.egress, up=False)
    counts = spread(router, range(50_000, 50_400))
    assert sorted(counts) == ["r1:h2", "r1:h3"]
    link_end.attach(link_end.egress, up=True)
    assert len(spread(router, range(50_000, 50_400))) == 3


def test_a_prefix_whose_paths_are_all_dead_gives_way_to_a_shorter_one(router, sides):
    router.set_routes(
        {IPv4Network("10.0.0.2/32"): hop(sides, 2), IPv4Network("10.0.0.0/8"): hop(sides, 3)}
    )
    port = router.ports[2]
    port.attach(port.egress, up=False)
    assert path_of(router, 50_000) == "r1:h3"


def test_explain_names_prefix_set_and_choice(router, sides):
    router.set_routes({IPv4Network("10.0.0.0/24"): hop(sides, 2, 3)})
    data = framed(router, packet().emit())
    found, hashed, sent = router.explain(router.ports[1], Frame(data))
    assert found == (
        "r1 finds 10.0.0.2 in 10.0.0.0/24, next hops "
        "02:00:00:00:00:02 by h2, 02:00:00:00:00:03 by h3"
    )
    assert hashed == "r1 hashes flow 110a0000010a000002c35012b5 to path 1 of 2"
    assert sent == "r1:h2 sends it with TTL 63"


def test_choices_do_not_depend_on_pythons_hash_seed():
    program = """
from ipaddress import IPv4Network
from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.router import FabricRouter
from sdnvirt.devices.world import World
router = FabricRouter("leaf1", World())
print([router._choose(bytes([n]) * 64, 16) for n in range(64)])
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1


# -- flows


def test_packets_of_one_connection_are_one_flow_and_others_are_not():
    flow = ipv4_flow(packet(ttl=3, identification=5).emit(), 0)
    assert flow == ipv4_flow(packet().emit(), 0)
    assert flow == ipv4_flow(packet(options=b"\x01" * 4).emit(), 0)
    assert flow != ipv4_flow(packet(source_port=50_001).emit(), 0)


def test_all_fragments_of_a_packet_are_one_flow():
    first = packet(more_fragments=True)
    second = Ipv4Packet(SRC, DST, IpProtocol.UDP, b"rest" * 4, fragment_offset=16)
    assert ipv4_flow(first.emit(), 0) == ipv4_flow(second.emit(), 0)


def test_tenants_flows_are_told_apart_by_what_they_are():
    macs = bytes(12)
    ip = packet().emit()
    flow = inner_flow(macs + b"\x08\x00" + ip)
    assert flow == ipv4_flow(ip, 0)
    assert flow == inner_flow(push_tag(macs + b"\x08\x00" + ip, VlanTag(7)))
    ipv6 = bytes.fromhex("60000000000c1140") + bytes(range(32)) + b"\xc3\x50\x00\x35" + bytes(8)
    assert inner_flow(macs + b"\x86\xdd" + ipv6) == b"\x11" + ipv6[8:44]
    assert inner_flow(macs + b"\x08\x06" + bytes(28)) == macs + b"\x08\x06"


# -- hostile input


@given(st.data())
def test_no_bytes_upset_the_router_or_the_ledger(data):
    world = World()
    router = FabricRouter("r1", world)
    for number in (1, 2, 3):
        plug(world, router, number)
    router.set_routes({IPv4Network("0.0.0.0/0"): (NextHop(2, Mac(2)), NextHop(3, Mac(3)))})
    mutated = bytearray(framed(router, packet(options=b"\x01" * 4).emit()))
    for _ in range(data.draw(st.integers(0, 3))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    whole = bytes(mutated[: data.draw(st.integers(0, len(mutated)))])
    router.explain(router.ports[1], Frame(whole))
    router.ports[1].receive(world.originate(whole, "test"))
    assert world.ledger.imbalance() == 0


def test_a_link_of_the_router_tells_it_that_it_is_down(world, router, sides):
    far = FabricRouter("r2", world)
    link = Link(
        world, "r1--r2", router.add_port(9, "r2", Mac(9)), far.add_port(1, "r1", Mac(10)),
        LinkParameters(),
    )  # fmt: skip
    router.set_routes({IPv4Network("10.0.0.2/32"): (NextHop(9, Mac(10)), *hop(sides, 2))})
    assert len(spread(router, range(50_000, 50_050))) == 2
    link.set_up(False)
    assert list(spread(router, range(50_000, 50_050))) == ["r1:h2"]

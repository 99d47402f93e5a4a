"""A host that forwards: what gets through, what does not, and what its sender is told."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from sdnvirt.addresses import Ipv4, Ipv6, Mac
from sdnvirt.drops import DropReason
from sdnvirt.host.neighbour_states import Event, Pending
from sdnvirt.host.path_mtu import AGE_NS
from sdnvirt.host.paths import Fragmentation
from sdnvirt.host.routes import NoRoute, TooBig
from sdnvirt.host.udp import UdpSocket

from .conftest import BOB_LINK_MTU, FAR_BOB, R_ALICE

S = 10**9
ECHO_DATA = bytes(range(56))


def pinged(routed, target, **options):
    ping = routed.alice.start_ping(target, count=1, timeout_ns=8 * S, **options)
    routed.run(9)
    return ping.result()


def drops(world, action) -> dict[DropReason, int]:
    before = world.ledger.by_reason()
    action()
    after = world.ledger.by_reason()
    return {
        one: count - before.get(one, 0)
        for one, count in after.items()
        if count != before.get(one, 0) and one is not DropReason.NOT_FOR_ME_L2
    }


def test_packets_get_through(routed, ip) -> None:
    assert pinged(routed, FAR_BOB[ip.name]).received == 1


def test_every_address_of_a_router_answers(routed, ip) -> None:
    far_side = Ipv4("10.0.9.254") if ip.is_v4 else Ipv6("2001:db8:9::254")
    assert pinged(routed, R_ALICE[ip.name]).received == 1
    assert pinged(routed, far_side).received == 1


def test_a_packet_gets_a_hop_older(routed, ip) -> None:
    seen = []
    routed.bob.interfaces[1].port.taps = (Recorder(seen),)
    pinged(routed, FAR_BOB[ip.name])
    layer = IP if ip.is_v4 else IPv6
    packets = [Ether(data)[layer] for data in seen if layer in Ether(data)]
    echoes = [one for one in packets if getattr(one, "ttl", None) == 63 or
              getattr(one, "hlim", None) == 63]  # fmt: skip
    assert len(echoes) == 1
    if ip.is_v4:
        [echo] = echoes
        checksum = echo.chksum
        del echo.chksum
        assert IP(bytes(echo)).chksum == checksum


class Recorder:
    """A tap that keeps the bytes that a port receives."""

    def __init__(self, seen: list[bytes]) -> None:
        self.seen = seen

    def received(self, _port, frame) -> None:
        self.seen.append(frame.data)

    def sent(self, _port, _frame) -> None:
        pass


def test_a_packet_whose_hops_are_used_up_is_told_of(routed, ip) -> None:
    result = []
    lost = drops(routed.world, lambda: result.append(pinged(routed, FAR_BOB[ip.name], hop_limit=1)))
    assert result[0].errors == (f"from {R_ALICE[ip.name]}: time to live exceeded",)
    assert lost == {DropReason.TTL_EXPIRED: 1}


def test_a_destination_without_a_route_is_told_of(routed, ip) -> None:
    nowhere = Ipv4("192.0.2.1") if ip.is_v4 else Ipv6("2001:db8:77::1")
    result = []
    lost = drops(routed.world, lambda: result.append(pinged(routed, nowhere)))
    assert result[0].errors == (f"from {R_ALICE[ip.name]}: destination network unreachable",)
    assert lost == {DropReason.NO_ROUTE: 1}


def test_a_next_hop_that_is_silent_is_told_of(routed, ip) -> None:
    silent = Ipv4("10.0.9.77") if ip.is_v4 else Ipv6("2001:db8:9::77")
    result = []
    lost = drops(routed.world, lambda: result.append(pinged(routed, silent)))
    assert result[0].errors == (f"from {R_ALICE[ip.name]}: destination host unreachable",)
    assert lost[DropReason.NEIGHBOUR_UNRESOLVED] == 1


def test_a_waiting_packet_is_in_flight(routed, ip) -> None:
    silent = Ipv4("10.0.9.77") if ip.is_v4 else Ipv6("2001:db8:9::77")
    routed.alice.start_ping(silent, count=1)
    routed.run(0.5)
    assert len(routed.router.forwarding) == 1
    assert routed.world.ledger.imbalance() == 0
    routed.run(4)
    assert len(routed.router.forwarding) == 0


class TestPathMtu:
    def test_it_is_learned_from_the_router(self, routed, ip) -> None:
        bob = FAR_BOB[ip.name]
        assert routed.alice.ip.path(bob).mtu == 1500
        result = pinged(routed, bob, size=1400)
        assert result.errors == (f"from {R_ALICE[ip.name]}: fragmentation needed",)
        assert routed.alice.ip.path(bob).mtu == BOB_LINK_MTU
        assert routed.alice.ip.path(bob).max_payload == BOB_LINK_MTU - ip.header_length
        assert routed.alice.ip.path(R_ALICE[ip.name]).mtu == 1500

    def test_nobody_may_fragment_and_it_is_refused_from_then_on(self, routed, ip) -> None:
        bob = FAR_BOB[ip.name]
        pinged(routed, bob, size=1400)
        length = ip.header_length + 8 + 1400
        assert pinged(routed, bob, size=1400).errors == (str(TooBig(length, BOB_LINK_MTU)),)

    def test_the_sender_fragments_to_it(self, routed, ip) -> None:
        bob = FAR_BOB[ip.name]
        pinged(routed, bob, size=1400, fragmentation=Fragmentation.SENDER)
        assert pinged(routed, bob, size=1400, fragmentation=Fragmentation.SENDER).received == 1
        assert pinged(routed, bob, size=9000, fragmentation=Fragmentation.SENDER).received == 1

    def test_it_is_forgotten(self, routed, ip) -> None:
        bob = FAR_BOB[ip.name]
        pinged(routed, bob, size=1400)
        routed.run(AGE_NS / S)
        assert routed.alice.ip.path(bob).mtu == 1500

    def test_a_packet_that_this_host_cannot_have_sent_teaches_nothing(self, routed, ip) -> None:
        bob, stranger = FAR_BOB[ip.name], Ipv4("10.0.0.77") if ip.is_v4 else Ipv6("2001:db8::77")
        quoted = ip.header(stranger, bob) / UDP(sport=5, dport=7) / bytes(1400)
        packet = forged_too_big(ip, R_ALICE[ip.name], ip.alice, bytes(quoted)[:1200])
        frame = bytes(Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:11") / packet)
        routed.router.ports[1].send(routed.world.originate(frame, "router"))
        routed.run(1)
        assert routed.alice.ip.path(bob).mtu == 1500

    def test_routers_fragment_ipv4_that_may_be(self, routed) -> None:
        result = pinged(routed, FAR_BOB["IPv4"], size=1400, fragmentation=Fragmentation.ANYBODY)
        assert result.received == 1

    def test_routers_fragment_echo_replies_of_ipv4(self, routed) -> None:
        ping = routed.bob.start_ping(
            Ipv4("10.0.0.1"), count=1, size=1400, fragmentation=Fragmentation.ANYBODY
        )
        routed.run(2)
        assert ping.result().received == 1  # by alice, whose own link would take the reply whole

    def test_routers_never_fragment_ipv6(self, routed) -> None:
        result = pinged(routed, FAR_BOB["IPv6"], size=1400, fragmentation=Fragmentation.ANYBODY)
        assert result.errors == (f"from {R_ALICE['IPv6']}: fragmentation needed",)


def forged_too_big(ip, src, dst, quoted: bytes):
    if ip.is_v4:
        return IP(src=str(src), dst=str(dst)) / ICMP(type=3, code=4, nexthopmtu=600) / quoted
    return IPv6(src=str(src), dst=str(dst)) / ICMPv6PacketTooBig(mtu=1280) / quoted


def test_udp_sockets_fragment_if_they_are_asked_to(routed, ip) -> None:
    got, errors = [], []
    UdpSocket(routed.bob, 9, lambda *datagram: got.append(datagram))
    strict = UdpSocket(routed.alice, 0, lambda *_: None, on_error=errors.append)
    bob = FAR_BOB[ip.name]
    strict.send(bob, 9, bytes(1400))
    routed.run(1)
    assert errors == [f"from {R_ALICE[ip.name]}: fragmentation needed"]
    lax = UdpSocket(routed.alice, 0, lambda *_: None, fragmentation=Fragmentation.SENDER)
    payload = bytes(range(256)) * 200
    assert lax.send(bob, 9, payload) is None
    routed.run(1)
    assert [(src, data) for src, _, data, _ in got] == [(ip.alice, payload)]
    assert isinstance(lax.send(bob, 9, bytes(65_528)), TooBig)


STRAYS = {
    "to a group": {"IPv4": ("10.0.0.1", "239.1.1.1"), "IPv6": ("2001:db8::1", "ff0e::1")},
    "to an address of the link": {
        "IPv4": ("10.0.0.1", "169.254.1.1"), "IPv6": ("2001:db8::1", "fe80::77"),
    },
    "from an address of the link": {
        "IPv4": ("169.254.1.1", "10.0.9.2"), "IPv6": ("fe80::77", "2001:db8:9::2"),
    },
    "to loopback": {"IPv4": ("10.0.0.1", "127.0.0.1"), "IPv6": ("2001:db8::1", "::1")},
}  # fmt: skip


@pytest.mark.parametrize("stray", STRAYS.values(), ids=STRAYS)
def test_what_is_of_the_link_stays_there(routed, ip, stray) -> None:
    src, dst = stray[ip.name]
    packet = (IP if ip.is_v4 else IPv6)(src=src, dst=dst) / UDP()
    frame = bytes(Ether(dst="02:00:00:00:00:11", src="02:00:00:00:00:01") / packet)

    def send() -> None:
        routed.alice.ports[1].send(routed.world.originate(frame, "alice"))
        routed.run(1)

    assert drops(routed.world, send) == {DropReason.NOT_FORWARDED: 1}


def test_a_directed_broadcast_is_not_forwarded(routed) -> None:
    lost = drops(routed.world, lambda: pinged(routed, Ipv4("10.0.9.255")))
    assert lost == {DropReason.NOT_FORWARDED: 1}


def test_martians_are_not_forwarded(routed, ip) -> None:
    src = "127.0.0.1" if ip.is_v4 else "::1"
    packet = (IP if ip.is_v4 else IPv6)(src=src, dst=str(FAR_BOB[ip.name])) / UDP()
    frame = bytes(Ether(dst="02:00:00:00:00:11", src="02:00:00:00:00:01") / packet)

    def send() -> None:
        routed.alice.ports[1].send(routed.world.originate(frame, "alice"))
        routed.run(1)

    assert drops(routed.world, send) == {DropReason.MARTIAN: 1}


def test_a_neighbour_is_told_of_a_better_next_hop(wired6, ip) -> None:
    """The wire is a host whose packets would better go to another router on its own link."""
    host = wired6.host
    host.enable_forwarding()  # which tells that it listens to the group of all routers
    wired6.world.scheduler.run_until(wired6.world.scheduler.now + 2 * S)
    wired6.wire.listen()
    better = Ipv4("10.0.0.7") if ip.is_v4 else Ipv6("fe80::7")
    host.ip.add_route(
        IPv4Network("192.0.2.0/24") if ip.is_v4 else IPv6Network("2001:db8:77::/64"),
        better, host.interface,
    )  # fmt: skip
    neighbours = host.interface.resolver(better).neighbours
    now = wired6.world.scheduler.now
    for address, mac in ((better, "02:00:00:00:00:07"), (ip.bob, "02:00:00:00:00:02")):
        neighbours.send(address, Pending(b"", 0), now)
        neighbours.heard(address, Mac(mac), Event.ANSWERED, now)
    far = Ipv4("192.0.2.1") if ip.is_v4 else Ipv6("2001:db8:77::1")
    packet = ip.header(ip.bob, far) / UDP(sport=1, dport=2) / b"x"
    wired6.wire.say(bytes(Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02") / packet))
    redirect, forwarded = map(Ether, wired6.wire.listen())
    assert forwarded.dst == "02:00:00:00:00:07"
    if ip.is_v4:
        assert (redirect[ICMP].type, redirect[ICMP].code, redirect[ICMP].gw) == (5, 1, str(better))
    else:
        assert (redirect[ICMPv6ND_Redirect].tgt, redirect[ICMPv6ND_Redirect].dst) == (
            str(better), str(far),
        )  # fmt: skip
        assert redirect[ICMPv6NDOptDstLLAddr].lladdr == "02:00:00:00:00:07"
        assert redirect[IPv6].hlim == 255


def test_a_host_follows_a_redirect_of_its_gateway(wired) -> None:
    wired.host.configure(IPv4Interface("10.0.0.1/24"), Ipv4("10.0.0.2"))
    far = Ipv4("192.0.2.1")
    wired.host.ip.path(far)
    quoted = IP(src="10.0.0.1", dst=str(far)) / UDP()
    header = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
    redirect = IP(src="10.0.0.2", dst="10.0.0.1") / ICMP(type=5, code=1, gw="10.0.0.7") / quoted
    wired.wire.say(bytes(header / redirect))
    assert wired.host.ip.path(far).next_hop == Ipv4("10.0.0.7")
    assert wired.host.ip.path(Ipv4("192.0.2.2")).next_hop == Ipv4("10.0.0.2")


@pytest.mark.parametrize(
    ("src", "gateway"), [("10.0.0.9", "10.0.0.7"), ("10.0.0.2", "192.0.2.7"),
                         ("10.0.0.2", "10.0.0.1"), ("10.0.0.2", "10.0.0.2")],
    ids=["not of the gateway", "off the link", "to ourselves", "to the same"],
)  # fmt: skip
def test_forged_redirects_are_ignored(wired, src, gateway) -> None:
    wired.host.configure(IPv4Interface("10.0.0.1/24"), Ipv4("10.0.0.2"))
    far = Ipv4("192.0.2.1")
    quoted = IP(src="10.0.0.1", dst=str(far)) / UDP()
    header = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
    redirect = IP(src=src, dst="10.0.0.1") / ICMP(type=5, code=1, gw=gateway) / quoted
    wired.wire.say(bytes(header / redirect))
    assert wired.host.ip.path(far).next_hop == Ipv4("10.0.0.2")
    assert wired.world.ledger.by_reason() == {DropReason.REDIRECT_IGNORED: 1}


class TestVlans:
    def test_hosts_meet_on_a_vlan(self, dual, ip) -> None:
        for host, number in ((dual.alice, 1), (dual.bob, 2)):
            vlan = host.add_vlan(5)
            assert vlan.full_name == f"{host.name}:{host.interface.name}.5"
            host.configure(IPv4Interface(f"10.5.0.{number}/24"), interface=vlan)
            host.configure(IPv6Interface(f"2001:db8:5::{number}/64"), interface=vlan)
        dual.run(4)
        target = Ipv4("10.5.0.2") if ip.is_v4 else Ipv6("2001:db8:5::2")
        seen: list[bytes] = []
        dual.bob.ports[1].taps = (Recorder(seen),)
        ping = dual.alice.start_ping(target, count=1)
        dual.run(2)
        assert ping.result().received == 1
        echoes = [data for data in seen if ECHO_DATA in data]
        assert [data[12:16] for data in echoes] == [b"\x81\x00\x00\x05"]

    def test_a_router_on_a_stick(self, dual) -> None:
        """Alice forwards between her port and a VLAN of it."""
        dual.alice.enable_forwarding()
        vlan = dual.alice.add_vlan(7)
        dual.alice.configure(IPv4Interface("10.7.0.1/24"), interface=vlan)
        dual.bob.ip.add_route(IPv4Network("10.7.0.0/24"), Ipv4("10.0.0.1"))
        ping = dual.bob.start_ping(Ipv4("10.7.0.1"), count=1)
        dual.run(2)
        assert ping.result().received == 1

    def test_another_vlan_is_not_taken(self, wired) -> None:
        wired.host.add_vlan(5)
        header = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
        wired.wire.say(bytes(header / Dot1Q(vlan=6) / ARP()))
        assert wired.world.ledger.by_reason() == {DropReason.VLAN_NOT_ALLOWED: 1}


def test_routes_by_prefix_and_metric(wired) -> None:
    host = wired.host
    far = Ipv4("192.0.2.1")
    assert host.ip.path(far) == NoRoute(far)
    host.ip.add_route(IPv4Network("192.0.0.0/16"), Ipv4("10.0.0.3"), metric=5)
    host.ip.add_route(IPv4Network("192.0.0.0/16"), Ipv4("10.0.0.4"), metric=9)
    assert host.ip.path(far).next_hop == Ipv4("10.0.0.3")
    before = host.ip.path(far)
    host.ip.add_route(IPv4Network("192.0.2.0/24"), Ipv4("10.0.0.5"), metric=99)
    assert before.stale
    assert host.ip.path(far).next_hop == Ipv4("10.0.0.5")
    host.ip.remove_routes(IPv4Network("192.0.2.0/24"))
    host.ip.remove_routes(IPv4Network("192.0.0.0/16"), Ipv4("10.0.0.3"))
    assert host.ip.path(far).next_hop == Ipv4("10.0.0.4")
    assert str(host.routes[0]) == "10.0.0.0/24 dev wire"
    assert str(host.routes[1]) == "192.0.0.0/16 via 10.0.0.4 dev wire metric 9"

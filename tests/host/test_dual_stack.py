"""What hosts do alike over both versions of IP, and how they take hostile packets."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet import fragment as cut_ipv4
from scapy.layers.inet6 import (
    HBHOptUnknown,
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    fragment6,
)
from scapy.layers.l2 import Ether

from sdnvirt.addresses import ALL_NODES, Ipv4, Ipv6, Mac
from sdnvirt.drops import DropReason
from sdnvirt.host.icmp import ERROR_BURST
from sdnvirt.host.neighbour_states import Event, Pending
from sdnvirt.host.paths import Fragmentation
from sdnvirt.host.reassembly import PACKET_LIMIT, TIMEOUT_NS
from sdnvirt.host.routes import NoAddress, NoRoute, TooBig
from sdnvirt.host.udp import UdpSocket
from sdnvirt.wire.icmpv6 import Icmpv6

S = 10**9
ALICE, WIRE = "02:00:00:00:00:01", "02:00:00:00:00:02"
ETHER = Ether(dst=ALICE, src=WIRE)
TO_ALL = Ether(dst="33:33:00:00:00:01", src=WIRE)
REQUEST = ICMPv6EchoRequest(id=1, seq=2, data=b"data")


@pytest.fixture
def host(wired6, ip):
    """The wired host, which knows the wire's MAC address in the version of IP."""
    neighbours = wired6.host.interface.resolver(ip.bob).neighbours
    now = wired6.world.scheduler.now
    neighbours.send(ip.bob, Pending(b"", 0), now)
    neighbours.heard(ip.bob, Mac(WIRE), Event.ANSWERED, now)
    return wired6.host


@pytest.fixture
def known(wired6):
    """The wired host, which knows the wire's IPv6 addresses."""
    neighbours = wired6.host.interface.nd.neighbours
    for address in map(Ipv6, ("2001:db8::2", "fe80::2")):
        neighbours.send(address, Pending(b"", 0), 0)
        neighbours.heard(address, Mac(WIRE), Event.ASKED, wired6.world.scheduler.now)
    return wired6


def say(wired, *packets) -> dict[DropReason, int]:
    """Let the wire send packets; return the drops that they caused, by reason."""
    before = wired.world.ledger.by_reason()
    for packet in packets:
        wired.wire.say(packet if isinstance(packet, bytes) else bytes(ETHER / packet))
    after = wired.world.ledger.by_reason()
    return {
        reason: count - before.get(reason, 0)
        for reason, count in after.items()
        if count != before.get(reason, 0)
    }


def heard(wired) -> list:
    return [Ether(data) for data in wired.wire.listen()]


def echo(ip, data: bytes = b"data"):
    return ICMP(id=1, seq=2) / data if ip.is_v4 else ICMPv6EchoRequest(id=1, seq=2, data=data)


def fragments(ip, packet, size: int) -> list:
    if ip.is_v4:
        return cut_ipv4(packet, size)
    return fragment6(
        IPv6(src=packet.src, dst=packet.dst) / IPv6ExtHdrFragment(id=7) / packet.payload, size + 48
    )


class TestEcho:
    def test_a_request_is_answered_with_the_same_data(self, wired6, host, ip) -> None:
        assert say(wired6, ip.header(ip.bob, ip.alice) / echo(ip)) == {}
        [reply] = heard(wired6)
        layer = ICMP if ip.is_v4 else ICMPv6EchoReply
        assert (reply[layer].id, reply[layer].seq) == (1, 2)
        assert bytes(reply[ICMP].payload if ip.is_v4 else reply[layer].data) == b"data"
        assert str(ip.alice) == reply[IP if ip.is_v4 else IPv6].src

    def test_a_packet_in_its_last_hop_is_taken(self, wired6, host, ip) -> None:
        assert say(wired6, ip.header(ip.bob, ip.alice, ttl=1) / echo(ip)) == {}
        assert len(heard(wired6)) == 1

    def test_hosts_ping_each_other(self, dual, ip) -> None:
        ping = dual.alice.start_ping(ip.bob, count=5)
        dual.run(8)
        assert (ping.result().received, ping.result().duplicates) == (5, 0)
        assert str(ping.result()).startswith(f"--- {ip.bob} ping statistics ---")

    def test_a_host_pings_itself(self, dual, ip) -> None:
        ping = dual.alice.start_ping(ip.alice, count=1)
        dual.run(2)
        assert ping.result().received == 1

    def test_more_than_fits_a_packet(self, dual, ip) -> None:
        refused = dual.alice.start_ping(ip.bob, count=1, size=1473)
        assert refused.result().errors == (str(TooBig(1481 + ip.header_length, 1500)),)
        ping = dual.alice.start_ping(
            ip.bob, count=1, size=65_000, fragmentation=Fragmentation.SENDER
        )
        dual.run(3)
        assert ping.result().received == 1

    def test_link_local_neighbours_ping(self, dual) -> None:
        ping = dual.alice.start_ping(
            Ipv6("fe80::ff:fe00:2"), count=1, interface=dual.alice.interface
        )
        dual.run(2)
        assert ping.result().received == 1

    @pytest.mark.parametrize(
        ("source", "own"), [("2001:db8::2", "2001:db8::1"), ("fe80::2", "fe80::ff:fe00:1")]
    )
    def test_a_group_is_answered_from_an_address_of_one_host(self, known, source, own) -> None:
        known.wire.say(bytes(TO_ALL / IPv6(src=source, dst="ff02::1") / REQUEST))
        [reply] = heard(known)
        assert (reply[IPv6].src, reply[IPv6].dst) == (own, source)
        assert bytes(reply[ICMPv6EchoReply].data) == b"data"

    def test_groups_are_answered_at_the_pace_of_errors(self, known) -> None:
        frame = bytes(TO_ALL / IPv6(src="2001:db8::2", dst="ff02::1") / REQUEST)
        for _ in range(ERROR_BURST + 7):
            known.wire.ports[1].send(known.world.originate(frame, "wire"))
        assert len(heard(known)) == ERROR_BURST
        assert known.world.ledger.by_reason()[DropReason.GROUP_ECHO_LIMIT] == 7

    def test_broadcasts_of_ipv4_are_not_answered(self, wired) -> None:
        frame = Ether(dst="ff:ff:ff:ff:ff:ff", src=WIRE) / IP(src="10.0.0.2", dst="10.0.0.255")
        wired.wire.say(bytes(frame / ICMP()))
        assert heard(wired) == []

    def test_all_neighbours_answer(self, dual) -> None:
        ping = dual.alice.start_ping(ALL_NODES, count=2, interface=dual.alice.interface)
        dual.run(3)
        assert ping.result().received == 2
        assert ping.result().responders == (dual.bob.interface.mac, dual.alice.loopback.mac)


class TestUdp:
    def test_sockets_talk(self, dual, ip) -> None:
        got = []
        server = UdpSocket(
            dual.bob, 9, lambda src, port, data, cause: server.send(src, port, data[::-1], cause)
        )
        client = UdpSocket(dual.alice, 0, lambda *datagram: got.append(datagram))
        assert client.send(ip.bob, 9, b"abc", cause=3) is None
        dual.run(1)
        assert got == [(ip.bob, 9, b"cba", 3)]

    def test_a_closed_port_is_told_of(self, dual, ip) -> None:
        errors: list[str] = []
        client = UdpSocket(dual.alice, 0, lambda *_: None, on_error=errors.append)
        client.send(ip.bob, 9, b"hello")
        dual.run(1)
        assert errors == [f"from {ip.bob}: destination port unreachable"]

    def test_a_socket_of_one_address_takes_what_is_for_it(self, dual, ip) -> None:
        got: list[str] = []
        for name, address in (("any", None), ("one", ip.bob)):
            UdpSocket(dual.bob, 9, lambda *_, name=name: got.append(name), address=address)
        other = IPv4Interface("10.0.0.3/24") if ip.is_v4 else IPv6Interface("2001:db8::3/64")
        dual.bob.add_address(other)
        dual.run(3)
        client = UdpSocket(dual.alice, 0, lambda *_: None)
        client.send(ip.bob, 9, b"")
        client.send(Ipv4(other.ip) if ip.is_v4 else Ipv6(other.ip), 9, b"")
        dual.run(1)
        assert got == ["one", "any"]

    def test_a_wildcard_of_one_version_is_no_wildcard_of_the_other(self, dual, ip) -> None:
        wildcard = type(ip.bob)(bytes(len(ip.bob)))
        got: list[int] = []
        UdpSocket(dual.bob, 9, lambda src, *_: got.append(len(src)), address=wildcard)
        client = UdpSocket(dual.alice, 0, lambda *_: None)
        client.send(Ipv4("10.0.0.2"), 9, b"")
        client.send(Ipv6("2001:db8::2"), 9, b"")
        dual.run(1)
        assert got == [len(ip.bob)]

    def test_a_connected_socket_hears_its_peer_only(self, dual, ip) -> None:
        got: list[bytes] = []
        server = UdpSocket(dual.bob, 9, lambda _s, _p, data, _c: got.append(data))
        peer = UdpSocket(dual.alice, 1000, lambda *_: None)
        other = UdpSocket(dual.alice, 1001, lambda *_: None)
        server.remote = (ip.alice, 1000)
        peer.send(ip.bob, 9, b"peer")
        other.send(ip.bob, 9, b"other")
        dual.run(1)
        assert got == [b"peer"]

    def test_dscp_and_hop_limit_are_those_of_the_socket(self, wired6, host, ip) -> None:
        socket = UdpSocket(host, 0, lambda *_: None)
        socket.dscp, socket.hop_limit = 46, 3
        socket.send(ip.bob, 9, b"x")
        [frame] = heard(wired6)
        packet = frame[IP if ip.is_v4 else IPv6]
        assert (packet.tos if ip.is_v4 else packet.tc) == 46 << 2
        assert (packet.ttl if ip.is_v4 else packet.hlim) == 3

    def test_a_host_without_a_way_says_so(self, pair, ip) -> None:
        pair.alice.unconfigure()
        assert pair.alice.ip.send(ip.bob, 17, b"") == NoAddress()
        pair.alice.configure(IPv4Interface("10.0.0.1/24"))
        if not ip.is_v4:
            assert pair.alice.ip.send(ip.bob, 17, b"") == NoRoute(ip.bob)

    def test_a_datagram_costs_one_look_up(self, dual, ip, monkeypatch) -> None:
        client = UdpSocket(dual.alice, 0, lambda *_: None)
        UdpSocket(dual.bob, 9, lambda *_: None)
        client.send(ip.bob, 9, b"")
        looked_up: list[object] = []
        routes = type(dual.alice.ip.routes)
        monkeypatch.setattr(routes, "lookup", lambda *_: looked_up.append(1))
        for _ in range(10):
            client.send(ip.bob, 9, b"")
        assert looked_up == []


class TestAddresses:
    def test_an_address_can_be_taken_away(self, dual, ip) -> None:
        other = IPv4Interface("10.5.0.1/24") if ip.is_v4 else IPv6Interface("2001:db8:5::1/64")
        own = Ipv4(other.ip) if ip.is_v4 else Ipv6(other.ip)
        dual.bob.add_address(other)
        dual.run(3)
        assert str(other.network) in [str(route.network) for route in dual.bob.routes]
        dual.bob.remove_address(own)
        assert str(other.network) not in [str(route.network) for route in dual.bob.routes]
        assert dual.bob.ip.owner(own) is None
        ping = dual.alice.start_ping(ip.bob, count=1)
        dual.run(1)
        assert ping.result().received == 1

    def test_an_address_can_be_taken_away_while_a_neighbour_is_asked_for(self, dual, ip) -> None:
        ping = dual.alice.start_ping(ip.nobody, count=1)
        dual.alice.remove_address(ip.alice)
        dual.run(5)
        assert ping.result().received == 0

    def test_an_interface_without_an_address_asks_from_another(self, dual, ip) -> None:
        vlan = dual.alice.add_vlan(5)
        far = IPv4Network("10.6.0.0/24") if ip.is_v4 else IPv6Network("2001:db8:6::/64")
        if not ip.is_v4:
            vlan.enable_ipv6()  # its own address is not known to be unique yet
        dual.alice.ip.add_route(far, None, vlan)
        target = Ipv4("10.6.0.1") if ip.is_v4 else Ipv6("2001:db8:6::1")
        ping = dual.alice.start_ping(target, count=1, timeout_ns=8 * S)
        dual.run(9)
        assert ping.result().errors[0].startswith(f"{target}: no ")


class TestErrors:
    def test_a_closed_port_is_told_of_with_the_packet_quoted(self, wired6, host, ip) -> None:
        packet = bytes(ip.header(ip.bob, ip.alice) / UDP(sport=7, dport=9) / bytes(2000))
        ether = Ether(dst=ALICE, src=WIRE, type=0x0800 if ip.is_v4 else 0x86DD)
        say(wired6, bytes(ether) + packet)
        [data] = wired6.wire.listen()
        error, quoted = Ether(data), data[14 + ip.header_length + 8 :]
        if ip.is_v4:
            assert (error[ICMP].type, error[ICMP].code) == (3, 3)
            assert quoted == packet[:548]  # the error has 576 bytes
        else:
            assert error[ICMPv6DestUnreach].code == 4
            assert quoted == packet[:1232]  # the error has 1280 bytes

    def test_an_unknown_protocol_is_told_of(self, wired6, host, ip) -> None:
        packet = IP(src="10.0.0.2", dst="10.0.0.1", proto=99) if ip.is_v4 else IPv6(
            src="2001:db8::2", dst="2001:db8::1", nh=99)  # fmt: skip
        assert say(wired6, packet / b"x") == {DropReason.UNKNOWN_PROTOCOL: 1}
        [error] = heard(wired6)
        if ip.is_v4:
            assert (error[ICMP].type, error[ICMP].code) == (3, 2)
        else:
            assert (error[ICMPv6ParamProblem].code, error[ICMPv6ParamProblem].ptr) == (1, 6)

    def test_no_errors_about_these(self, wired6, host, ip) -> None:
        to_port = UDP(sport=7, dport=9) / b"x"
        if ip.is_v4:
            error = ICMP(type=3, code=3) / ip.header(ip.alice, ip.bob, proto=99)
            sources = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "10.0.0.255"]
        else:
            error = ICMPv6DestUnreach() / ip.header(ip.alice, ip.bob, nh=99)
            sources = ["::", "::1", "ff02::1"]
        group_frame = Ether(dst="ff:ff:ff:ff:ff:ff", src=WIRE)
        about = [ETHER / ip.header(ip.bob, ip.alice) / error,
                 group_frame / ip.header(ip.bob, ip.alice) / to_port]  # fmt: skip
        about += [ETHER / ip.header(src, ip.alice) / to_port for src in sources]
        say(wired6, *map(bytes, about))
        assert heard(wired6) == []

    def test_an_answer_that_was_too_big_is_learned_from_and_no_other_error_about_it(
        self, wired6, host, ip
    ) -> None:
        """Nobody on the host waits for what becomes of an answer, but the next one is to fit."""
        answer = ICMP(type=0, id=1) if ip.is_v4 else ICMPv6EchoReply(id=1)
        quoted = ip.header(ip.alice, ip.bob) / answer / bytes(1400)
        too_big = (
            ICMP(type=3, code=4, nexthopmtu=1300) if ip.is_v4 else ICMPv6PacketTooBig(mtu=1300)
        )
        expired = ICMP(type=11) if ip.is_v4 else ICMPv6TimeExceeded()
        assert say(wired6, ip.header(ip.bob, ip.alice) / too_big / quoted) == {}
        assert host.ip.path(ip.bob).mtu == 1300
        again = say(wired6, ip.header(ip.bob, ip.alice) / expired / quoted)
        assert again == {DropReason.ICMP_UNEXPECTED: 1}

    def test_messages_of_unknown_types_are_discarded_silently(self, wired6, host, ip) -> None:
        if ip.is_v4:
            packet = ip.header(ip.bob, ip.alice) / ICMP(type=250) / b"x"
        else:
            message = Icmpv6(250, 0, 0, b"x").emit(ip.bob, ip.alice)
            packet = ip.header(ip.bob, ip.alice, nh=58) / message
        assert say(wired6, packet) == {DropReason.UNKNOWN_PROTOCOL: 1}
        assert heard(wired6) == []

    def test_they_are_limited(self, wired6, host, ip) -> None:
        frame = bytes(ETHER / ip.header(ip.bob, ip.alice) / UDP(sport=7, dport=9) / b"x")
        for _ in range(3 * ERROR_BURST):
            wired6.wire.ports[1].send(wired6.world.originate(frame, "wire"))
        assert len(heard(wired6)) == ERROR_BURST


class TestFragments:
    @settings(
        max_examples=25, deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )  # fmt: skip
    @given(order=st.permutations(range(5)))
    def test_in_any_order_they_are_the_packet(self, wired6, host, ip, order) -> None:
        data = bytes(range(200)) * 2
        parts = fragments(ip, ip.header(ip.bob, ip.alice) / echo(ip, data), 88)
        assert len(parts) == 5
        delivered = wired6.world.ledger.delivered
        assert say(wired6, *(parts[index] for index in order)) == {}
        replies = [one for one in heard(wired6) if ICMP in one or ICMPv6EchoReply in one]
        assert len(replies) == 1
        assert wired6.world.ledger.delivered == delivered + 5 + len(replies)
        assert wired6.world.ledger.imbalance() == 0

    def test_they_are_in_flight_until_the_packet_is_whole(self, wired6, host, ip) -> None:
        first, *_ = fragments(ip, ip.header(ip.bob, ip.alice) / echo(ip, bytes(400)), 88)
        assert say(wired6, first) == {}
        assert len(host.fragments) == 1
        assert wired6.world.ledger.imbalance() == 0

    def test_the_sender_of_a_packet_that_was_never_whole_is_told(self, wired6, host, ip) -> None:
        first, second, *_ = fragments(ip, ip.header(ip.bob, ip.alice) / echo(ip, bytes(400)), 88)
        say(wired6, second, first)
        wired6.world.scheduler.run_until(wired6.world.scheduler.now + TIMEOUT_NS)
        assert wired6.world.ledger.by_reason()[DropReason.REASSEMBLY_TIMEOUT] == 2
        # The wire does not answer the probes that follow.
        errors = [one for one in heard(wired6) if ICMP in one or ICMPv6TimeExceeded in one]
        if ip.is_v4:
            assert [(one[ICMP].type, one[ICMP].code) for one in errors] == [(11, 1)]
        else:
            assert [one[ICMPv6TimeExceeded].code for one in errors] == [1]
        assert len(host.fragments) == 0

    def test_nobody_is_told_without_the_first_fragment(self, wired6, host, ip) -> None:
        _, second, *_ = fragments(ip, ip.header(ip.bob, ip.alice) / echo(ip, bytes(400)), 88)
        say(wired6, second)
        wired6.world.scheduler.run_until(wired6.world.scheduler.now + TIMEOUT_NS)
        assert heard(wired6) == []

    def test_overlapping_ones_end_the_packet(self, wired6, host, ip) -> None:
        parts = fragments(ip, ip.header(ip.bob, ip.alice) / echo(ip, bytes(400)), 88)
        evil = parts[1].copy()
        if ip.is_v4:
            evil.frag -= 1
            del evil.chksum
        else:
            evil[IPv6ExtHdrFragment].offset -= 1
        assert say(wired6, parts[0], evil) == {DropReason.FRAGMENT_MISFIT: 2}
        assert heard(wired6) == []

    def test_a_repeated_one_does_no_harm(self, wired6, host, ip) -> None:
        parts = fragments(ip, ip.header(ip.bob, ip.alice) / echo(ip, bytes(400)), 88)
        assert say(wired6, parts[0], parts[0], *parts[1:]) == {DropReason.FRAGMENT_DUPLICATE: 1}
        assert len(heard(wired6)) == 1

    def test_a_flood_of_them_costs_bounded_memory_and_the_host_goes_on(
        self, wired6, host, ip
    ) -> None:
        for number in range(4 * PACKET_LIMIT):
            if ip.is_v4:
                part = IP(src="10.0.0.2", dst="10.0.0.1", id=number, flags="MF") / bytes(8)
            else:
                part = (
                    IPv6(src="2001:db8::2", dst="2001:db8::1")
                    / IPv6ExtHdrFragment(id=number, m=1, nh=17) / bytes(8)
                )  # fmt: skip
            say(wired6, part)
        assert len(host.fragments) == PACKET_LIMIT
        assert wired6.world.ledger.by_reason()[DropReason.REASSEMBLY_FULL] == 3 * PACKET_LIMIT
        say(wired6, ip.header(ip.bob, ip.alice) / echo(ip))
        assert len(heard(wired6)) == 1


HOSTILE = {
    "our own address": (lambda ip: (ip.alice, ip.alice), DropReason.MARTIAN),
    "a group": (lambda ip: ("224.0.0.1" if ip.is_v4 else "ff02::1", ip.alice), DropReason.MARTIAN),
    "loopback": (lambda ip: ("127.0.0.1" if ip.is_v4 else "::1", ip.alice), DropReason.MARTIAN),
    "somebody else's": (lambda ip: (ip.bob, ip.nobody), DropReason.NOT_FOR_ME_L3),
}


@pytest.mark.parametrize(("addresses", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_addresses_are_dropped_for_a_reason(wired6, host, ip, addresses, reason) -> None:
    src, dst = addresses(ip)
    assert say(wired6, ip.header(src, dst) / UDP(sport=9, dport=9) / b"x") == {reason: 1}
    assert heard(wired6) == []


@pytest.mark.parametrize("cut", [13, 14, 20, 33, 40, 53])
def test_cut_frames_are_dropped_for_a_reason(wired6, host, ip, cut) -> None:
    frame = bytes(ETHER / ip.header(ip.bob, ip.alice) / echo(ip))
    lost = say(wired6, frame[:cut])
    assert lost.keys() <= {
        DropReason.MALFORMED,
        DropReason.UNKNOWN_PROTOCOL,
        DropReason.BAD_CHECKSUM,
    }
    assert sum(lost.values()) == 1 or cut > 42


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_mutated_fragments_are_accounted_for(wired6, host, ip, data) -> None:
    parts = fragments(ip, ip.header(ip.bob, ip.alice) / echo(ip, bytes(300)), 88)
    for part in data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=6)):
        frame = bytearray(bytes(ETHER / part))
        if data.draw(st.booleans()):
            frame[data.draw(st.integers(14, len(frame) - 1))] = data.draw(st.integers(0, 255))
        wired6.wire.say(bytes(frame))
    assert wired6.world.ledger.imbalance() == 0


class TestExtensionHeaders:
    """Of IPv6 only."""

    SRC, DST = "2001:db8::2", "2001:db8::1"

    def packet(self, *headers, dst: str = DST):
        packet = IPv6(src=self.SRC, dst=dst)
        for header in headers:
            packet /= header
        return packet / ICMPv6EchoRequest(id=1, seq=2, data=b"x")

    @pytest.mark.parametrize(
        "headers",
        [
            (IPv6ExtHdrHopByHop(options=[HBHOptUnknown(otype=0x1E, optdata=b"x")]),),
            (IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1E, optdata=b"x")]),),
            (IPv6ExtHdrRouting(type=0, segleft=0, addresses=["2001:db8::9"]),),
            (IPv6ExtHdrFragment(id=9),),
            (IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(id=9)),
        ],
        ids=["a hop-by-hop option to skip", "a destination option to skip",
             "a routing header that is done with", "an atomic fragment", "many"],
    )  # fmt: skip
    def test_what_need_not_be_known_is_skipped(self, known, headers) -> None:
        assert say(known, self.packet(*headers)) == {}
        assert ICMPv6EchoReply in heard(known)[0]

    @pytest.mark.parametrize(
        ("kind", "told"), [(0x5E, False), (0x9E, True), (0xDE, True)],
        ids=["discard", "report", "report unless multicast"],
    )  # fmt: skip
    def test_an_unknown_option_that_forbids_it_ends_the_packet(self, known, kind, told) -> None:
        header = IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=kind, optdata=b"x")])
        assert say(known, self.packet(header)) == {DropReason.UNKNOWN_OPTION: 1}
        errors = [one[ICMPv6ParamProblem] for one in heard(known)]
        assert [(one.code, one.ptr) for one in errors] == ([(2, 42)] if told else [])

    @pytest.mark.parametrize(("kind", "told"), [(0x9E, True), (0xDE, False)])
    def test_of_a_packet_to_a_group_one_kind_is_told(self, known, kind, told) -> None:
        header = IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=kind, optdata=b"x")])
        frame = Ether(dst="33:33:00:00:00:01", src=WIRE) / self.packet(header, dst="ff02::1")
        assert say(known, bytes(frame)) == {DropReason.UNKNOWN_OPTION: 1}
        assert bool(heard(known)) == told

    @pytest.mark.parametrize("kind", [0, 2, 253])
    def test_a_routing_header_is_not_followed(self, known, kind) -> None:
        header = IPv6ExtHdrRouting(type=kind, segleft=1, addresses=["2001:db8::9"])
        assert say(known, self.packet(header)) == {DropReason.SOURCE_ROUTED: 1}
        [error] = heard(known)
        assert (error[ICMPv6ParamProblem].code, error[ICMPv6ParamProblem].ptr) == (0, 42)

    def test_hop_by_hop_options_in_the_wrong_place_are_told_of(self, known) -> None:
        packet = self.packet(IPv6ExtHdrDestOpt(), IPv6ExtHdrHopByHop())
        assert say(known, packet) == {DropReason.UNKNOWN_PROTOCOL: 1}
        [error] = heard(known)
        assert (error[ICMPv6ParamProblem].code, error[ICMPv6ParamProblem].ptr) == (1, 40)

    def test_nothing_behind_the_headers_is_nothing(self, known) -> None:
        assert say(known, IPv6(src=self.SRC, dst=self.DST, nh=59)) == {
            DropReason.UNKNOWN_PROTOCOL: 1
        }
        assert heard(known) == []

    def test_hop_limit_0_is_taken_at_its_destination(self, known) -> None:
        packet = IPv6(src=self.SRC, dst=self.DST, hlim=0) / ICMPv6EchoRequest(data=b"x")
        assert say(known, packet) == {}

    def test_a_datagram_without_a_checksum_is_dropped(self, known) -> None:
        packet = IPv6(src=self.SRC, dst=self.DST) / UDP(sport=7, dport=9, chksum=0) / b"x"
        assert say(known, packet) == {DropReason.BAD_CHECKSUM: 1}

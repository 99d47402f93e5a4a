"""What a host does with frames, one at a time; and that none gets lost, whatever is in it."""

from __future__ import annotations

from ipaddress import IPv4Interface

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP, IPOption_LSRR
from scapy.layers.l2 import ARP, Dot1Q, Ether

from sdnvirt.addresses import Ipv4
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.icmp import ERROR_BURST
from sdnvirt.host.routes import NoRoute, TooBig
from sdnvirt.host.udp import UdpSocket

ALICE, WIRE = "02:00:00:00:00:01", "02:00:00:00:00:02"
BROADCAST = "ff:ff:ff:ff:ff:ff"
A, B = "10.0.0.1", "10.0.0.2"
ETHER = Ether(dst=ALICE, src=WIRE)
TO_ALL = Ether(dst=BROADCAST, src=WIRE)


def who_has(target: str = A, **fields) -> bytes:
    return bytes(TO_ALL / ARP(op=1, hwsrc=WIRE, psrc=B, pdst=target, **fields))


def echo(**ip) -> bytes:
    return bytes(ETHER / IP(**{"src": B, "dst": A, **ip}) / ICMP(id=1, seq=2) / b"data")


def datagram(port: int = 9, ether=ETHER, **ip) -> bytes:
    return bytes(ether / IP(**{"src": B, "dst": A, **ip}) / UDP(sport=7, dport=port) / b"hello")


def broken(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def answers(wired, data: bytes) -> list:
    """Let the wire introduce itself, say something, and return what it hears as scapy packets."""
    wired.wire.say(who_has())
    wired.wire.listen()
    wired.wire.say(data)
    return [Ether(heard) for heard in wired.wire.listen()]


def test_an_arp_request_is_answered(wired) -> None:
    wired.wire.say(who_has(), cause=5)
    [reply] = [Ether(heard) for heard in wired.wire.listen()]
    assert (reply.dst, reply.src) == (WIRE, ALICE)
    assert (reply[ARP].op, reply[ARP].hwsrc, reply[ARP].psrc) == (2, ALICE, A)
    assert (reply[ARP].hwdst, reply[ARP].pdst) == (WIRE, B)
    assert wired.wire.frames[0].provenance.cause == 5


def test_an_address_probe_is_answered_and_not_learned(wired) -> None:
    wired.wire.say(bytes(TO_ALL / ARP(op=1, hwsrc=WIRE, psrc="0.0.0.0", pdst=A)))
    assert len(wired.wire.listen()) == 1
    assert len(wired.host.interface.neighbours) == 0


def test_an_echo_request_is_answered_with_the_same_data(wired) -> None:
    [reply] = answers(wired, echo())
    assert (reply[IP].src, reply[IP].dst) == (A, B)
    assert (reply[ICMP].type, reply[ICMP].id, reply[ICMP].seq) == (0, 1, 2)
    assert bytes(reply[ICMP].payload) == b"data"
    checksum = reply[ICMP].chksum
    del reply[ICMP].chksum
    assert Ether(bytes(reply))[ICMP].chksum == checksum


def test_padding_is_not_payload(wired) -> None:
    [reply] = answers(wired, echo().ljust(60, b"\0"))
    assert reply[IP].len == 32


def test_a_closed_port_is_told_of_with_the_packet_quoted(wired) -> None:
    [error] = answers(wired, datagram(9))
    assert (error[ICMP].type, error[ICMP].code) == (3, 3)
    assert bytes(error[ICMP].payload) == datagram(9)[14:]


def test_an_unknown_protocol_is_told_of(wired) -> None:
    [error] = answers(wired, bytes(ETHER / IP(src=B, dst=A, proto=99) / b"x"))
    assert (error[ICMP].type, error[ICMP].code) == (3, 2)


@pytest.mark.parametrize(
    "about",
    [
        bytes(ETHER / IP(src=B, dst=A) / ICMP(type=3, code=3) / IP(src=A, dst=B, proto=99)),
        datagram(9, TO_ALL, dst="10.0.0.255"),
        datagram(9, TO_ALL, dst="255.255.255.255"),
        datagram(9, TO_ALL),
        datagram(9, src="0.0.0.0"),
        datagram(9, src="127.0.0.1"),
        datagram(9, src="240.0.0.1"),
    ],
    ids=["an error", "a subnet broadcast", "a broadcast", "a broadcast frame", "nobody",
         "loopback", "class E"],
)  # fmt: skip
def test_no_errors_about_these(wired, about: bytes) -> None:
    assert answers(wired, about) == []


def test_errors_are_limited(wired) -> None:
    wired.wire.say(who_has())
    wired.wire.listen()
    frame = datagram(9)
    for _ in range(3 * ERROR_BURST):
        wired.wire.ports[1].send(wired.world.originate(frame, "wire"))
    assert len(wired.wire.listen()) == ERROR_BURST
    wired.world.scheduler.run_until(10**9)
    wired.wire.say(frame)
    assert len(wired.wire.listen()) == 1


DROPS = {
    "another MAC address": (bytes(Ether(dst=WIRE, src=ALICE) / ARP()), DropReason.NOT_FOR_ME_L2),
    "a multicast": (bytes(Ether(dst="01:00:5e:00:00:01") / IP()), DropReason.NOT_FOR_ME_L2),
    "another's ARP": (who_has("10.0.0.77"), DropReason.NOT_MY_ARP),
    "another's address": (echo(dst="10.0.0.77"), DropReason.NOT_FOR_ME_L3),
    "unicast in a broadcast frame": (datagram(9, TO_ALL), DropReason.NOT_FOR_ME_L2),
    "an echo to all": (echo(dst="10.0.0.255"), DropReason.NOT_FOR_ME_L3),
    "a VLAN tag": (bytes(ETHER / Dot1Q(vlan=5) / IP()), DropReason.UNKNOWN_PROTOCOL),
    "an unknown EtherType": (bytes(ETHER)[:12] + b"\x88\xb5" + b"x", DropReason.UNKNOWN_PROTOCOL),
    "RARP": (bytes(ETHER / ARP(op=3)), DropReason.UNKNOWN_PROTOCOL),
    "ARP from a group": (
        bytes(ETHER / ARP(op=2, hwsrc=BROADCAST, psrc=B, pdst=A)), DropReason.MALFORMED,
    ),
    "half a header": (bytes(ETHER)[:13], DropReason.MALFORMED),
    "half an ARP packet": (who_has()[:30], DropReason.MALFORMED),
    "half an IP header": (echo()[:30], DropReason.MALFORMED),
    "a bad IP checksum": (broken(echo(), 24), DropReason.BAD_CHECKSUM),
    "a bad ICMP checksum": (broken(echo(), 36), DropReason.BAD_CHECKSUM),
    "a bad UDP checksum": (broken(datagram(), 40), DropReason.BAD_CHECKSUM),
    "a fragment that is too long": (echo(frag=0x1FFF), DropReason.FRAGMENT_MISFIT),
    "a fragment of 12 bytes": (echo(flags="MF"), DropReason.FRAGMENT_MISFIT),
    "our own address": (echo(src=A), DropReason.MARTIAN),
    "a land attack": (datagram(9, src=A), DropReason.MARTIAN),
    "from a group": (echo(src="224.0.0.1"), DropReason.MARTIAN),
    "from everybody": (echo(src="255.255.255.255"), DropReason.MARTIAN),
    "from the subnet's everybody": (echo(src="10.0.0.255"), DropReason.MARTIAN),
    "from loopback": (echo(src="127.0.0.1"), DropReason.MARTIAN),
    "from class E": (echo(src="240.0.0.1"), DropReason.MARTIAN),
    "from this network": (echo(src="0.0.0.5"), DropReason.MARTIAN),
    "TTL 0": (echo(ttl=0), DropReason.TTL_EXPIRED),
    "a loose source route": (
        echo(options=[IPOption_LSRR(routers=[B])]), DropReason.SOURCE_ROUTED,
    ),
    "a closed port": (datagram(), DropReason.PORT_UNREACHABLE),
    "an answer nobody waits for": (
        bytes(ETHER / IP(src=B, dst=A) / ICMP(type=0, id=9)), DropReason.ICMP_UNEXPECTED,
    ),
    "an error about nothing of ours": (
        bytes(ETHER / IP(src=B, dst=A) / ICMP(type=3) / IP(src=A, dst=B) / UDP(sport=5)),
        DropReason.ICMP_UNEXPECTED,
    ),
    "an error that quotes rubbish": (
        bytes(ETHER / IP(src=B, dst=A) / ICMP(type=3) / b"rubbish"), DropReason.MALFORMED,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), DROPS.values(), ids=DROPS)
def test_dropped_for_one_reason(wired, data: bytes, reason: DropReason) -> None:
    wired.wire.say(data)
    assert wired.world.ledger.by_reason() == {reason: 1}


def test_without_an_address_nothing_is_taken(wired) -> None:
    wired.host.unconfigure()
    wired.wire.say(who_has())
    wired.wire.say(echo())
    assert wired.world.ledger.by_reason() == {DropReason.NO_ADDRESS: 2}


@pytest.mark.parametrize("data", [echo(), who_has(), *(data for data, _ in DROPS.values())])
def test_explaining_agrees_with_receiving_and_changes_nothing(wired, data: bytes) -> None:
    port = wired.host.ports[1]
    [line] = wired.host.explain(port, Frame(data))
    assert wired.world.ledger.dropped == 0
    wired.wire.say(data)
    [reason] = wired.world.ledger.by_reason() or [None]
    if reason is not None and reason.value in line:
        return
    assert "takes the frame" in line  # what is inside may still be wrong
    assert reason not in (DropReason.NOT_FOR_ME_L2, DropReason.NO_ADDRESS)


def test_an_announcement_moves_a_known_neighbour(wired) -> None:
    wired.wire.say(who_has())
    other = "02:00:00:00:00:99"
    announcement = TO_ALL / ARP(op=1, hwsrc=other, psrc=B, pdst=B)
    wired.wire.say(bytes(announcement))
    wired.wire.listen()
    wired.host.start_ping(Ipv4(B), count=1)
    assert [Ether(heard).dst for heard in wired.wire.listen()] == [other, other]
    assert wired.world.ledger.dropped == 0


def test_a_gateways_error_reaches_the_ping(wired) -> None:
    wired.host.configure(IPv4Interface(f"{A}/24"), gateway=Ipv4(B))
    wired.wire.say(who_has())
    wired.wire.listen()
    ping = wired.host.start_ping(Ipv4("192.0.2.9"), count=1)
    [request] = [Ether(heard) for heard in wired.wire.listen()]
    assert request.dst == WIRE
    wired.wire.say(bytes(ETHER / IP(src=B, dst=A) / ICMP(type=11) / bytes(request[IP])[:28]))
    assert ping.done
    assert ping.result().errors == (f"from {B}: time to live exceeded",)


def test_a_longer_prefix_wins_over_the_gateway(wired) -> None:
    host = wired.host
    host.configure(IPv4Interface(f"{A}/24"), gateway=Ipv4("10.0.0.254"))
    assert [route.gateway for route in host.routes] == [None, Ipv4("10.0.0.254")]
    for dst in ("224.0.0.1", "0.0.0.0", "255.255.255.254"):
        assert host.ip.send(Ipv4(dst), 17, b"") == NoRoute(Ipv4(dst))
    assert host.ip.send(Ipv4("127.0.0.1"), 17, b"") is None  # to itself
    assert wired.wire.listen() == []


class TestUdp:
    def test_a_socket_gets_what_comes_to_its_port(self, pair) -> None:
        got: list[tuple] = []
        UdpSocket(pair.bob, 9, lambda *datagram: got.append(datagram))
        client = UdpSocket(pair.alice, 0, lambda *_: None)
        assert client.send(Ipv4(B), 9, b"hello", cause=3) is None
        pair.run(1)
        assert got == [(Ipv4(A), client.port, b"hello", 3)]
        assert pair.world.ledger.dropped == 0

    def test_two_sockets_talk(self, pair) -> None:
        got = []
        server = UdpSocket(
            pair.bob, 9, lambda src, port, data, cause: server.send(src, port, data[::-1], cause)
        )
        client = UdpSocket(pair.alice, 0, lambda *datagram: got.append(datagram))
        client.send(Ipv4(B), 9, b"abc", cause=3)
        pair.run(1)
        assert got == [(Ipv4(B), 9, b"cba", 3)]

    def test_errors_reach_the_socket(self, pair) -> None:
        errors: list[str] = []
        client = UdpSocket(pair.alice, 0, lambda *_: None, on_error=errors.append)
        client.send(Ipv4(B), 9, b"hello")
        client.send(Ipv4("10.0.0.13"), 9, b"hello")
        pair.run(4)
        assert errors == ["from 10.0.0.2: destination port unreachable", "10.0.0.13: no ARP answer"]

    def test_broadcasts_reach_all_that_listen(self, pair) -> None:
        got: list[tuple] = []
        UdpSocket(pair.bob, 9, lambda *datagram: got.append(datagram))
        client = UdpSocket(pair.alice, 0, lambda *_: None)
        client.send(Ipv4("255.255.255.255"), 9, b"all")
        client.send(Ipv4("10.0.0.255"), 9, b"subnet")
        pair.run(1)
        assert [payload for _, _, payload, _ in got] == [b"all", b"subnet"]

    def test_too_big_is_told_to_the_sender(self, pair) -> None:
        client = UdpSocket(pair.alice, 0, lambda *_: None)
        assert client.send(Ipv4(B), 9, bytes(1473)) == TooBig(1501, 1500)
        assert pair.world.ledger.sent == 0

    def test_a_closed_socket_is_closed(self, pair) -> None:
        UdpSocket(pair.bob, 9, lambda *_: None).close()
        UdpSocket(pair.alice, 0, lambda *_: None).send(Ipv4(B), 9, b"")
        pair.run(1)
        assert pair.world.ledger.by_reason() == {DropReason.PORT_UNREACHABLE: 1}


VALID = [who_has(), echo(), datagram(), datagram(68), bytes(ETHER / ARP(op=2, psrc=B, pdst=A))]


@pytest.mark.parametrize("configured", [True, False])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80), st.sampled_from([b"", bytes(ETHER)[:12], bytes(TO_ALL)[:12]]))
def test_rubbish_is_dropped(wired, configured: bool, rubbish: bytes, header: bytes) -> None:
    if not configured:
        wired.host.unconfigure()
    wired.wire.say(header + rubbish)
    assert wired.world.ledger.imbalance() == 0


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(VALID), st.data())
def test_mutated_frames_are_accounted_for(wired, frame: bytes, draw) -> None:
    mutated = bytearray(frame)
    for _ in range(draw.draw(st.integers(1, 4))):
        mutated[draw.draw(st.integers(12, len(frame) - 1))] = draw.draw(st.integers(0, 255))
    wired.wire.say(bytes(mutated[: draw.draw(st.integers(0, len(frame)))]))
    assert wired.world.ledger.imbalance() == 0

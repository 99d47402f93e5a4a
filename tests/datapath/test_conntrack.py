"""Connection tracking as a pure machine: packets and times in, verdicts out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from sdnvirt.datapath.conntrack import table as conntrack
from sdnvirt.datapath.conntrack.connection import (
    OTHER_ANSWERED_NS,
    OTHER_ASKED_NS,
    TCP_CLOSED_NS,
    TCP_ESTABLISHED_NS,
    TCP_OPENING_NS,
)
from sdnvirt.datapath.conntrack.packets import read_packet
from sdnvirt.datapath.conntrack.table import ConnectionTable, Request
from sdnvirt.openflow.nicira.conntrack import Nat, Range
from sdnvirt.openflow.nicira.constants import NXNAT, CtState

NEW, EST, REL, RPL, INV, TRK, SNAT, DNAT = CtState
COMMIT = Request(commit=True)
CLIENT, SERVER, PUBLIC, ROUTER = "10.0.0.1", "192.0.2.1", "203.0.113.1", "198.51.100.7"


def number(address: str) -> int:
    return int.from_bytes(bytes(map(int, address.split("."))), "big")


def tcp(flags: str, back: bool = False, port: int = 5000) -> Packet:
    if back:
        return Ether() / IP(src=SERVER, dst=CLIENT) / TCP(sport=80, dport=port, flags=flags)
    return Ether() / IP(src=CLIENT, dst=SERVER) / TCP(sport=port, dport=80, flags=flags)


def udp(back: bool = False, src: str = CLIENT, port: int = 5000) -> Packet:
    if back:
        return Ether() / IP(src=SERVER, dst=src) / UDP(sport=53, dport=port) / b"answer"
    return Ether() / IP(src=src, dst=SERVER) / UDP(sport=port, dport=53) / b"question"


class Tracker:
    """A table, packets of scapy's and the time in nanoseconds."""

    def __init__(self) -> None:
        self.table = ConnectionTable()
        self.now = 0
        self.sent: Packet = Ether()

    def __call__(self, packet: Packet, request: Request = COMMIT) -> CtState:
        data = bytes(packet)
        expected = self.table.peek(data, request) if self.table._now == self.now else None
        verdict = self.table.track(data, request, self.now)
        assert expected in (None, verdict)
        self.sent = Ether(verdict.data)
        again = Ether(verdict.data)
        for layer in again.iterpayloads():
            if "chksum" in layer.fields:
                del layer.chksum
        assert bytes(again) == verdict.data, "checksums are right"
        return CtState(verdict.state)


@pytest.fixture
def track() -> Tracker:
    return Tracker()


def test_nothing_is_remembered_without_commit(track: Tracker) -> None:
    for _ in range(2):
        assert track(udp(), Request()) == TRK | NEW
    assert track(udp(back=True), Request()) == TRK | NEW
    assert list(track.table) == []


def test_a_connection_is_established_when_it_was_answered(track: Tracker) -> None:
    assert track(udp()) == TRK | NEW
    assert track(udp()) == TRK | NEW
    assert track(udp(back=True), Request()) == TRK | EST | RPL
    assert track(udp(), Request()) == TRK | EST
    assert len(list(track.table)) == 1


def test_zones_have_nothing_to_do_with_each_other(track: Tracker) -> None:
    track(udp(), Request(zone=1, commit=True))
    assert track(udp(back=True), Request(zone=2)) == TRK | NEW
    assert track(udp(back=True), Request(zone=1)) == TRK | EST | RPL


def test_a_connection_is_forgotten_after_its_timeout(track: Tracker) -> None:
    track(udp())
    track.now = OTHER_ASKED_NS - 1
    assert track(udp(back=True), Request()) == TRK | EST | RPL
    track.now += OTHER_ANSWERED_NS - 1
    assert track(udp(), Request()) == TRK | EST
    track.now += OTHER_ANSWERED_NS
    assert track(udp(), Request()) == TRK | NEW
    assert list(track.table) == []


def test_tcp_from_handshake_to_end(track: Tracker) -> None:
    assert track(tcp("S")) == TRK | NEW
    assert track(tcp("SA", back=True)) == TRK | EST | RPL
    assert track(tcp("A")) == TRK | EST
    (connection,) = track.table
    assert connection.expires_ns == TCP_ESTABLISHED_NS
    assert track(tcp("FA")) == TRK | EST
    assert track(tcp("FA", back=True)) == TRK | EST | RPL
    assert track(tcp("A")) == TRK | EST
    (connection,) = track.table
    assert connection.expires_ns == TCP_CLOSED_NS
    assert track(tcp("S")) == TRK | NEW, "the next connection with these ports"


def test_a_reset_ends_tcp(track: Tracker) -> None:
    track(tcp("S"))
    (connection,) = track.table
    assert connection.expires_ns == TCP_OPENING_NS
    assert track(tcp("RA", back=True)) == TRK | EST | RPL
    (connection,) = track.table
    assert connection.expires_ns == TCP_CLOSED_NS


@pytest.mark.parametrize("flags", ["", "F", "P", "SF", "SR", "FPU", "SA"])
def test_no_connection_begins_with_such_a_segment(track: Tracker, flags: str) -> None:
    assert track(tcp(flags)) == TRK | INV


def test_tcp_under_way_is_picked_up(track: Tracker) -> None:
    assert track(tcp("A")) == TRK | NEW
    assert track(tcp("A", back=True)) == TRK | EST | RPL


def test_an_echo_reply_begins_nothing(track: Tracker) -> None:
    ask = Ether() / IP(src=CLIENT, dst=SERVER) / ICMP(id=7) / b"ping"
    answer = Ether() / IP(src=SERVER, dst=CLIENT) / ICMP(type=0, id=7) / b"ping"
    other = Ether() / IP(src=SERVER, dst=CLIENT) / ICMP(type=0, id=8) / b"ping"
    assert track(answer) == TRK | INV
    assert track(ask) == TRK | NEW
    assert track(answer) == TRK | EST | RPL
    assert track(other) == TRK | INV


@pytest.mark.parametrize(
    "packet",
    [
        Ether() / ARP(),
        Ether() / IP(frag=5) / UDP(),
        Ether() / IP(proto=6) / b"short",
        Ether() / IP() / ICMP(type=3) / b"",
    ],
)
def test_what_has_no_connection_is_invalid(track: Tracker, packet: Packet) -> None:
    assert track.table.track(bytes(packet), COMMIT, 0).state == TRK | INV


def test_marks_and_labels_belong_to_the_connection(track: Tracker) -> None:
    track(udp(), Request(commit=True, mark=(0x12, 0xFF), label=(1 << 100, (1 << 128) - 1)))
    track(udp(), Request(commit=True, mark=(0x300, 0xF00)))
    verdict = track.table.track(bytes(udp(back=True)), Request(), 0)
    assert (verdict.mark, verdict.label) == (0x312, 1 << 100)


def test_force_begins_a_connection_from_the_other_side(track: Tracker) -> None:
    track(udp())
    assert track(udp(back=True), Request(commit=True, force=True)) == TRK | NEW
    assert track(udp(), Request()) == TRK | EST | RPL


def source_nat(first: str = PUBLIC, last: str | None = None, **more: Any) -> Request:
    nat = Nat(NXNAT.SRC, Range(number(first), number(last or first)), **more)
    return Request(commit=True, nat=nat)


APPLY = Request(nat=Nat())


def test_source_translation_and_back(track: Tracker) -> None:
    assert track(udp(), source_nat()) == TRK | NEW | SNAT
    assert (track.sent[IP].src, track.sent[UDP].sport) == (PUBLIC, 5000)
    assert track(udp(back=True, src=PUBLIC), APPLY) == TRK | EST | RPL | DNAT
    assert (track.sent[IP].dst, track.sent[UDP].dport) == (CLIENT, 5000)
    assert track(udp(), APPLY) == TRK | EST | SNAT
    assert track.sent[IP].src == PUBLIC


def test_translation_happens_only_where_it_is_asked_for(track: Tracker) -> None:
    track(udp(), source_nat())
    assert track(udp(), Request()) == TRK | NEW
    assert track.sent[IP].src == CLIENT


def test_clients_with_one_port_get_ports_of_their_own(track: Tracker) -> None:
    track(udp(src="10.0.0.1"), source_nat())
    track(udp(src="10.0.0.2"), source_nat())
    assert track.sent[IP].src == PUBLIC
    other = track.sent[UDP].sport
    assert other != 5000
    track(udp(back=True, src=PUBLIC, port=other), APPLY)
    assert (track.sent[IP].dst, track.sent[UDP].dport) == ("10.0.0.2", 5000)


def test_translation_into_a_range_of_ports_that_runs_out(track: Tracker) -> None:
    ports = set()
    for port in (1, 2, 3):
        assert track(udp(port=port), source_nat(ports=Range(7000, 7002))) & SNAT
        ports.add(track.sent[UDP].sport)
    assert ports == {7000, 7001, 7002}
    assert track(udp(port=4), source_nat(ports=Range(7000, 7002))) == TRK | INV


def test_destination_translation_and_back(track: Tracker) -> None:
    nat = Nat(NXNAT.DST, Range(number("10.9.9.9"), number("10.9.9.9")), ports=Range(8080, 8080))
    assert track(tcp("S"), Request(commit=True, nat=nat)) == TRK | NEW | DNAT
    assert (track.sent[IP].dst, track.sent[TCP].dport) == ("10.9.9.9", 8080)
    back = Ether() / IP(src="10.9.9.9", dst=CLIENT) / TCP(sport=8080, dport=5000, flags="SA")
    assert track(back, APPLY) == TRK | EST | RPL | SNAT
    assert (track.sent[IP].src, track.sent[TCP].sport) == (SERVER, 80)


def test_a_persistent_translation_gives_a_client_one_address(track: Tracker) -> None:
    request = Request(
        commit=True,
        nat=Nat(NXNAT.SRC | NXNAT.PERSISTENT, Range(number(PUBLIC), number(PUBLIC) + 50)),
    )
    addresses = set()
    for port in range(1, 20):
        track(udp(port=port), request)
        addresses.add(track.sent[IP].src)
    assert len(addresses) == 1


def test_an_error_is_related_and_translated_with_what_it_is_about(track: Tracker) -> None:
    track(udp(), source_nat())
    outside = IP(bytes(track.sent[IP]))
    error = Ether() / IP(src=ROUTER, dst=PUBLIC) / ICMP(type=3, code=1) / Raw(bytes(outside)[:28])
    verdict = track.table.track(bytes(error), APPLY, 0)
    assert verdict.state == TRK | REL | RPL | DNAT
    sent = Ether(verdict.data)
    assert (sent[IP].src, sent[IP].dst) == (ROUTER, CLIENT)
    about = IP(bytes(sent[ICMP].payload))
    assert (about.src, about.dst, about.payload.sport) == (CLIENT, SERVER, 5000)
    assert bytes(about)[:28] == bytes(udp()[IP])[:28], "as the client sent it, checksums included"
    del sent[ICMP].chksum, sent[IP].chksum
    assert bytes(sent) == verdict.data


def test_errors_of_ipv6_are_related(track: Tracker) -> None:
    ask = Ether() / IPv6(src="fc00::1", dst="fc00::2") / ICMPv6EchoRequest(id=3)
    assert track(ask) == TRK | NEW
    error = Ether() / IPv6(src="fc00::9", dst="fc00::1") / ICMPv6DestUnreach() / bytes(ask[IPv6])
    assert track.table.track(bytes(error), Request(), 0).state == TRK | REL | RPL


def test_an_error_about_nothing_known_is_invalid(track: Tracker) -> None:
    error = Ether() / IP(src=ROUTER, dst=CLIENT) / ICMP(type=11) / Raw(bytes(udp()[IP]))
    assert track.table.track(bytes(error), Request(), 0).state == TRK | INV


def test_a_full_table_loses_packets_until_connections_end(
    track: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conntrack, "CONNECTIONS_LIMIT", 2)
    for port in (1, 2):
        track(udp(port=port))
    verdict = track.table.track(bytes(udp(port=3)), COMMIT, 0)
    assert verdict.full
    assert track(udp(port=1, back=True), Request()) == TRK | EST | RPL
    track.now = OTHER_ASKED_NS
    assert not track.table.track(bytes(udp(port=3)), COMMIT, track.now).full


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=30))
def test_two_connections_never_share_their_answers(packets: list[tuple[int, bool]]) -> None:
    track = Tracker()
    request = source_nat(ports=Range(7000, 7001))
    for client, persistent in packets:
        flags = NXNAT.SRC | (NXNAT.PERSISTENT if persistent else 0)
        assert request.nat is not None
        nat = Nat(int(flags), request.nat.ipv4, ports=request.nat.ports)
        track(udp(src=f"10.0.0.{client}"), Request(commit=True, nat=nat))
    replies = [connection.reply for connection in track.table]
    assert len(set(replies)) == len(replies) <= 2


@given(st.binary(max_size=120), st.sampled_from([b"\x08\x00", b"\x86\xdd", b"\x08\x06"]))
def test_whatever_the_bytes_are_there_is_a_verdict(payload: bytes, ethertype: bytes) -> None:
    data = bytes(12) + ethertype + payload
    verdict = ConnectionTable().track(data, source_nat(), 0)
    assert verdict.state & TRK
    packet = read_packet(data)
    assert (verdict.state & INV > 0) or packet is not None

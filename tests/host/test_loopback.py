"""A host speaks to itself by its loopback interface, and no cable hears of it."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface

import pytest
from scapy.layers.inet import UDP

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.host.families import FAMILIES
from sdnvirt.host.icmp import Problem
from sdnvirt.host.loopback import WAY, Loopback
from sdnvirt.host.paths import LocalPath
from sdnvirt.host.routes import NoRoute
from sdnvirt.host.stack import Host
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.udp import UdpSocket

LOCALHOST = {"IPv4": Ipv4("127.0.0.1"), "IPv6": Ipv6("::1")}
ECHO_NS = 2 * WAY.delay_ns


@pytest.fixture
def quiet(wired6):
    """One host, of both versions of IP; whatever it says on its cable fails the test."""
    yield wired6
    assert wired6.wire.listen() == []


def run(wired, seconds: float = 1.0) -> None:
    wired.world.scheduler.run_until(wired.world.scheduler.now + int(seconds * 1e9))


def own(ip, which: str):
    return ip.alice if which == "own" else LOCALHOST[ip.name]


@pytest.fixture(params=["localhost", "own"])
def address(request, ip):
    """127.0.0.1 or ::1, and an address of another interface of the host."""
    return own(ip, request.param)


def test_an_echo_comes_back_in_its_time(quiet, address) -> None:
    ping = quiet.host.start_ping(address, 2)
    run(quiet, 3)
    result = ping.result()
    assert result.received == 2
    assert all(ECHO_NS <= rtt < ECHO_NS + 1000 for rtt in result.rtts_ns)


def test_the_port_counts_and_taps_see(quiet, address) -> None:
    seen: list[bytes] = []

    class Tap:
        def received(self, port, frame) -> None:
            seen.append(frame.data)

        def sent(self, port, frame) -> None: ...

    lo = quiet.host.loopback
    lo.port.taps = (Tap(),)
    quiet.host.start_ping(address, 1)
    run(quiet)
    assert (lo.port.tx_packets, lo.port.rx_packets, len(seen)) == (2, 2, 2)
    assert all(data[:12] == bytes(12) for data in seen)
    assert quiet.world.ledger.delivered == quiet.world.ledger.sent - quiet.world.ledger.dropped


def test_a_datagram(quiet, ip, address) -> None:
    got = []
    UdpSocket(quiet.host, 7, lambda src, port, data, _cause: got.append((src, port, data)))
    sender = UdpSocket(quiet.host, 0, lambda *_: None)
    assert sender.send(address, 7, b"hello") is None
    run(quiet)
    assert got == [(address, sender.port, b"hello")]


def test_a_datagram_to_a_closed_port_is_told_of(quiet, address) -> None:
    told = []
    socket = UdpSocket(quiet.host, 0, lambda *_: None)
    socket.on_report = lambda dst, port, report: told.append((dst, port, report.problem))
    socket.send(address, 9, b"anybody?")
    run(quiet)
    assert told == [(address, 9, Problem.PORT)]


def test_a_connection(quiet, address) -> None:
    data, got = bytes(range(256)) * 1000, []

    def accept(connection) -> None:
        connection.on_data = got.append

    quiet.host.tcp.listen(80, accept)
    connection = quiet.host.tcp.connect(address, 80)
    run(quiet)
    connection.write(data)
    run(quiet)
    assert b"".join(got) == data
    assert connection.local[0] == address


def test_a_connection_to_a_closed_port_is_refused(quiet, address) -> None:
    connection = quiet.host.tcp.connect(address, 81)
    run(quiet)
    assert connection.machine.loss is Loss.REFUSED


def test_the_largest_packets_fit(quiet, ip, address) -> None:
    path = quiet.host.ip.path(address)
    assert isinstance(path, LocalPath)
    assert path.mtu == (65535 if ip.is_v4 else 65536)
    ping = quiet.host.start_ping(address, 1, size=65507 if ip.is_v4 else 65480)
    run(quiet)
    assert ping.result().received == 1
    assert quiet.host.loopback.port.tx_packets == 2


def test_all_of_127_is_this_host(quiet) -> None:
    """RFC 1122, 3.2.1.3 g."""
    path = quiet.host.ip.path(Ipv4("127.200.0.9"))
    assert isinstance(path, LocalPath)
    assert path.src == Ipv4("127.0.0.1")
    ping = quiet.host.start_ping(Ipv4("127.200.0.9"), 1)
    run(quiet)
    assert ping.result().received == 1


def test_nothing_goes_out_with_a_loopback_address(quiet, ip) -> None:
    """RFC 1122, 3.2.1.3 g; RFC 4291, 2.5.3: not outside of a single node."""
    assert quiet.host.ip.path(ip.bob, LOCALHOST[ip.name]) == NoRoute(ip.bob)
    assert quiet.host.tcp.connect(ip.bob, 80, local_address=LOCALHOST[ip.name]) is (
        Loss.NETWORK_UNREACHABLE
    )


def test_one_that_forwards_takes_none_from_a_cable(routed, ip) -> None:
    got = []
    UdpSocket(routed.router, 7, lambda *_: got.append(1))
    lo = routed.router.loopback
    packet = bytes(ip.header(ip.alice, LOCALHOST[ip.name]) / UDP(sport=9, dport=7) / b"x")
    ethertype = FAMILIES[type(ip.alice)].ethertype
    routed.alice.interface.transmit(ethertype, routed.router.interfaces[1].mac, packet, 0)
    routed.run(1)
    assert (got, lo.port.rx_packets) == ([], 0)
    assert routed.world.ledger.by_reason()[DropReason.NOT_FORWARDED] == 1


def test_a_host_without_ipv6_has_no_such_address(wired) -> None:
    assert list(wired.host.loopback.addresses) == [Ipv4("127.0.0.1")]
    assert wired.host.ip.path(Ipv6("::1")) == NoRoute(Ipv6("::1"))
    wired.host.enable_ipv6()
    assert isinstance(wired.host.ip.path(Ipv6("::1")), LocalPath)


def test_a_host_without_an_address_reaches_itself() -> None:
    world = World(seed=1)
    host = Host("alice", world)
    ping = host.start_ping(Ipv4("127.0.0.1"), 1)
    world.scheduler.run_until(10**9)
    assert ping.result().received == 1


def test_it_is_made_when_it_is_needed(wired) -> None:
    assert not any(isinstance(one, Loopback) for one in wired.host.interfaces.values())
    assert wired.host.interface is wired.host.interfaces[1]
    assert isinstance(wired.host.loopback, Loopback)
    assert wired.host.interface is wired.host.interfaces[1]
    assert wired.host.loopback not in list(wired.host.all_interfaces())


def test_an_address_that_comes_or_goes_is_the_hosts_or_not(quiet) -> None:
    new = Ipv4("10.7.0.1")
    assert quiet.host.ip.owner(new) is None
    quiet.host.add_address(IPv4Interface("10.7.0.1/24"))
    ping = quiet.host.start_ping(new, 1)
    run(quiet)
    assert ping.result().received == 1
    quiet.host.remove_address(new)
    assert not isinstance(quiet.host.ip.path(new), LocalPath)


def test_down_it_loses_what_it_is_given(quiet, ip, address) -> None:
    lo = quiet.host.loopback
    lo.set_up(False)
    ping = quiet.host.start_ping(address, 1)
    run(quiet, 2)
    assert ping.result().received == 0
    lost = quiet.world.ledger.drops["alice:lo", DropReason.INTERFACE_DOWN]
    assert lost == (0 if address == Ipv6("::1") else 1)  # which is nobody's now
    lo.set_up(True)
    ping = quiet.host.start_ping(address, 1)
    run(quiet)
    assert ping.result().received == 1


def test_what_is_on_its_way_is_lost_in_a_crash(quiet, address) -> None:
    ping = quiet.host.start_ping(address, 1)
    quiet.world.scheduler.run_until(quiet.world.scheduler.now + WAY.delay_ns // 2)
    quiet.host.crash()
    run(quiet)
    assert ping.result().received == 0
    assert quiet.world.ledger.drops["alice:lo", DropReason.CUT_IN_FLIGHT] == 1
    assert quiet.world.ledger.imbalance() == 0


def test_it_has_no_groups(quiet, ip) -> None:
    group = Ipv4("239.1.2.3") if ip.is_v4 else Ipv6("ff05::123")
    assert not UdpSocket(quiet.host, 7, lambda *_: None).join(group, quiet.host.loopback)


def test_a_new_address_of_ipv6_is_not_reached_before_it_is_unique(wired) -> None:
    wired.host.add_address(IPv6Interface("2001:db8::1/64"))
    assert not isinstance(wired.host.ip.path(Ipv6("2001:db8::1")), LocalPath)
    run(wired, 4)
    assert isinstance(wired.host.ip.path(Ipv6("2001:db8::1")), LocalPath)

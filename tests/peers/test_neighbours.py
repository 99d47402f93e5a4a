"""Neighbour discovery, ARP and routers, between emulated hosts and the Linux kernel."""

from __future__ import annotations

import select
import socket
import time
from ipaddress import IPv4Interface, IPv6Interface, IPv6Network, ip_network

import pytest

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6, Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.link import LinkParameters
from sdnvirt.host.addressing import AddressState
from sdnvirt.host.advertiser import Advertised, Advertiser
from sdnvirt.host.udp import UdpSocket

IP_MTU, IP_RECVERR = 14, 11
IPV6_MTU, IPV6_RECVERR = 24, 25
"""Options of Linux (uapi/linux/in.h, in6.h) that Python's module does not name."""


def recverr(ip) -> tuple[int, int]:
    """Return the option of the kernel's sockets to be told of all ICMP errors."""
    if ip.is_v4:
        return socket.IPPROTO_IP, IP_RECVERR
    return socket.IPPROTO_IPV6, IPV6_RECVERR


PREFIX = IPv6Network("fd00:99::/64")


def test_each_learns_the_mac_address_of_the_other(peers, host, ip) -> None:
    ping = host.start_ping(ip.kernels, 1)
    peers.until(lambda: ping.done)
    assert ping.result().received == 1
    kernel_mac = peers.kernel.ip("link show dev tap0").split("link/ether ")[1].split()[0]
    assert [str(mac) for mac in ping.result().responders] == [kernel_mac]
    neighbours = peers.kernel.ip(f"neigh show {ip.ours}")
    assert f"lladdr {host.interface.mac}" in neighbours


def test_nobody_answers_for_an_absent_neighbour(peers, host, ip) -> None:
    absent = "10.9.0.77" if ip.is_v4 else "fd00:9::77"

    def program() -> None:
        with ip.socket(socket.SOCK_STREAM) as client, pytest.raises(OSError, match="No route"):
            client.connect((absent, 80))

    ping = host.start_ping(type(ip.ours)(absent), 1, timeout_ns=10**10)
    peers.run(program)
    peers.until(lambda: ping.done)
    assert ping.result().received == 0
    assert ping.result().error_count == 1


class TestDuplicateAddresses:
    @pytest.fixture(autouse=True)
    def detecting(self, peers, host) -> None:
        peers.kernel.sysctl("ipv6/conf/tap0/accept_dad", 1)

    def test_we_find_that_the_kernel_has_an_ipv6_address(self, peers, host) -> None:
        host.add_address(IPv6Interface("fd00:9::2/64"))
        address = host.interface.addresses[Ipv6("fd00:9::2")]
        peers.until(lambda: address.state is not AddressState.TENTATIVE)
        assert address.state is AddressState.DUPLICATE

    def test_the_kernel_finds_that_we_have_one(self, peers, host) -> None:
        ours = host.interface.addresses[Ipv6("fd00:9::1")]
        peers.until(lambda: ours.state is not AddressState.TENTATIVE)
        # How long it waits for our answer, which a busy machine gives late.
        peers.kernel.sysctl("ipv6/neigh/tap0/retrans_time_ms", 10_000)
        peers.kernel.ip("addr add fd00:9::1/64 dev tap0")
        peers.until(lambda: "tentative" not in self.shown(peers) or "failed" in self.shown(peers))
        assert "dadfailed" in self.shown(peers)

    def test_the_kernel_has_one_of_its_own(self, peers, host) -> None:
        peers.kernel.ip("addr add fd00:9::3/64 dev tap0")
        shown = peers.kernel.ip("-6 addr show dev tap0")
        assert "fd00:9::3/64 scope global tentative" in shown
        peers.until(lambda: "tentative" not in peers.kernel.ip("-6 addr show to fd00:9::3"))
        assert "dadfailed" not in peers.kernel.ip("-6 addr show to fd00:9::3")

    def shown(self, peers) -> str:
        return peers.kernel.ip("-6 addr show to fd00:9::1")

    @pytest.mark.parametrize("address", ["10.9.0.2/24", "10.9.0.3/24"])
    def test_we_probe_an_ipv4_address(self, peers, host, address: str) -> None:
        results: list[Mac | None] = []
        host.probe(IPv4Interface(address), on_result=results.append)
        peers.until(lambda: results)
        kernel_mac = peers.kernel.ip("link show dev tap0").split("link/ether ")[1].split()[0]
        assert [str(one) for one in results] == [kernel_mac if address == "10.9.0.2/24" else "None"]
        assert (Ipv4(address.partition("/")[0]) in host.interface.addresses) == (results == [None])


class TestRouterAdvertisements:
    @pytest.fixture
    def advertised(self, peers, host) -> str:
        """What the kernel's address is, made of the prefix that our host advertises."""
        said = Advertised((*Advertised.of(PREFIX).prefixes,), mtu=1400, hop_limit=42)
        Advertiser(host, said)
        peers.until(lambda: "dynamic" in peers.kernel.ip("-6 addr show dev tap0"))
        lines = peers.kernel.ip("-6 addr show dev tap0").splitlines()
        [address] = [line.split()[1] for line in lines if "dynamic" in line]
        return address

    def test_the_kernel_makes_an_address_and_has_a_router(self, peers, host, advertised) -> None:
        assert advertised.startswith("fd00:99::")
        assert advertised.endswith("/64")
        routes = peers.kernel.ip("-6 route show")
        assert f"default via {host.interface.link_local} dev tap0 proto ra" in routes
        assert "hoplimit 42" in routes
        assert peers.kernel.sysctl("ipv6/conf/tap0/mtu") == "1400"

    def test_and_no_router_once_it_is_stopped(self, peers, host, advertised) -> None:
        assert host.interface.nd is not None
        host.interface.nd.advertiser.stop()
        peers.until(lambda: "default" not in peers.kernel.ip("-6 route show"))

    def test_traffic_flows_by_it(self, peers, host, advertised) -> None:
        far = UdpSocket(host, 7, lambda src, port, data, _: far.send(src, port, data) and None)
        host.add_address(IPv6Interface("fd00:98::1/128"))
        mine = advertised.partition("/")[0]
        host.ip.add_route(ip_network("fd00:99::/64"))

        def program() -> bytes:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
                client.settimeout(60)
                client.connect(("fd00:98::1", 7))
                assert client.getsockname()[0] == mine
                client.send(b"hello")
                return client.recv(100)

        peers.until(lambda: host.ip.owner(Ipv6("fd00:98::1")))
        peers.until(lambda: "tentative" not in peers.kernel.ip("-6 addr show dev tap0"))
        assert peers.run(program) == b"hello"


class TestTheKernelRoutes:
    """The kernel between two emulated hosts: alice, behind tap0, and bob, behind tap1."""

    @pytest.fixture
    def ends(self, peers):
        alice, bob = peers.host("alice", "tap0"), peers.host("bob", "tap1")
        peers.kernel.sysctl("ipv4/ip_forward", 1)
        peers.kernel.sysctl("ipv6/conf/all/forwarding", 1)
        alice.configure(IPv4Interface("10.9.0.1/24"), Ipv4("10.9.0.2"))
        alice.configure(IPv6Interface("fd00:9::1/64"), Ipv6("fd00:9::2"))
        bob.configure(IPv4Interface("10.10.0.1/24"), Ipv4("10.10.0.2"))
        bob.configure(IPv6Interface("fd00:10::1/64"), Ipv6("fd00:10::2"))
        narrow = LinkParameters(delay_ns=100_000, mtu=1300)
        peers.tap(alice.interface.port, "10.9.0.2/24", "fd00:9::2/64")
        peers.tap(bob.interface.port, "10.10.0.2/24", "fd00:10::2/64", parameters=narrow)
        bob.interface.mtu = 1500  # so that bob's MSS does not tell of the narrow link
        return alice, bob

    def bob_address(self, ip) -> IpAddress:
        return Ipv4("10.10.0.1") if ip.is_v4 else Ipv6("fd00:10::1")

    def test_we_learn_the_path_mtu_of_it(self, peers, ends, ip) -> None:
        alice, bob = ends
        received = bytearray()
        bob.tcp.listen(80, lambda one: setattr(one, "on_data", received.extend))
        stream = bytes(range(256)) * 800
        connection = alice.tcp.connect(self.bob_address(ip), 80)
        connection.on_connected = lambda: connection.write(stream) and None
        peers.until(lambda: len(received) >= len(stream))
        assert received == stream
        path = alice.ip.path(self.bob_address(ip))
        assert path.mtu == 1300

    def test_a_ping_that_is_too_big_is_told_so(self, peers, ends, ip) -> None:
        alice, _ = ends
        ping = alice.start_ping(self.bob_address(ip), 1, size=1400, timeout_ns=10**10)
        peers.until(lambda: ping.done)
        assert ping.result().errors == (f"from {ip.kernels}: fragmentation needed",)
        assert alice.ip.path(self.bob_address(ip)).mtu == 1300

    @pytest.mark.parametrize("hops", [1, 2])
    def test_it_tells_us_of_packets_that_are_too_old(self, peers, ends, ip, hops: int) -> None:
        alice, _ = ends
        ping = alice.start_ping(self.bob_address(ip), 1, hop_limit=hops, timeout_ns=10**10)
        peers.until(lambda: ping.done)
        assert ping.result().received == hops - 1
        assert ping.result().error_count == 2 - hops

    def test_it_tells_us_that_there_is_no_way(self, peers, ends, ip) -> None:
        alice, _ = ends
        nowhere = Ipv4("192.0.2.1") if ip.is_v4 else Ipv6("2001:db8::1")
        ping = alice.start_ping(nowhere, 1, timeout_ns=10**10)
        peers.until(lambda: ping.done)
        [error] = ping.result().errors
        assert "nreachable" in error or "No route" in error


class TestWeRoute:
    """Our router between the kernel, behind tap0, and an emulated host, bob."""

    @pytest.fixture
    def ends(self, peers):
        router, bob = peers.host("router", "tap0", "bob"), peers.host("bob", "router")
        far = router.interfaces[2]
        narrow = LinkParameters(delay_ns=100_000, mtu=1300)
        peers.link(far.port, bob.interface.port, narrow)
        bob.interface.mtu = 1500  # so that bob's MSS does not tell of the narrow link
        router.enable_forwarding()
        router.configure(IPv4Interface("10.9.0.1/24"))
        router.configure(IPv6Interface("fd00:9::1/64"))
        router.configure(IPv4Interface("10.10.0.2/24"), interface=far)
        router.configure(IPv6Interface("fd00:10::2/64"), interface=far)
        bob.configure(IPv4Interface("10.10.0.1/24"), Ipv4("10.10.0.2"))
        bob.configure(IPv6Interface("fd00:10::1/64"), Ipv6("fd00:10::2"))
        peers.tap(router.interface.port, "10.9.0.2/24", "fd00:9::2/64")
        peers.kernel.ip("route add default via 10.9.0.1", "-6 route add default via fd00:9::1")
        return router, bob

    def bob_address(self, ip) -> str:
        return "10.10.0.1" if ip.is_v4 else "fd00:10::1"

    def test_the_kernel_learns_the_path_mtu_of_us(self, peers, ends, ip) -> None:
        _, bob = ends
        stream = bytes(range(256)) * 800
        received = bytearray()
        bob.tcp.listen(80, lambda one: setattr(one, "on_data", received.extend))

        def program() -> int:
            with ip.socket(socket.SOCK_STREAM) as client:
                client.connect((self.bob_address(ip), 80))
                client.sendall(stream)
                client.shutdown(socket.SHUT_WR)
                level, mtu = (
                    (socket.IPPROTO_IP, IP_MTU) if ip.is_v4 else (socket.IPPROTO_IPV6, IPV6_MTU)
                )
                while received != stream:
                    time.sleep(0.01)
                return client.getsockopt(level, mtu)

        assert peers.run(program) == 1300
        assert received == stream

    def test_the_kernel_hears_that_packets_are_too_old(self, peers, ends, ip) -> None:
        """As traceroute does: errors that name the router, then the port of the host."""

        def program() -> list[tuple[str, int, int]]:
            found = []
            level, _ = recverr(ip)
            hops = socket.IP_TTL if ip.is_v4 else socket.IPV6_UNICAST_HOPS
            for limit in (1, 2):
                with ip.socket(socket.SOCK_DGRAM) as probe:
                    probe.setsockopt(*recverr(ip), 1)
                    probe.setsockopt(level, hops, limit)
                    probe.sendto(b"probe", (self.bob_address(ip), 33434))
                    errors = select.poll()
                    errors.register(probe, select.POLLERR)
                    assert errors.poll(60_000)
                    _, [(_, _, error)], _, _ = probe.recvmsg(100, 1000, socket.MSG_ERRQUEUE)
                    kind, code = error[5], error[6]
                    at = slice(20, 24) if ip.is_v4 else slice(24, 40)
                    found.append((socket.inet_ntop(ip.family, error[at]), kind, code))
            return found

        time_exceeded, unreachable, port = (11, 3, 3) if ip.is_v4 else (3, 1, 4)
        assert peers.run(program) == [
            ("10.9.0.1" if ip.is_v4 else "fd00:9::1", time_exceeded, 0),
            (self.bob_address(ip), unreachable, port),
        ]

    def test_the_kernel_hears_that_there_is_no_way(self, peers, ends, ip) -> None:
        nowhere = "192.0.2.1" if ip.is_v4 else "2001:db8::1"

        def program() -> None:
            with ip.socket(socket.SOCK_DGRAM) as probe:
                probe.setsockopt(*recverr(ip), 1)  # else only the worst errors are told
                probe.connect((nowhere, 9))
                probe.send(b"probe")
                with pytest.raises(OSError, match="unreachable"):
                    probe.recv(100)

        peers.run(program)


class TestRedirects:
    """The kernel, our router and bob on one bridge; the kernel asks the router for bob."""

    @pytest.fixture
    def router(self, peers):
        bridge = Bridge("bridge", peers.world)
        router, bob = peers.host("router", "bridge"), peers.host("bob", "bridge")
        for host in (router, bob):
            peers.link(peers.port(bridge, host.name), host.interface.port)
        router.configure(IPv4Interface("10.9.0.1/24"))
        router.configure(IPv6Interface("fd00:9::1/64"))
        bob.configure(IPv4Interface("10.9.0.3/24"))
        bob.configure(IPv6Interface("fd00:9::3/64"))
        bob.add_address(IPv4Interface("10.10.0.1/32"))
        bob.add_address(IPv6Interface("fd00:10::1/128"))
        router.enable_forwarding()
        router.ip.add_route(ip_network("10.10.0.0/24"), Ipv4("10.9.0.3"))
        tap = peers.port(bridge, "tap0")
        peers.settle()
        router.ip.add_route(ip_network("fd00:10::/64"), bob.interface.link_local)
        peers.tap(tap, "10.9.0.2/24", "fd00:9::2/64")
        peers.kernel.sysctl("ipv4/conf/tap0/secure_redirects", 0)
        peers.kernel.ip(
            "route add 10.10.0.0/24 via 10.9.0.1",
            f"-6 route add fd00:10::/64 via {router.interface.link_local} dev tap0",
        )
        return router, bob

    def test_the_kernel_follows(self, peers, router, ip) -> None:
        _, bob = router
        better = "10.9.0.3" if ip.is_v4 else str(bob.interface.link_local)
        far = "10.10.0.1" if ip.is_v4 else "fd00:10::1"
        echo = UdpSocket(bob, 7, lambda src, port, data, _: echo.send(src, port, data) and None)
        assert f"via {better} " not in peers.kernel.ip(f"route get {far}")

        # The kernel takes a redirect only while the socket is there, whose packet is quoted, and
        # of the first one it learns no more than whose MAC address it has to ask for. For UDP over
        # IPv6 the socket must be bound to the device.
        def program() -> None:
            with ip.socket(socket.SOCK_DGRAM) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tap0")
                for number in range(10):
                    client.sendto(bytes([number]), (far, 7))
                    assert client.recv(100) == bytes([number])

        peers.run(program)
        assert f"via {better} " in peers.kernel.ip(f"route get {far}")

"""Addresses and ports that programs name: their own, and those of others."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from ipaddress import ip_interface
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from sdnvirt.host.tcp.congestion import NewReno
from sdnvirt.host.tcp.parameters import TcpParameters
from sdnvirt.network.network import Network

from .conftest import IPV4, IPV6

SECOND = {
    socket.AF_INET: ip_interface("10.0.0.50/24"),
    socket.AF_INET6: ip_interface("2001:db8::50/64"),
}


class Deaf(asyncio.DatagramProtocol):
    """Keeps the errors of its socket."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)


async def datagrams(**where: Any) -> tuple[Any, Deaf]:
    return await asyncio.get_running_loop().create_datagram_endpoint(Deaf, **where)


async def tell_who(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(writer.get_extra_info("peername")[0].encode())
    writer.close()


async def serve(host: str | None = None) -> None:
    async with await asyncio.start_server(tell_who, host, 7) as listening:
        await listening.serve_forever()


def test_a_connection_comes_from_the_address_that_was_asked_for(net: Network, family: Any) -> None:
    second = SECOND[family.kind]
    net["h1"].host.add_address(second)
    net["h2"].run(serve())
    net.run_for("3s")

    async def client() -> tuple[Any, bytes]:
        local = (str(second.ip), 0)
        reader, writer = await asyncio.open_connection(family.hosts[2], 7, local_addr=local)
        answer = await reader.read()
        writer.close()
        return writer.get_extra_info("sockname")[0], answer

    assert net["h1"].call(client()) == (str(second.ip), str(second.ip).encode())


def test_a_connection_cannot_come_from_an_address_of_another(net: Network, family: Any) -> None:
    async def client(local: str) -> int | None:
        try:
            await asyncio.open_connection(family.hosts[2], 7, local_addr=(local, 0))
        except OSError as error:
            return error.errno
        return None

    assert net["h1"].call(client(family.hosts[3])) == errno.EADDRNOTAVAIL
    net["h1"].host.add_address(ip_interface("fd00::1/64"))
    net.run_for("3s")
    other = "fd00::1" if family.kind is socket.AF_INET else "10.0.0.1"
    assert net["h1"].call(client(other)) == errno.EADDRNOTAVAIL


def test_a_server_everywhere_takes_its_own_version_of_ip(net: Network, family: Any) -> None:
    net["h2"].run(serve(family.everywhere))
    other = IPV6 if family.kind is socket.AF_INET else IPV4
    net["h2"].host.add_address(ip_interface("2001:db8::2/64"))
    net["h1"].host.add_address(ip_interface("2001:db8::1/64"))
    net.run_for("3s")
    assert net["h1"].cmd(f"nc -z {family.hosts[2]} 7").status == 0
    assert net["h1"].cmd(f"nc -z {other.hosts[2]} 7").status == 1
    net["h2"].run(serve(other.everywhere))
    assert net["h1"].cmd(f"nc -z {other.hosts[2]} 7").status == 0


def test_nobody_else_listens_where_a_server_takes_all_addresses(net: Network) -> None:
    async def program() -> list[int | None]:
        numbers: list[int | None] = []
        for first, second in ((None, "0.0.0.0"), ("::", None), ("0.0.0.0", "0.0.0.0")):
            server = await asyncio.start_server(tell_who, first, 7)
            try:
                await asyncio.start_server(tell_who, second, 7)
            except OSError as error:
                numbers.append(error.errno)
            server.close()
        both = await asyncio.start_server(tell_who, ["0.0.0.0", "::"], 7)
        assert [one.getsockname()[0] for one in both.sockets] == ["0.0.0.0", "::"]
        return numbers

    assert net["h1"].call(program()) == [errno.EADDRINUSE] * 3


def test_a_server_may_listen_at_a_name(net: Network) -> None:
    async def program() -> list[str]:
        server = await asyncio.start_server(tell_who, "localhost", 7)
        return [one.getsockname()[0] for one in server.sockets]

    names = net["h1"].call(program())
    assert names
    assert all(net["h1"].host.ip.owner(net["h1"].address_of(one)) is not None for one in names)


@pytest.mark.parametrize(
    ("port", "error"),
    [
        (70_000, OverflowError),
        (-1, OverflowError),
        ("70000", OverflowError),
        ("http", socket.gaierror),
        (3.5, TypeError),
    ],
)
def test_what_is_no_port_is_refused(net: Network, port: Any, error: type[Exception]) -> None:
    async def program() -> int:
        refused = 0
        to = ("10.0.0.2", port)
        transport, _ = await datagrams(local_addr=("0.0.0.0", 0))
        handle = socket.socket()
        with pytest.raises(error):
            transport.sendto(b"x", to)
        for made in (
            asyncio.start_server(tell_who, None, port),
            asyncio.open_connection(*to),
            asyncio.open_connection("10.0.0.2", 7, local_addr=("10.0.0.1", port)),
            asyncio.get_running_loop().sock_connect(handle, to),
            datagrams(local_addr=("0.0.0.0", port)),
            datagrams(remote_addr=to),
        ):
            try:
                await made
            except error:
                refused += 1
        handle.close()
        return refused

    assert net["h1"].call(program()) == 6


def test_digits_are_a_port(net: Network) -> None:
    net["h2"].run(serve())

    async def program() -> bytes:
        reader, writer = await asyncio.open_connection("10.0.0.2", "7")
        answer = await reader.read()
        writer.close()
        return answer

    assert net["h1"].call(program()) == b"10.0.0.1"


def test_errors_of_datagrams_have_the_numbers_of_their_kinds(net: Network, family: Any) -> None:
    async def program() -> list[Any]:
        transport, deaf = await datagrams(local_addr=(family.everywhere, 0))
        for host in (family.hosts[2], family.silent):
            transport.sendto(b"x", (host, 9))
            await asyncio.sleep(5)
        other = "10.0.0.2" if family.kind is socket.AF_INET6 else "2001:db8::2"
        transport.sendto(b"x", (other, 9))
        await asyncio.sleep(0)
        return [getattr(one, "errno", None) for one in deaf.errors]

    expected = [errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.EAFNOSUPPORT]
    assert net["h1"].call(program()) == expected


def test_a_connected_socket_knows_its_own_address(net: Network, family: Any) -> None:
    async def program() -> Any:
        transport, _ = await datagrams(remote_addr=(family.hosts[2], 9))
        return transport.get_extra_info("sockname")[0]

    assert net["h1"].call(program()) == family.hosts[1]


def test_abort_behind_close_does_not_reset_the_peer(net: Network, family: Any) -> None:
    ends: list[bytes | str] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ends.append(await reader.read())
        except OSError as error:
            ends.append(type(error).__name__)
        writer.close()

    async def server() -> None:
        async with await asyncio.start_server(hear, None, 7) as listening:
            await listening.serve_forever()

    async def client(*, close: bool) -> None:
        _, writer = await asyncio.open_connection(family.hosts[2], 7)
        writer.write(b"all")
        if close:
            writer.close()
            await asyncio.sleep(0)
        writer.transport.abort()
        await asyncio.sleep(1)

    net["h2"].run(server())
    net["h1"].call(client(close=True))
    net["h1"].call(client(close=False))
    assert ends == [b"all", "ConnectionResetError"]


def groups(family: Any) -> tuple[str, bytes, int, int, int, int]:
    """Return a group, the request to join it, and the numbers of the options."""
    if family.kind is socket.AF_INET:
        request = socket.inet_aton("239.1.2.3") + socket.inet_aton("0.0.0.0")
        return (
            "239.1.2.3", request, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
            socket.IP_DROP_MEMBERSHIP, socket.IP_MULTICAST_TTL,
        )  # fmt: skip
    request = socket.inet_pton(socket.AF_INET6, "ff05::1234") + struct.pack("@I", 2)
    return (
        "ff05::1234", request, socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
        socket.IPV6_LEAVE_GROUP, socket.IPV6_MULTICAST_HOPS,
    )  # fmt: skip


def test_a_socket_joins_and_leaves_a_group_by_its_options(net: Network, family: Any) -> None:
    group, request, level, join, leave, _ = groups(family)

    async def member(transport: Any, seconds: float) -> None:
        end = transport.get_extra_info("socket")
        end.setsockopt(level, join, request)
        await asyncio.sleep(seconds)
        end.setsockopt(level, leave, request)
        await asyncio.sleep(60)

    async def listen(got: list[bytes], *, joins: bool) -> None:
        loop = asyncio.get_running_loop()

        class Member(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                got.append(data)

        transport, _ = await loop.create_datagram_endpoint(
            Member, local_addr=(family.everywhere, 5000)
        )
        if joins:
            await member(transport, 2.5)

    async def talk() -> None:
        transport, _ = await datagrams(local_addr=(family.everywhere, 0))
        for number in range(5):
            transport.sendto(b"%d" % number, (group, 5000))
            await asyncio.sleep(1)

    heard: list[bytes] = []
    others: list[bytes] = []
    net["h2"].run(listen(heard, joins=True))
    net["h3"].run(listen(others, joins=False))
    net.run_for("1ms")
    net["h1"].call(talk())
    assert heard == [b"0", b"1", b"2"]
    assert others == []


def test_options_set_hops_and_the_traffic_class(net: Network, family: Any) -> None:
    group, _, level, _, _, group_hops = groups(family)
    v4 = family.kind is socket.AF_INET
    to_one = socket.IP_TTL if v4 else socket.IPV6_UNICAST_HOPS
    traffic_class = socket.IP_TOS if v4 else socket.IPV6_TCLASS

    async def talk() -> None:
        transport, _ = await datagrams(local_addr=(family.everywhere, 0))
        end = transport.get_extra_info("socket")
        end.setsockopt(level, group_hops, 5)
        end.setsockopt(level, to_one, 9)
        end.setsockopt(level, traffic_class, 0xB8)
        for host in (group, family.hosts[2]):
            transport.sendto(b"x", (host, 5000))
        await asyncio.sleep(1)

    with net.capture("h2:s1") as capture:
        net["h1"].call(talk())
    kind = IP if v4 else IPv6
    seen = [
        (packet[kind].ttl, packet[kind].tos) if v4 else (packet[kind].hlim, packet[kind].tc)
        for packet in capture.packets
        if UDP in packet and packet[UDP].dport == 5000 and packet[kind].src == family.hosts[1]
    ]
    assert seen == [(5, 0xB8), (9, 0xB8)]


def test_options_that_make_no_sense_are_refused(net: Network) -> None:
    group, request = "10.0.0.9", socket.inet_aton("239.1.2.3")
    mistakes = [
        (socket.IP_ADD_MEMBERSHIP, request, errno.EINVAL),
        (socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + bytes(4), errno.EINVAL),
        (socket.IP_ADD_MEMBERSHIP, request + socket.inet_aton(group), errno.ENODEV),
        (socket.IP_ADD_MEMBERSHIP, request + bytes(4) + struct.pack("@i", 7), errno.ENODEV),
        (socket.IP_MULTICAST_TTL, 256, errno.EINVAL),
    ]

    async def program() -> list[int | None]:
        transport, _ = await datagrams(local_addr=("0.0.0.0", 0))
        numbers: list[int | None] = []
        for name, value, _ in mistakes:
            try:
                transport.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, name, value)
            except OSError as error:
                numbers.append(error.errno)
        return numbers

    assert net["h1"].call(program()) == [number for *_, number in mistakes]


def test_the_tcp_of_a_host_behaves_as_its_parameters_say(net: Network) -> None:
    net["h1"].host.tcp.parameters = TcpParameters(congestion=NewReno, ecn=True)
    net["h2"].start("iperf -s")
    with net.capture("h2:s1") as capture:
        assert net["h1"].cmd("iperf -c 10.0.0.2 -n 100K").status == 0
    syn = next(packet for packet in capture.packets if TCP in packet)
    assert syn[TCP].flags == "SEC"
    (lingering,) = net["h1"].host.tcp.connections.values()
    assert isinstance(lingering.machine.sender.congestion, NewReno)


@pytest.fixture
def zones(net: Network) -> dict[str, str]:
    """The link-local addresses of the hosts, of which h1 has one on a VLAN of its port, too."""
    h1 = net["h1"].host
    h1.add_vlan(7).enable_ipv6()
    for name in ("h1", "h2"):
        net[name].host.enable_ipv6()
    net.run_for("3s")
    return {name: str(net[name].host.interface.link_local) for name in ("h1", "h2")}


@pytest.mark.parametrize("zone", ["s1", "2"])
def test_a_zone_says_by_which_interface(net: Network, zones: dict[str, str], zone: str) -> None:
    async def client() -> Any:
        reader, writer = await asyncio.open_connection(f"{zones['h2']}%{zone}", 7)
        answer = (await reader.read()).decode()
        writer.close()
        return answer, writer.get_extra_info("sockname")[3], writer.get_extra_info("peername")

    net["h2"].run(serve("::"))
    answer, scope, peer = net["h1"].call(client())
    assert (answer, scope) == (zones["h1"], 2)
    assert peer == (zones["h2"], 7, 0, 2)


def test_a_zone_of_another_link_does_not_reach(net: Network, zones: dict[str, str]) -> None:
    async def client() -> str | None:
        try:
            await asyncio.open_connection(f"{zones['h2']}%s1.7", 7)
        except OSError as error:
            return errno.errorcode[error.errno or 0]
        return None

    net["h2"].run(serve("::"))
    assert net["h1"].call(client(), limit="10min") == "EHOSTUNREACH"


@pytest.mark.parametrize(
    "name", ["fe80::1%s9", "2001:db8::1%s1", "10.0.0.2%s1", "h2%s1", "fe80::zz%s1"]
)
def test_what_has_no_such_zone_is_an_error_of_names(net: Network, name: str) -> None:
    async def client() -> int | None:
        try:
            await asyncio.open_connection(name, 7)
        except socket.gaierror as error:
            return error.errno
        return None

    assert net["h1"].call(client()) == socket.EAI_NONAME


def test_datagrams_tell_the_zone_that_they_came_from(net: Network, zones: dict[str, str]) -> None:
    class Answering(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.heard = asyncio.get_running_loop().create_future()

        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.heard.set_result(addr)
            if data == b"?":
                self.transport.sendto(b"!", addr)

    async def talk(*, first: bool, **where: Any) -> Any:
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(Answering, **where)
        if first:
            transport.sendto(b"?")
        return await protocol.heard, transport.get_extra_info("sockname")

    server = net["h2"].run(talk(first=False, local_addr=("::", 9)))
    client = talk(first=True, remote_addr=(zones["h2"], 9, 0, 2))
    heard, own = net["h1"].call(client)
    assert heard == (zones["h2"], 9, 0, 2)
    assert (own[0], own[3]) == (zones["h1"], 2)
    assert server.result[0] == own


def test_names_of_link_local_addresses_have_their_zone(net: Network) -> None:
    async def program() -> Any:
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo("fe80::1%s1", 80, type=socket.SOCK_STREAM)
        return infos[0][4], await loop.getnameinfo(infos[0][4])

    assert net["h1"].call(program()) == (("fe80::1", 80, 0, 2), ("fe80::1%s1", "80"))


# options of sockets


def connected(net: Network, options: list[tuple[int, int, Any]], seconds: float = 0) -> Any:
    """Connect h1 to h2, set options there, and wait; return the connection."""

    async def client() -> None:
        _, writer = await asyncio.open_connection("10.0.0.2", 7)
        for one in options:
            writer.get_extra_info("socket").setsockopt(*one)
        await asyncio.sleep(seconds)
        writer.close()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    async def server() -> None:
        async with await asyncio.start_server(wait, port=7) as listening:
            await listening.serve_forever()

    net["h2"].run(server())
    net["h1"].call(client())
    (connection,) = net["h1"].host.tcp.connections.values()
    return connection


def test_a_program_chooses_its_congestion_control(net: Network) -> None:
    connection = connected(net, [(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")])
    assert type(connection.machine.sender.congestion) is NewReno


@pytest.mark.parametrize(("kept", "probes"), [(1, 3), (0, 0)])
def test_keep_alive_probes_a_connection(net: Network, kept: int, probes: int) -> None:
    with net.capture("h2:s1") as capture:
        connected(
            net,
            [
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE, kept),
                (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
            ],
            seconds=200,
        )
    sent = [one for one in capture.packets if TCP in one and one[IP].src == "10.0.0.1"]
    assert len(sent) == 2 + probes  # behind the handshake


def test_a_connection_has_hops_and_a_traffic_class(net: Network) -> None:
    ip = socket.IPPROTO_IP
    connection = connected(net, [(ip, socket.IP_TTL, 9), (ip, socket.IP_TOS, 0xB8)])
    assert (connection.hop_limit, connection.dscp) == (9, 46)


@pytest.mark.parametrize(
    ("level", "name", "value", "number", "words"),
    [
        (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0), errno.ENOPROTOOPT, "abort"),
        (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1, errno.ENOPROTOOPT, "a port has one socket"),
        (socket.SOL_SOCKET, socket.SO_RCVBUF, 9999, errno.ENOPROTOOPT, "host.tcp.parameters"),
        (socket.SOL_SOCKET, 4711, 1, errno.ENOPROTOOPT, "option 4711 of level 1"),
        (socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr", errno.ENOENT, "reno or cubic"),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 0, errno.EINVAL, "expected 1 or more"),
    ],
)
def test_options_that_do_nothing_are_refused(
    net: Network, level: int, name: int, value: Any, number: int, words: str
) -> None:
    async def client() -> tuple[int | None, str]:
        async with await asyncio.start_server(lambda _, writer: writer.close(), port=7):
            _, writer = await asyncio.open_connection("10.0.0.1", 7)
            try:
                writer.get_extra_info("socket").setsockopt(level, name, value)
            except OSError as error:
                return error.errno, str(error)
            finally:
                writer.close()
            return None, ""

    found = net["h1"].call(client())
    assert found[0] == number
    assert words in found[1]


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
        (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    ],
)
def test_what_libraries_set_is_taken_and_told(net: Network, level: int, name: int) -> None:
    async def client() -> int:
        async with await asyncio.start_server(lambda _, writer: writer.close(), port=7):
            _, writer = await asyncio.open_connection("10.0.0.1", 7)
            end = writer.get_extra_info("socket")
            end.setsockopt(level, name, 1)
            writer.close()
            return end.getsockopt(level, name)

    assert net["h1"].call(client()) == 1


@pytest.mark.parametrize("what", ["create_server", "create_datagram_endpoint"])
def test_ports_are_not_shared(net: Network, what: str) -> None:
    async def program() -> str:
        make = getattr(asyncio.get_running_loop(), what)
        with pytest.raises(RuntimeError, match="a port has one socket"):
            await make(asyncio.DatagramProtocol, reuse_port=True)
        return "refused"

    assert net["h1"].call(program()) == "refused"


def test_groups_leave_by_the_interface_that_was_chosen(net: Network, family: Any) -> None:
    group = "239.1.2.3" if family is IPV4 else "ff02::1234"
    host = net["h1"].host
    vlan = host.add_vlan(7)
    host.configure(ip_interface("192.168.7.1/24"), interface=vlan)
    vlan.enable_ipv6()
    net.run_for("3s")

    async def program() -> list[Exception]:
        transport, deaf = await datagrams(local_addr=(family.everywhere, 0))
        end = transport.get_extra_info("socket")
        if family is IPV4:
            own = socket.inet_aton("192.168.7.1")
            end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
            end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        else:
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, 3)
        transport.sendto(b"hello", (group, 5000))
        with pytest.raises(OSError, match="always hears"):
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        await asyncio.sleep(0.1)
        return deaf.errors

    with net.capture("h1:s1") as capture:
        assert net["h1"].call(program()) == []
    (sent,) = [bytes(one) for one in capture.packets if b"hello" in bytes(one)]
    assert sent[12:16] == b"\x81\x00\x00\x07"

"""Names: a stub resolver on a host asks a DNS server that is a program on another one."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from sdnvirt.addresses import Ipv4
from sdnvirt.network.network import Network
from sdnvirt.programs.resolver import ROUNDS, TIMEOUT_S

SERVER = "10.0.0.3"
ZONE = {
    ("web.example.", "A"): ["10.0.0.2"],
    ("many.example.", "A"): [f"10.0.1.{n}" for n in range(1, 200)],
    ("www.example.", "A"): ["CNAME web.example."],
    ("loop.example.", "A"): ["CNAME loop.example."],
}


def answer(data: bytes, *, by_udp: bool) -> bytes:
    """Answer a query from the zone; what is too long for UDP is cut."""
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    question = query.question[0]
    kind = question.rdtype.to_text(question.rdtype)
    found = ZONE.get((str(question.name), kind))
    if found is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()
    if found[0].startswith("CNAME"):
        target = found[0].split()[1]
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "CNAME", target))
        found = ZONE.get((target, kind), [])
        if found and not found[0].startswith("CNAME"):
            reply.answer.append(dns.rrset.from_text(target, 60, "IN", kind, *found))
    else:
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
    wire = reply.to_wire()
    if by_udp and len(wire) > 512:
        reply.answer.clear()
        reply.flags |= dns.flags.TC
        wire = reply.to_wire()
    return wire


class Udp(asyncio.DatagramProtocol):
    """A DNS server's UDP side."""

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked.append("udp")
        self.transport.sendto(answer(data, by_udp=True), addr)


async def dns_server(asked: list[str]) -> None:
    async def by_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append("tcp")
        data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        reply = answer(data, by_udp=False)
        writer.write(len(reply).to_bytes(2, "big") + reply)
        writer.close()

    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Udp(asked), local_addr=("0.0.0.0", 53))
    server = await asyncio.start_server(by_tcp, port=53)
    await server.serve_forever()


@pytest.fixture
def asked(net: Network) -> list[str]:
    """Start the server, and return how it is asked."""
    asked: list[str] = []
    net["h3"].run(dns_server(asked))
    net["h1"].host.dns_servers = (Ipv4(SERVER),)
    return asked


async def look_up(name: str | None, port: int = 80, **options: Any) -> list[Any]:
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM, **options)
    assert all(info[1:4] == (socket.SOCK_STREAM, socket.IPPROTO_TCP, "") for info in infos)
    return [info[4] for info in infos]


def test_a_name_is_asked_for_at_the_hosts_server(net: Network, asked: list[str]) -> None:
    assert net["h1"].call(look_up("web.example")) == [("10.0.0.2", 80)]
    assert asked == ["udp", "udp"]  # A and AAAA


def test_one_family_is_one_question(net: Network, asked: list[str]) -> None:
    found = net["h1"].call(look_up("web.example", family=socket.AF_INET))
    assert (found, asked) == ([("10.0.0.2", 80)], ["udp"])


def test_an_alias_is_followed(net: Network, asked: list[str]) -> None:
    assert net["h1"].call(look_up("www.example")) == [("10.0.0.2", 80)]


@pytest.mark.parametrize("name", ["nothing.example", "loop.example"])
def test_a_name_without_an_address(net: Network, asked: list[str], name: str) -> None:
    async def program() -> int | None:
        with pytest.raises(socket.gaierror) as caught:
            await look_up(name)
        return caught.value.errno

    assert net["h1"].call(program()) == socket.EAI_NONAME


def test_what_udp_cuts_short_comes_by_tcp(net: Network, asked: list[str]) -> None:
    found = net["h1"].call(look_up("many.example", family=socket.AF_INET))
    assert len(found) == 199
    assert asked == ["udp", "tcp"]


def test_addresses_and_this_host_need_no_server(net: Network) -> None:
    async def program() -> list[Any]:
        return [
            await look_up("10.0.0.9"),
            await look_up("2001:db8::1"),
            await look_up("localhost"),
            await look_up(None, flags=socket.AI_PASSIVE, family=socket.AF_INET),
        ]

    assert net["h1"].call(program()) == [
        [("10.0.0.9", 80)], [("2001:db8::1", 80, 0, 0)], [("127.0.0.1", 80)], [("0.0.0.0", 80)],
    ]  # fmt: skip


def test_the_next_server_is_asked_when_one_is_silent(net: Network, asked: list[str]) -> None:
    net["h1"].host.dns_servers = (Ipv4("10.0.0.77"), Ipv4("10.0.0.2"), Ipv4(SERVER))
    found = net["h1"].call(look_up("web.example", family=socket.AF_INET))
    assert found == [("10.0.0.2", 80)]
    assert net.now < TIMEOUT_S * 10**9  # no ARP answer and a port unreachable come sooner


def test_servers_that_never_answer(net: Network) -> None:
    net["h1"].host.dns_servers = (Ipv4(SERVER),)

    class Deaf(asyncio.DatagramProtocol):
        pass

    async def deaf() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(Deaf, local_addr=("0.0.0.0", 53))
        await asyncio.Event().wait()

    async def program() -> str:
        with pytest.raises(socket.gaierror) as caught:
            await look_up("web.example", family=socket.AF_INET)
        return str(caught.value)

    net["h3"].run(deaf())
    assert "h1: no DNS server has answered for 'web.example'" in net["h1"].call(program())
    assert net.now == ROUNDS * TIMEOUT_S * 10**9


def test_a_host_without_servers_says_so(net: Network) -> None:
    async def program() -> str:
        with pytest.raises(socket.gaierror) as caught:
            await look_up("web.example")
        return str(caught.value)

    assert "h1 knows no DNS server to ask for 'web.example'" in net["h1"].call(program())


def test_streams_connect_by_name(net: Network, asked: list[str]) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"welcome")
        writer.close()

    async def server() -> None:
        await (await asyncio.start_server(greet, port=80)).serve_forever()

    async def client() -> bytes:
        reader, writer = await asyncio.open_connection("web.example", 80)
        data = await reader.read()
        writer.close()
        return data

    net["h2"].run(server())
    assert net["h1"].call(client()) == b"welcome"


def test_dnspythons_own_resolver_runs_there(net: Network, asked: list[str]) -> None:
    async def program() -> tuple[list[str], int]:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [SERVER]
        one = await resolver.resolve("web.example", "A")
        many = await resolver.resolve("many.example", "A")
        return [record.address for record in one], len(many)

    assert net["h1"].call(program()) == (["10.0.0.2"], 199)
    assert asked == ["udp", "udp", "tcp"]

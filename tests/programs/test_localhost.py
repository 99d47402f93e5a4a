"""Programs on one host speak to each other by localhost."""

from __future__ import annotations

import asyncio
import socket

import pytest

from sdnvirt.network.network import Network

V6 = "2001:db8::1/64"


@pytest.fixture
def dual(net: Network) -> Network:
    """The network, whose first host speaks IPv6, too."""
    from ipaddress import IPv6Interface

    net["h1"].host.configure(IPv6Interface(V6))
    net.run_for("20s")
    return net


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    writer.close()


async def ask(name: str, **options: object) -> tuple[str, str]:
    reader, writer = await asyncio.open_connection(name, 7, **options)
    writer.write(b"hello\n")
    answer = (await reader.read()).decode()
    writer.close()
    return answer, writer.get_extra_info("peername")[0]


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "localhost", "10.0.0.1", "2001:db8::1"])
def test_a_server_on_all_addresses(dual: Network, name: str) -> None:
    dual["h1"].run(asyncio.start_server(shout, port=7))
    address = "::1" if name == "localhost" else name  # RFC 6724, 6, rule 6
    assert dual["h1"].call(ask(name)) == ("HELLO\n", address)


@pytest.mark.parametrize(
    ("bound", "reached", "refused"),
    [
        ("127.0.0.1", "127.0.0.1", "10.0.0.1"),
        ("::1", "::1", "127.0.0.1"),
        ("10.0.0.1", "10.0.0.1", "127.0.0.1"),
    ],
)
def test_a_server_on_one_address(dual: Network, bound: str, reached: str, refused: str) -> None:
    dual["h1"].run(asyncio.start_server(shout, bound, 7))
    assert dual["h1"].call(ask(reached))[0] == "HELLO\n"

    async def fails() -> type[BaseException]:
        try:
            await ask(refused)
        except OSError as error:
            return type(error)
        raise AssertionError

    assert dual["h1"].call(fails()) is ConnectionRefusedError


def test_a_server_on_localhost_is_one_of_the_host_only(dual: Network) -> None:
    dual["h1"].run(asyncio.start_server(shout, "localhost", 7))
    for name in ("127.0.0.1", "::1"):
        assert dual["h1"].call(ask(name)) == ("HELLO\n", name)

    async def from_elsewhere() -> str:
        try:
            await ask("10.0.0.1")
        except ConnectionRefusedError:
            return "refused"
        return "open"

    assert dual["h2"].call(from_elsewhere()) == "refused"


def test_a_client_that_binds_an_address(dual: Network) -> None:
    seen = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername"))
        await shout(reader, writer)

    dual["h1"].run(asyncio.start_server(serve, port=7))
    dual["h1"].call(ask("127.0.0.1", local_addr=("127.0.0.5", 5000)))
    dual["h1"].call(ask("10.0.0.1", local_addr=("127.0.0.1", 0)))
    assert seen[0] == ("127.0.0.5", 5000)
    assert seen[1][0] == "127.0.0.1"


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "localhost"])
def test_datagrams(dual: Network, name: str) -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport) -> None:
            self.transport = transport

        def datagram_received(self, data, addr) -> None:
            self.transport.sendto(data.upper(), addr)

    class Ask(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.answer = asyncio.get_running_loop().create_future()

        def datagram_received(self, data, addr) -> None:
            self.answer.set_result((data, addr[0]))

    async def program() -> tuple[bytes, str]:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(Echo, local_addr=(name, 7))
        transport, protocol = await loop.create_datagram_endpoint(Ask, remote_addr=(name, 7))
        transport.sendto(b"hello")
        return await protocol.answer

    address = "::1" if name == "localhost" else name
    assert dual["h1"].call(program()) == (b"HELLO", address)


@pytest.mark.parametrize("name", ["localhost", "LocalHost.", "any.localhost"])
def test_no_server_is_asked_for_the_name(dual: Network, name: str) -> None:
    """RFC 6761, 6.3."""

    async def program() -> list[str]:
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
        only = await loop.getaddrinfo(name, 80, type=socket.SOCK_STREAM, family=socket.AF_INET)
        return [info[4][0] for info in infos + only]

    assert dual["h1"].call(program()) == ["::1", "127.0.0.1", "127.0.0.1"]


def test_a_host_without_ipv6_is_127_0_0_1_only(net: Network) -> None:
    net["h1"].run(asyncio.start_server(shout, "localhost", 7))
    assert net["h1"].call(ask("localhost")) == ("HELLO\n", "127.0.0.1")


def test_a_program_that_sends_without_end_lets_time_go_on(net: Network) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 20):
            pass
        writer.close()

    async def flood() -> int:
        _, writer = await asyncio.open_connection("127.0.0.1", 7)
        loop, sent = asyncio.get_running_loop(), 0
        end = loop.time() + 0.005
        while loop.time() < end:
            writer.write(bytes(100_000))
            sent += 100_000
            await writer.drain()
        writer.close()
        return sent

    net["h1"].run(asyncio.start_server(swallow, port=7))
    sent = net["h1"].call(flood())
    assert 5_000_000 < sent < 12_000_000  # 5 ms at 10 Gbit/s, and what the buffers took

"""Streams, servers and transports over the hosts' own TCP."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from sdnvirt.network.network import Network
from sdnvirt.programs.program import ProgramError


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve(port: int = 7, handler: Any = echo) -> None:
    server = await asyncio.start_server(handler, port=port)
    async with server:
        await server.serve_forever()


def test_an_echo_server_and_its_client(net: Network, family: Any) -> None:
    async def client() -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection(family.hosts[2], 7)
        writer.write(b"hello ")
        writer.write(b"world")
        first = await reader.readexactly(11)
        writer.write_eof()
        rest = await reader.read()
        writer.close()
        await writer.wait_closed()
        return first, rest

    net["h2"].run(serve())
    begun = net.now
    assert net["h1"].call(client()) == (b"hello world", b"")
    assert 0 < net.now - begun < 1_000_000  # a few round trips of 40 us


def test_names_of_both_ends(net: Network, family: Any) -> None:
    seen: list[Any] = []

    async def handler(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername"))
        seen.append(writer.get_extra_info("sockname"))
        writer.close()

    async def client() -> tuple[Any, Any]:
        _, writer = await asyncio.open_connection(family.hosts[2], 80, local_addr=("", 5555))
        endpoint = writer.get_extra_info("socket")
        assert (endpoint.family, endpoint.type) == (family.kind, socket.SOCK_STREAM)
        assert endpoint.getpeername() == family.name(2, 80)
        writer.close()
        return writer.get_extra_info("sockname"), writer.get_extra_info("peername")

    net["h2"].run(serve(80, handler))
    assert net["h1"].call(client()) == (family.name(1, 5555), family.name(2, 80))
    net.run_for("1s")
    assert seen == [family.name(1, 5555), family.name(2, 80)]


def test_a_megabyte_arrives_whole_while_writers_wait_their_turn(net: Network, family: Any) -> None:
    data = bytes(range(256)) * 4096

    async def client() -> bytes:
        reader, writer = await asyncio.open_connection(family.hosts[2], 7)

        async def send() -> None:
            writer.write(data)
            await writer.drain()
            writer.write_eof()

        sending = asyncio.create_task(send())
        answer = await reader.read(-1)
        await sending
        writer.close()
        return answer

    net["h2"].run(serve())
    assert net["h1"].call(client()) == data


def test_a_reader_that_does_not_read_stops_the_writer(net: Network, family: Any) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(10)
        total = 0
        while data := await reader.read(1 << 20):
            total += len(data)
        received.append(total)
        writer.close()

    async def client() -> float:
        _, writer = await asyncio.open_connection(family.hosts[2], 9)
        for _ in range(200):
            writer.write(bytes(100_000))
            await writer.drain()
        writer.close()
        return asyncio.get_running_loop().time()

    received: list[int] = []
    net["h2"].run(serve(9, deaf))
    assert net["h1"].call(client()) > 10
    net.run_for("5s")
    assert received == [20_000_000]


@pytest.mark.parametrize(
    ("whom", "error", "text"),
    [
        ("refuser", ConnectionRefusedError, "connection refused"),
        ("elsewhere", OSError, "network unreachable"),
        ("silent", OSError, "no route to host"),
    ],
)
def test_who_cannot_be_reached(
    net: Network, family: Any, whom: str, error: type[OSError], text: str
) -> None:
    address = {
        "refuser": family.hosts[2], "elsewhere": family.elsewhere, "silent": family.silent,
    }[whom]  # fmt: skip

    async def client() -> str:
        with pytest.raises(error) as caught:
            await asyncio.open_connection(address, 81)
        return str(caught.value)

    assert f"h1 to {address} port 81: {text}" in net["h1"].call(client())


def test_a_reset_is_an_error_to_the_reader(net: Network, family: Any) -> None:
    async def rude(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(family.hosts[2], 9)
        writer.write(b"x")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    net["h2"].run(serve(9, rude))
    net["h1"].call(client())


def test_a_port_is_taken_once(net: Network) -> None:
    net["h2"].run(serve(80))
    net.run_for("1s")
    with pytest.raises(ProgramError, match=r"error while attempting to bind on address .*80"):
        net["h2"].call(serve(80))


def test_a_foreign_address_cannot_be_listened_at(net: Network, family: Any) -> None:
    async def program() -> None:
        await asyncio.start_server(echo, family.hosts[1], 80)

    with pytest.raises(ProgramError, match=f"{family.hosts[1]} is not an address of h2"):
        net["h2"].call(program())


def test_a_server_that_closes_leaves_its_connections(net: Network, family: Any) -> None:
    async def server() -> None:
        serving = await asyncio.start_server(echo, port=7)
        await asyncio.sleep(1)
        serving.close()

    async def client() -> tuple[bytes, type[BaseException] | None]:
        reader, writer = await asyncio.open_connection(family.hosts[2], 7)
        await asyncio.sleep(2)
        writer.write(b"still here")
        answer = await reader.readexactly(10)
        writer.close()
        try:
            await asyncio.open_connection(family.hosts[2], 7)
        except OSError as error:
            return answer, type(error)
        return answer, None

    net["h2"].run(server())
    assert net["h1"].call(client()) == (b"still here", ConnectionRefusedError)


def test_a_connection_that_is_dropped_at_once_begins_and_ends_for_its_protocol(
    net: Network,
) -> None:
    told: list[str] = []
    servers: list[asyncio.Server] = []

    class Teller(asyncio.Protocol):
        def connection_made(self, _transport: asyncio.BaseTransport) -> None:
            told.append("made")

        def connection_lost(self, error: Exception | None) -> None:
            told.append(f"lost {error}")

    def refuse() -> Teller:
        servers[0].abort_clients()
        return Teller()

    async def listen() -> None:
        servers.append(await asyncio.get_running_loop().create_server(refuse, port=7))

    async def client() -> bytes:
        reader, _ = await asyncio.open_connection("10.0.0.2", 7)
        return await reader.read()

    net["h2"].call(listen())
    with pytest.raises(ProgramError, match="reset"):
        net["h1"].call(client())
    assert told == ["made", "lost None"]


def test_a_cancelled_connect_leaves_nothing_behind(net: Network, family: Any) -> None:
    net.set_link("h2--s1", up=False)

    async def client() -> None:
        async with asyncio.timeout(0.5):
            await asyncio.open_connection(family.hosts[2], 7)

    with pytest.raises(ProgramError, match="TimeoutError"):
        net["h1"].call(client())
    net.run_for("1s")
    assert not net.plant.hosts["h1"].tcp.connections


def test_a_thousand_clients_of_one_server(net: Network, family: Any) -> None:
    async def one(number: int) -> bytes:
        reader, writer = await asyncio.open_connection(family.hosts[2], 7)
        writer.write(b"%d" % number)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    async def clients() -> list[bytes]:
        return await asyncio.gather(*(one(number) for number in range(1_000)))

    net["h2"].run(serve())
    assert net["h1"].call(clients()) == [b"%d" % number for number in range(1_000)]


def test_two_runs_give_the_same_trace(net: Network) -> None:
    async def client() -> None:
        reader, writer = await asyncio.open_connection("10.0.0.2", 7)
        for size in (1, 100, 10_000):
            writer.write(bytes(size))
            await reader.readexactly(size)
        writer.close()

    digests = []
    for _ in range(2):
        with Network(net.topology) as network:
            network.start()
            network["h2"].run(serve())
            network["h1"].call(client())
            digests.append(network.trace.digest.hexdigest())
    assert digests[0] == digests[1]

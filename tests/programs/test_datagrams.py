"""UDP sockets of programs."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import pytest

from sdnvirt.host.neighbours import QUEUE_LIMIT
from sdnvirt.network.network import Network
from sdnvirt.programs.program import ProgramError


class Recorder(asyncio.DatagramProtocol):
    """Keeps what arrives, and answers it where it is told how."""

    def __init__(self, prefix: bytes | None = None) -> None:
        self.prefix = prefix
        self.got: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()
        self.errors: list[Exception] = []
        self.lost: list[Exception | None] = []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.put_nowait((data, addr))
        if self.prefix is not None:
            self.transport.sendto(self.prefix + data, addr)

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


async def open_socket(*, prefix: bytes | None = None, **where: Any) -> tuple[Any, Recorder]:
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(lambda: Recorder(prefix), **where)


async def serve(family: Any) -> None:
    await open_socket(prefix=b"> ", local_addr=(family.everywhere, 9))
    await asyncio.Event().wait()


def test_a_question_and_its_answer(net: Network, family: Any) -> None:
    async def client() -> Any:
        transport, recorder = await open_socket(remote_addr=family.name(2, 9))
        transport.sendto(b"hello")
        answer = await recorder.got.get()
        transport.close()
        await asyncio.sleep(0)
        return answer, recorder.lost, transport.is_closing()

    net["h2"].run(serve(family))
    assert net["h1"].call(client()) == ((b"> hello", family.name(2, 9)), [None], True)


def test_a_large_datagram_comes_in_fragments(net: Network, family: Any) -> None:
    async def client() -> bytes:
        transport, recorder = await open_socket(remote_addr=family.name(2, 9))
        transport.sendto(b"x" * 20_000)
        return (await recorder.got.get())[0]

    net["h2"].run(serve(family))
    assert net["h1"].call(client()) == b"> " + b"x" * 20_000


def test_names_and_kinds_of_sockets(net: Network, family: Any) -> None:
    async def program() -> None:
        transport, _ = await open_socket(
            local_addr=family.name(1, 5000), remote_addr=family.name(2, 9)
        )
        endpoint = transport.get_extra_info("socket")
        assert (endpoint.family, endpoint.type) == (family.kind, socket.SOCK_DGRAM)
        assert transport.get_extra_info("sockname") == family.name(1, 5000)
        assert transport.get_extra_info("peername") == family.name(2, 9)
        other, _ = await open_socket(local_addr=(family.everywhere, 0))
        assert other.get_extra_info("sockname")[1] >= 49152
        assert other.get_extra_info("peername") is None
        with pytest.raises(OSError, match="not connected"):
            other.get_extra_info("socket").getpeername()

    net["h1"].call(program())


def test_one_socket_talks_to_many(net: Network, family: Any) -> None:
    async def client() -> set[str]:
        transport, recorder = await open_socket(local_addr=(family.everywhere, 0))
        for address in (family.hosts[2], family.hosts[3]):
            transport.sendto(b"x", (address, 9))
        return {(await recorder.got.get())[1][0] for _ in range(2)}

    net["h2"].run(serve(family))
    net["h3"].run(serve(family))
    assert net["h1"].call(client()) == {family.hosts[2], family.hosts[3]}


def test_a_connected_socket_hears_its_peer_only(net: Network, family: Any) -> None:
    async def client() -> Any:
        _, recorder = await open_socket(
            local_addr=(family.everywhere, 700), remote_addr=family.name(2, 9)
        )
        await asyncio.sleep(1)
        return recorder.got.qsize()

    async def stranger() -> list[str]:
        transport, recorder = await open_socket(remote_addr=family.name(1, 700))
        transport.sendto(b"psst")
        await asyncio.sleep(0.5)
        return [type(error).__name__ for error in recorder.errors]

    listening = net["h1"].run(client())
    assert net["h3"].call(stranger()) == ["ConnectionRefusedError"]
    net.run_for("1s")
    assert listening.result == 0


def test_nobody_there_is_an_error_of_the_socket(net: Network, family: Any) -> None:
    async def client() -> list[Exception]:
        transport, recorder = await open_socket(remote_addr=family.name(2, 10))
        transport.sendto(b"x")
        await asyncio.sleep(1)
        return recorder.errors

    (error,) = net["h1"].call(client())
    assert isinstance(error, ConnectionRefusedError)


def test_a_burst_before_the_neighbour_has_answered_loses_the_oldest(
    net: Network, family: Any
) -> None:
    async def client() -> list[Exception]:
        transport, recorder = await open_socket(remote_addr=family.name(2, 9))
        for n in range(QUEUE_LIMIT + 10):
            transport.sendto(b"%d" % n)
        await asyncio.sleep(1)
        return recorder.errors

    async def server() -> list[bytes]:
        _, recorder = await open_socket(local_addr=(family.everywhere, 9))
        await asyncio.sleep(1)
        return [recorder.got.get_nowait()[0] for _ in range(recorder.got.qsize())]

    listening = net["h2"].run(server())
    assert net["h1"].call(client()) == []
    net.run_for("1s")
    assert listening.result == [b"%d" % n for n in range(10, QUEUE_LIMIT + 10)]


def test_a_neighbour_that_never_answers_is_an_error_of_the_socket(
    net: Network, family: Any
) -> None:
    async def client() -> list[Any]:
        transport, recorder = await open_socket(remote_addr=(family.silent, 9))
        transport.sendto(b"x")
        await asyncio.sleep(5)
        return [error.errno for error in recorder.errors]

    assert net["h1"].call(client()) == [errno.EHOSTUNREACH]


@pytest.mark.parametrize(
    ("size", "whom", "number"),
    [(70_000, "h2", "EMSGSIZE"), (10, "elsewhere", "ENETUNREACH")],
)
def test_what_cannot_be_sent_is_an_error_of_the_socket(
    net: Network, family: Any, size: int, whom: str, number: str
) -> None:
    address = family.hosts[2] if whom == "h2" else family.elsewhere

    async def client() -> list[Any]:
        transport, recorder = await open_socket(local_addr=(family.everywhere, 0))
        transport.sendto(bytes(size), (address, 9))
        await asyncio.sleep(0.1)
        return [errno.errorcode[error.errno] for error in recorder.errors]

    assert net["h1"].call(client()) == [number]


def test_a_port_is_taken_once_and_free_again_when_closed(net: Network, family: Any) -> None:
    async def program() -> str:
        first, _ = await open_socket(local_addr=(family.everywhere, 53))
        with pytest.raises(OSError, match="address already in use") as caught:
            await open_socket(local_addr=(family.everywhere, 53))
        first.close()
        await open_socket(local_addr=(family.everywhere, 53))
        return str(caught.value)

    assert "of h1" in net["h1"].call(program())


def test_another_hosts_address_cannot_be_taken(net: Network, family: Any) -> None:
    with pytest.raises(ProgramError, match=f"{family.hosts[2]} is not an address of h1"):
        net["h1"].call(open_socket(local_addr=family.name(2, 53)))

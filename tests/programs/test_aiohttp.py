"""aiohttp, unmodified, on both ends of an emulated network."""

from __future__ import annotations

import asyncio

import pytest

from sdnvirt.network.network import Network

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is one of the tests' dependencies")


async def site() -> None:
    from aiohttp import web

    async def hello(request: web.Request) -> web.Response:
        return web.json_response({"name": request.match_info["name"], "from": request.remote})

    async def upload(request: web.Request) -> web.Response:
        data = await request.read()
        return web.Response(body=data[::-1])

    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response(text="at last")

    app = web.Application(client_max_size=1 << 22)
    app.router.add_get("/hello/{name}", hello)
    app.router.add_post("/upload", upload)
    app.router.add_get("/slow", slow)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, None, 80).start()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def test_a_server_and_a_client(net: Network) -> None:
    body = bytes(range(256)) * 4000

    async def client() -> None:
        async with aiohttp.ClientSession() as session:
            async with session.get("http://10.0.0.2/hello/bob") as response:
                assert response.status == 200
                assert await response.json() == {"name": "bob", "from": "10.0.0.1"}
            async with session.post("http://10.0.0.2/upload", data=body) as response:
                assert await response.read() == body[::-1]
            async with session.get("http://10.0.0.2/nothing") as response:
                assert response.status == 404

    net["h2"].run(site())
    net["h1"].call(client())
    assert net.now < 1_000_000_000


def test_a_timeout_of_virtual_time(net: Network) -> None:
    async def client() -> float:
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            with pytest.raises(TimeoutError):
                await session.get("http://10.0.0.2/slow")
        return asyncio.get_running_loop().time()

    net["h2"].run(site())
    assert net["h1"].call(client()) == pytest.approx(30, abs=1)


def test_a_server_that_is_not_there(net: Network) -> None:
    async def client() -> str:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await session.get("http://10.0.0.3/")
        return str(caught.value)

    assert "connection refused" in net["h1"].call(client())


def test_fifty_clients_at_once(net: Network) -> None:
    async def client() -> list[str]:
        async def one(session: aiohttp.ClientSession, number: int) -> str:
            async with session.get(f"http://10.0.0.2/hello/{number}") as response:
                return (await response.json())["name"]

        async with aiohttp.ClientSession() as session:
            return await asyncio.gather(*(one(session, number) for number in range(50)))

    net["h2"].run(site())
    assert net["h1"].call(client()) == [str(number) for number in range(50)]

"""Time of programs: virtual, exact, and shared by all hosts."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from sdnvirt.errors import UserError
from sdnvirt.network.network import Network
from sdnvirt.programs.clock import SPIN_LIMIT
from sdnvirt.programs.crashes import END_ROUNDS
from sdnvirt.programs.place import here
from sdnvirt.programs.program import ProgramError

MS = 1_000_000


async def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_program_begins_now_and_returns_what_it_returns(net: Network) -> None:
    net.run_for("1.5s")

    async def program() -> tuple[float, str]:
        return await now(), "done"

    assert net["h1"].call(program()) == (1.5, "done")
    assert net.now == 1500 * MS


@pytest.mark.parametrize("seconds", [0.1, 1e-9, 1 / 3, 86400.000000001])
def test_sleep_takes_virtual_time_exactly(net: Network, seconds: float) -> None:
    before = net.now
    net["h1"].call(asyncio.sleep(seconds), limit=10**15)
    assert net.now - before == round(seconds * 1e9)


def test_no_error_adds_up_over_many_sleeps(net: Network) -> None:
    async def program() -> None:
        for _ in range(1_000):
            await asyncio.sleep(0.001)

    net["h1"].call(program())
    assert net.now == 1_000 * MS


def test_programs_of_all_hosts_share_the_time(net: Network) -> None:
    order: list[tuple[str, int]] = []

    async def program(name: str, period: float) -> None:
        for _ in range(3):
            await asyncio.sleep(period)
            order.append((name, net.now // MS))

    net["h1"].run(program("a", 0.02))
    net["h2"].run(program("b", 0.03))
    net.run_for("1s")
    assert order == [("a", 20), ("b", 30), ("a", 40), ("b", 60), ("a", 60), ("b", 90)]


def test_a_timeout_is_one_of_virtual_time(net: Network) -> None:
    async def program() -> str:
        try:
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "set"

    assert net["h1"].call(program()) == "timed out"
    assert net.now == 30_000 * MS


def test_tasks_queues_and_cancellation_are_asyncios_own(net: Network) -> None:
    async def worker(queue: asyncio.Queue[int], out: list[int]) -> None:
        try:
            while True:
                out.append(await queue.get())
                await asyncio.sleep(0.01)
        finally:
            out.append(-1)

    async def program() -> list[int]:
        queue: asyncio.Queue[int] = asyncio.Queue()
        out: list[int] = []
        async with asyncio.TaskGroup() as group:
            task = group.create_task(worker(queue, out))
            for number in range(3):
                await queue.put(number)
            await asyncio.sleep(0.1)
            task.cancel()
        return out

    assert net["h1"].call(program()) == [0, 1, 2, -1]


def test_a_program_that_never_lets_time_pass_is_stopped(net: Network) -> None:
    async def program() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(UserError, match=f"programs ran {SPIN_LIMIT} rounds at 0 ns without"):
        net["h1"].call(program())


def test_a_program_that_takes_too_long_is_told_and_cancelled(net: Network) -> None:
    cancelled: list[int] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(net.now)
            raise

    with pytest.raises(UserError, match="the program endless on h1 has not ended within 2 s"):
        net["h1"].call(endless(), limit="2s")
    net.run_for(1)
    assert cancelled == [2000 * MS]


def test_an_exception_names_the_host_and_ends_the_run(net: Network) -> None:
    async def faulty() -> None:
        await asyncio.sleep(1)
        raise LookupError("no such thing")

    net["h2"].run(faulty())
    with pytest.raises(ProgramError, match="h2: the program faulty raised LookupError: no such"):
        net.run_for("5s")
    assert net.now == 1000 * MS
    net.run_for("1s")  # the network itself is whole


def test_an_exception_in_a_callback_is_not_lost(net: Network) -> None:
    async def program() -> None:
        asyncio.get_running_loop().call_later(1, lambda: 1 // 0)
        await asyncio.sleep(3)

    net["h2"].run(program())
    with pytest.raises(ProgramError, match="h2: a program raised ZeroDivisionError"):
        net.run_for("5s")


def test_the_cause_of_an_error_is_the_exception_itself(net: Network) -> None:
    class OopsError(Exception):
        pass

    async def faulty() -> None:
        raise OopsError

    with pytest.raises(ProgramError) as caught:
        net["h1"].call(faulty())
    assert isinstance(caught.value.__cause__, OopsError)


@pytest.mark.parametrize(
    ("what", "ask"),
    [
        ("run_in_executor", lambda loop: loop.run_in_executor(None, print)),
        ("run_in_executor", lambda loop: asyncio.to_thread(print)),
        ("call_soon_threadsafe", lambda loop: loop.call_soon_threadsafe(print)),
        ("add_reader", lambda loop: loop.add_reader(0, print)),
        ("add_signal_handler", lambda loop: loop.add_signal_handler(2, print)),
        ("subprocess_exec", lambda loop: asyncio.create_subprocess_exec("true")),
        ("subprocess_shell", lambda loop: asyncio.create_subprocess_shell("true")),
        ("sock_recv", lambda loop: loop.sock_recv(None, 1)),
        ("sock_sendall", lambda loop: loop.sock_sendall(None, b"")),
        ("create_unix_server", lambda loop: asyncio.start_unix_server(print, "socket")),
        ("start_tls", lambda loop: loop.start_tls(None, None, None)),
    ],
)
def test_what_would_leave_the_emulated_network_is_refused_in_words(
    net: Network, what: str, ask: Any
) -> None:
    async def program() -> None:
        result = ask(asyncio.get_running_loop())
        if result is not None:
            await result

    with pytest.raises(ProgramError, match=f"{what} is not there for programs on emulated hosts"):
        net["h1"].call(program())


def test_what_cannot_be_added_is_not_there_to_remove(net: Network) -> None:
    async def program() -> list[bool]:
        loop = asyncio.get_running_loop()
        return [loop.remove_reader(0), loop.remove_writer(0), loop.remove_signal_handler(2)]

    assert net["h1"].call(program()) == [False, False, False]


def test_a_task_that_nobody_waited_for_is_told_with_its_host(net: Network) -> None:
    async def faulty() -> None:
        raise ValueError("oops")

    async def program() -> None:
        task = asyncio.create_task(faulty())
        await asyncio.sleep(1)
        del task

    net["h2"].run(program())
    with pytest.raises(ProgramError, match="h2: a program raised ValueError: oops"):
        net.run_for("5s")


def test_a_group_of_exceptions_is_told_one_by_one(net: Network) -> None:
    async def faulty() -> None:
        raise ValueError("oops")

    async def program() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(faulty())

    with pytest.raises(ProgramError, match=r"\(1 sub-exception\): ValueError: oops"):
        net["h1"].call(program())


def test_a_generator_that_is_left_cleans_up_on_the_host(net: Network) -> None:
    ended: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)
            ended.append(here().name)

    async def program() -> None:
        async for _ in numbers():
            break
        await asyncio.sleep(2)

    net["h1"].call(program())
    assert ended == ["h1"]


def test_a_program_cannot_run_the_network_that_runs_it(net: Network) -> None:
    async def program() -> None:
        net.run_for("1s")

    with pytest.raises(ProgramError, match="UserError: pair is running already"):
        net["h1"].call(program())
    net.run_for("1s")
    assert net.now == 1_000 * MS


def test_a_duration_is_not_negative(net: Network) -> None:
    with pytest.raises(UserError, match="a duration of -1; expected 0 or more"):
        net.run_for(-1)


def test_programs_end_with_the_network(net: Network) -> None:
    ended: list[str] = []

    async def program() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("cleaned up")

    net["h1"].run(program())
    net.run_for("1s")
    net.close()
    assert ended == ["cleaned up"]


def test_the_programs_of_a_host_end_when_it_crashes(net: Network) -> None:
    one = net["h1"].run(asyncio.sleep(10))
    other = net["h2"].run(asyncio.sleep(10))
    net.run_for("1s")
    net.faults.crash("h1")
    net.run_for("1s")
    assert (one.done, other.done) == (True, False)
    with pytest.raises(UserError, match="the program sleep on h1 was cancelled"):
        _ = one.result


def test_what_the_programs_of_a_host_made_ends_with_them(net: Network) -> None:
    seen: list[str] = []

    async def child() -> None:
        while True:
            await asyncio.sleep(1)
            seen.append("child")

    async def program() -> None:
        task = asyncio.create_task(child())
        asyncio.get_running_loop().call_later(3, seen.append, "timer")
        await task

    net["h1"].run(program())
    net.run_for("1.5s")
    net.faults.crash("h1")
    net.run_for("10s")
    assert seen == ["child"]


@pytest.mark.parametrize("catches", [1, END_ROUNDS - 1, END_ROUNDS, 100])
def test_what_catches_the_end_does_not_run_on_a_crashed_host(net: Network, catches: int) -> None:
    seen: list[int] = []

    async def child() -> None:
        await asyncio.sleep(1)
        seen.append(net.now)

    async def program() -> None:
        for _ in range(catches):
            try:
                while True:
                    await asyncio.sleep(1)
                    seen.append(net.now)
            except asyncio.CancelledError:
                asyncio.create_task(child())  # noqa: RUF006 - it ends, too

    running = net["h1"].run(program())
    net.run_for("1.5s")
    net.faults.crash("h1")
    net.run_for("1s")
    net.faults.restart("h1")
    gc.collect()
    net.run_for("10s")
    assert seen == [1_000 * MS]
    assert running.done is (catches <= END_ROUNDS)


def test_a_program_that_is_put_there_after_the_crash_lives(net: Network) -> None:
    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    async def program() -> int:
        await asyncio.sleep(1)
        return net.now

    old = net["h1"].run(stubborn())
    net.run_for("1s")
    net.faults.crash("h1")
    net.faults.restart("h1")
    new = net["h1"].run(program())
    net.run_for("5s")
    assert old.done
    assert new.result == 2_000 * MS


def test_a_server_that_crashes_is_not_to_blame_for_its_connections(net: Network) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(100):
                pass
        finally:
            writer.close()
            await writer.wait_closed()

    async def server() -> None:
        async with await asyncio.start_server(serve, port=7) as listening:
            await listening.serve_forever()

    async def client() -> str:
        _, writer = await asyncio.open_connection("10.0.0.2", 7)
        try:
            while True:
                writer.write(b"tick")
                await writer.drain()
                await asyncio.sleep(0.1)
        except OSError as error:
            return type(error).__name__

    net["h2"].run(server())
    running = net["h1"].run(client())
    net.run_for("1s")
    net.faults.crash("h2")
    net.run_for("1s")
    net.faults.restart("h2")
    net["h2"].run(server())
    net.run_for("10s")
    assert running.result == "ConnectionResetError"

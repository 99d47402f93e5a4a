"""TCP between an emulated host and the Linux kernel."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from scapy.layers.inet import TCP
from scapy.layers.l2 import Ether

from sdnvirt.devices.jitter import UniformJitter
from sdnvirt.devices.link import LinkParameters
from sdnvirt.devices.rules import PASS, Drop, Verdict
from sdnvirt.frame import Frame
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.parameters import KeepAlive, TcpParameters
from sdnvirt.host.tcp.states import State

MEGABYTE: Final = 1 << 20
PORT: Final = 80

OUR_STREAM: Final = Random(1).randbytes(MEGABYTE)
KERNEL_STREAM: Final = Random(2).randbytes(MEGABYTE)


class Program:
    """The owner of a connection of ours: sends a stream, and keeps what comes.

    Attributes:
        received: what came.
        eof: whether the peer has sent all it will.
        lost: why the connection ended: a Loss, None for a clean end, or ... while it lives.
    """

    def __init__(self, connection: TcpConnection, stream: bytes = b"", end: bool = True) -> None:
        self.connection = connection
        self.received = bytearray()
        self.eof = False
        self.connected = False
        self.lost: Any = ...
        self._stream = memoryview(stream)
        self._end = end
        connection.on_connected = self._begin
        connection.on_writable = self._write
        connection.on_data = self.received.extend
        connection.on_eof = lambda: setattr(self, "eof", True)
        connection.on_closed = lambda loss: setattr(self, "lost", loss)
        if connection.state in (State.ESTABLISHED, State.CLOSE_WAIT):
            self._begin()

    def _begin(self) -> None:
        self.connected = True
        self._write()

    def _write(self) -> None:
        self._stream = self._stream[self.connection.write(bytes(self._stream)) :]
        if not self._stream and self._end:
            self._end = False
            self.connection.shutdown_write()


def connect(host, ip, stream: bytes = b"", end: bool = True, **options: Any) -> Program:
    connection = host.tcp.connect(ip.kernels, PORT, **options)
    assert isinstance(connection, TcpConnection)
    return Program(connection, stream, end)


def listen(host, stream: bytes = b"", end: bool = True) -> list[Program]:
    """Listen; return the owners of the connections that come, as they come."""
    programs: list[Program] = []
    host.tcp.listen(PORT, lambda connection: programs.append(Program(connection, stream, end)))
    return programs


def listening(peers, ip) -> socket.socket:
    """Return a socket of the kernel's that listens."""

    def make() -> socket.socket:
        listener = ip.socket(socket.SOCK_STREAM)
        listener.bind((str(ip.kernels), PORT))
        listener.listen()
        return listener

    return peers.kernel.do(make)


def connected(ip) -> socket.socket:
    """Return a socket of the kernel's that is connected to us; for a program of the kernel's."""
    client = ip.socket(socket.SOCK_STREAM)
    client.connect((str(ip.ours), PORT))
    return client


def accepted(listener: socket.socket) -> socket.socket:
    """Return the next connection to a socket of the kernel's; for a program of the kernel's."""
    connection, _ = listener.accept()
    connection.settimeout(listener.gettimeout())
    return connection


def exchange(connection: socket.socket, stream: bytes) -> bytes:
    """Send a stream and take the peer's at once; for a program of the kernel's."""
    from threading import Thread

    def send() -> None:
        connection.sendall(stream)
        connection.shutdown(socket.SHUT_WR)

    sending = Thread(target=send, daemon=True)
    sending.start()
    received = drain(connection)
    sending.join()
    return received


def drain(connection: socket.socket) -> bytes:
    """Return what the peer sends until its end; for a program of the kernel's."""
    received = bytearray()
    while data := connection.recv(1 << 16):
        received += data
    return bytes(received)


def serve_one(listener: socket.socket, stream: bytes) -> Callable[[], bytes]:
    def program() -> bytes:
        with accepted(listener) as connection:
            return exchange(connection, stream)

    return program


def test_a_megabyte_each_way_when_we_connect(peers, host, ip) -> None:
    with listening(peers, ip) as listener:
        ours = connect(host, ip, OUR_STREAM)
        assert peers.run(serve_one(listener, KERNEL_STREAM)) == OUR_STREAM
    peers.until(lambda: ours.eof)
    assert ours.received == KERNEL_STREAM
    assert peers.troubles() == {}


def test_a_megabyte_each_way_when_the_kernel_connects(peers, host, ip) -> None:
    programs = listen(host, OUR_STREAM)

    def program() -> bytes:
        with connected(ip) as connection:
            return exchange(connection, KERNEL_STREAM)

    assert peers.run(program) == OUR_STREAM
    [ours] = programs
    peers.until(lambda: ours.eof)
    assert ours.received == KERNEL_STREAM
    assert peers.troubles() == {}


BAD_WAYS: Final = {
    "loss": LinkParameters(delay_ns=2_000_000, loss=0.02),
    "reordering": LinkParameters(
        delay_ns=2_000_000, reorder=0.05,
        jitter=UniformJitter(keeps_order=False, spread_ns=1_000_000),
    ),
    "duplication": LinkParameters(delay_ns=1_000_000, duplicate=0.1),
    "corruption": LinkParameters(delay_ns=1_000_000, corrupt=0.01),
    "a short queue": LinkParameters(rate_bps=50_000_000, delay_ns=1_000_000, queue_bytes=30_000),
}  # fmt: skip


@pytest.mark.parametrize("way", BAD_WAYS)
def test_a_megabyte_each_way_over_a_bad_link(peers, ip, way: str) -> None:
    host = peers.host("h1", "tap0")
    host.configure(ip.our_interface)
    link = peers.tap(host.interface.port, ip.kernel_interface)
    with listening(peers, ip) as listener:
        for end in link.ends:
            link.change(end, BAD_WAYS[way])
        ours = connect(host, ip, OUR_STREAM)
        assert peers.run(serve_one(listener, KERNEL_STREAM)) == OUR_STREAM
    peers.until(lambda: ours.eof)
    assert ours.received == KERNEL_STREAM


class TestOptions:
    EXPECTED: Final = {"MSS", "SAckOK", "Timestamp", "WScale"}

    @pytest.mark.parametrize("who", ["we", "the kernel"])
    def test_are_offered_and_agreed_to(self, peers, host, ip, heard, who: str) -> None:
        if who == "we":
            with listening(peers, ip) as listener:
                connect(host, ip, b"hello")
                assert peers.run(serve_one(listener, b"")) == b"hello"
        else:
            listen(host)

            def program() -> None:
                with connected(ip) as connection:
                    connection.sendall(b"hello")
                    connection.shutdown(socket.SHUT_WR)
                    drain(connection)

            peers.run(program)
        segments = [packet[TCP] for packet in map(Ether, heard.frames) if TCP in packet]
        syns = [one for one in segments if one.flags.S]
        assert [str(one.flags) for one in syns] == ["S", "SA"]
        for syn in syns:
            options = dict(syn.options)
            assert options.keys() - {"NOP", "EOL"} == self.EXPECTED
            assert options["MSS"] == 1500 - ip.header_length - 20
            assert options["WScale"] > 0
        others = [dict(one.options) for one in segments if not one.flags.S and not one.flags.R]
        assert all("Timestamp" in options for options in others)

    def test_the_kernel_tells_of_gaps_and_we_believe(self, peers, host, ip, heard) -> None:
        """The kernel's SACK blocks let us repeat just what was lost (RFC 6675)."""
        link = peers.links[0]
        with listening(peers, ip) as listener:
            ours = connect(host, ip, b"", end=False)
            peers.until(lambda: ours.connected)
            link.add_rule(host.interface.port, LoseOne(8))
            before = len(heard.frames)
            ours.connection.write(OUR_STREAM[:40_000])
            ours.connection.shutdown_write()
            assert peers.run(serve_one(listener, b"")) == OUR_STREAM[:40_000]
        packets = [Ether(data) for data in heard.frames[before:]]
        segments = [one[TCP] for one in packets if TCP in one]
        assert any(dict(one.options).get("SAck") for one in segments if one.sport == PORT)
        data = [
            one.seq for one in segments
            if one.dport == PORT and len(one.payload) and not one.flags.S
        ]  # fmt: skip
        again = [seq for seq in data if data.count(seq) > 1]
        assert len(again) == 2
        assert len(set(again)) == 1


class LoseOne:
    """A fault rule that loses one frame."""

    def __init__(self, number: int) -> None:
        self._left = number

    def judge(self, _frame: Frame, _now: int) -> Verdict:
        self._left -= 1
        return PASS if self._left else Drop()


class TestEnds:
    def test_the_kernel_sends_on_after_our_half_close(self, peers, host, ip) -> None:
        with listening(peers, ip) as listener:
            ours = connect(host, ip, b"question")

            def program() -> bytes:
                with accepted(listener) as connection:
                    question = drain(connection)
                    connection.sendall(question[::-1] * 10_000)
                    return question

            assert peers.run(program) == b"question"
        peers.until(lambda: ours.eof)
        assert ours.received == b"question"[::-1] * 10_000
        assert ours.lost is None
        assert ours.connection.state is State.TIME_WAIT

    def test_we_send_on_after_the_kernels_half_close(self, peers, host, ip) -> None:
        programs = listen(host, end=False)

        def question() -> socket.socket:
            connection = connected(ip)
            connection.sendall(b"question")
            connection.shutdown(socket.SHUT_WR)
            return connection

        with peers.run(question) as connection:
            peers.until(lambda: programs)  # the kernel knows first that they are connected
            [ours] = programs
            peers.until(lambda: ours.eof)
            assert ours.connection.state is State.CLOSE_WAIT
            Program(ours.connection, ours.received[::-1] * 10_000)
            assert peers.run(lambda: drain(connection)) == b"question"[::-1] * 10_000
        peers.until(lambda: ours.connection.state is State.CLOSED)
        assert not host.tcp.connections

    def test_nobody_listens_here(self, peers, host, ip) -> None:
        def program() -> None:
            refused = pytest.raises(ConnectionRefusedError)
            with ip.socket(socket.SOCK_STREAM) as client, refused:
                client.connect((str(ip.ours), PORT))

        peers.run(program)

    def test_nobody_listens_there(self, peers, host, ip) -> None:
        ours = connect(host, ip)
        peers.until(lambda: ours.lost is not ...)
        assert ours.lost is Loss.REFUSED

    def test_our_program_is_killed(self, peers, host, ip) -> None:
        with listening(peers, ip) as listener:
            ours = connect(host, ip, b"hello", end=False)

            def program() -> socket.socket:
                connection = accepted(listener)
                assert connection.recv(100) == b"hello"
                return connection

            with peers.run(program) as connection:
                ours.connection.abort()
                with pytest.raises(ConnectionResetError):
                    peers.run(lambda: connection.recv(100))

    def test_the_kernels_program_is_killed(self, peers, host, ip) -> None:
        with listening(peers, ip) as listener:
            ours = connect(host, ip, b"unread", end=False)

            def program() -> None:
                with accepted(listener) as connection:
                    connection.recv(1)  # the rest is unread, which makes it a RST

            peers.run(program)
            peers.until(lambda: ours.lost is not ...)
        assert ours.lost is Loss.RESET
        assert not host.tcp.connections

    def test_a_connection_that_we_forgot_is_reset(self, peers, host, ip) -> None:
        """As after a crash: whatever the kernel says then is answered by a RST."""
        programs = listen(host, end=False)
        with peers.run(lambda: connected(ip)) as connection:
            peers.until(lambda: programs)  # the kernel knows first that they are connected
            [ours] = programs
            host.tcp.over(ours.connection)

            def program() -> None:
                connection.sendall(b"are you there?")
                with pytest.raises(ConnectionResetError):
                    connection.recv(100)

            peers.run(program)

    def test_our_time_wait_gives_room_to_a_new_connection(self, peers, host, ip) -> None:
        """The kernel calls again from the same port while we linger (RFC 9293, MAY-2)."""
        programs = listen(host, b"hello")

        def program() -> bytes:
            with ip.socket(socket.SOCK_STREAM) as client:
                client.bind((str(ip.kernels), 40_000))
                client.connect((str(ip.ours), PORT))
                # Whoever has closed first lingers, and that are we.
                return drain(client)

        assert peers.run(program) == b"hello"
        peers.until(lambda: programs[0].connection.state is State.TIME_WAIT)
        assert peers.run(program) == b"hello"
        assert len(programs) == 2

    def test_the_kernels_time_wait_gives_room_to_our_new_connection(self, peers, host, ip) -> None:
        """So our initial sequence numbers and timestamps grow (RFC 6528, RFC 6191)."""
        with listening(peers, ip) as listener:
            for _ in range(2):
                ours = connect(host, ip, end=False, local_port=40_000)
                peers.run(lambda: accepted(listener).close())
                self.close_behind_the_peer(peers, host, ours)
                sockets = peers.kernel.do(Path("/proc/thread-self/net/sockstat").read_text)
                assert " tw 1 " in sockets

    def close_behind_the_peer(self, peers, host, ours: Program) -> None:
        peers.until(lambda: ours.eof)
        ours.connection.close()
        peers.until(lambda: not host.tcp.connections)

    def test_the_kernels_window_closes_and_opens(self, peers, host, ip) -> None:
        """Zero windows are probed; the whole stream arrives once the reader goes on."""
        with listening(peers, ip) as listener:
            peers.kernel.do(
                lambda: listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
            )
            ours = connect(host, ip, OUR_STREAM[:300_000])
            connection = peers.run(lambda: accepted(listener))
            with connection:
                start = peers.world.scheduler.now
                peers.until(lambda: peers.world.scheduler.now > start + 10**9)
                assert ours.connection.writable < 2 * MEGABYTE - 200_000
                assert peers.run(lambda: drain(connection)) == OUR_STREAM[:300_000]

    def test_our_window_closes_and_opens(self, peers, host, ip) -> None:
        programs = listen(host, end=False)

        def send(connection: socket.socket) -> Callable[[], None]:
            return lambda: connection.sendall(OUR_STREAM * 6)

        with peers.run(lambda: connected(ip)) as connection:
            peers.until(lambda: programs)  # the kernel knows first that they are connected
            [ours] = programs
            ours.connection.pause_reading()
            sending = peers.kernel.start(send(connection))
            start = peers.world.scheduler.now
            peers.until(lambda: peers.world.scheduler.now > start + 10**9)
            assert not ours.received
            ours.connection.resume_reading()
            peers.until(lambda: not sending.is_alive())
            sending.result()
        peers.until(lambda: ours.eof)
        assert ours.received == OUR_STREAM * 6


def test_a_dead_peer_is_given_up_by_keep_alive(peers, host, ip) -> None:
    # The kernel answers one segment outside the window each 0.5 s by default, and a probe is one.
    peers.kernel.sysctl("ipv4/tcp_invalid_ratelimit", 0)
    alive = KeepAlive(idle_ns=100_000_000, interval_ns=100_000_000, count=3)
    with listening(peers, ip) as listener:
        ours = connect(host, ip, end=False, parameters=TcpParameters(keep_alive=alive))
        with peers.run(lambda: accepted(listener)):
            start = peers.world.scheduler.now
            peers.until(lambda: peers.world.scheduler.now > start + 10**9)
            assert ours.lost is ...  # the kernel answers the probes
            peers.kernel.ip("link set tap0 down")
            peers.until(lambda: ours.lost is not ...)
            assert ours.lost is Loss.TIMED_OUT

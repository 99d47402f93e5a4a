"""Ping, UDP, and errors between an emulated host and the Linux kernel."""

from __future__ import annotations

import errno
import os
import socket
import struct
from random import Random
from typing import Any

import pytest

from sdnvirt.host.paths import Fragmentation
from sdnvirt.host.udp import UdpSocket

SIZES = [0, 56, 1400, 1472, 4000, 20_000]


def payload(size: int) -> bytes:
    return Random(size).randbytes(size)


@pytest.mark.parametrize("size", SIZES)
def test_we_ping_the_kernel(peers, host, ip, size: int) -> None:
    ping = host.start_ping(
        ip.kernels, 2, interval_ns=50_000_000, size=size, timeout_ns=10**10,
        fragmentation=Fragmentation.SENDER,
    )  # fmt: skip
    peers.until(lambda: ping.done)
    assert ping.result().received == ping.result().sent == 2
    assert ping.result().duplicates == 0
    assert peers.troubles() == {}


@pytest.mark.parametrize("size", SIZES)
def test_the_kernel_pings_us(peers, host, ip, size: int) -> None:
    peers.kernel.sysctl("ipv4/ping_group_range", f"{os.getegid()} {os.getegid()}")
    request, reply = (8, 0) if ip.is_v4 else (128, 129)

    def program() -> list[tuple[int, bytes]]:
        with ip.socket(socket.SOCK_DGRAM, ip.echo_protocol) as echo:
            answers = []
            for number in range(2):
                head = struct.pack("!BBHHH", request, 0, 0, 0, number)
                echo.sendto(head + payload(size), (str(ip.ours), 0))
                answer = echo.recv(65536)
                answers.append((answer[0], answer[6:]))
            return answers

    expected = [(reply, number.to_bytes(2, "big") + payload(size)) for number in range(2)]
    assert peers.run(program) == expected
    assert peers.troubles() == {}


class TestUdp:
    @pytest.mark.parametrize("size", SIZES)
    def test_the_kernel_hears_an_echo_of_us(self, peers, host, ip, size: int) -> None:
        def answer(src: Any, port: int, data: bytes, cause: int) -> None:
            assert server.send(src, port, data[::-1], cause) is None

        server = UdpSocket(host, 7, answer, fragmentation=Fragmentation.SENDER)

        def program() -> bytes:
            with ip.socket(socket.SOCK_DGRAM) as client:
                client.connect((str(ip.ours), 7))
                client.send(payload(size))
                return client.recv(65536)

        assert peers.run(program) == payload(size)[::-1]

    @pytest.mark.parametrize("size", SIZES)
    def test_we_hear_an_echo_of_the_kernel(self, peers, host, ip, size: int) -> None:
        heard: list[bytes] = []
        client = UdpSocket(
            host, 0, lambda _src, _port, data, _cause: heard.append(data),
            fragmentation=Fragmentation.SENDER,
        )  # fmt: skip
        with peers.kernel.do(lambda: ip.socket(socket.SOCK_DGRAM)) as server:
            server.bind((str(ip.kernels), 7))

            def program() -> None:
                data, address = server.recvfrom(65536)
                server.sendto(data[::-1], address)

            assert client.send(ip.kernels, 7, payload(size)) is None
            peers.run(program)
        peers.until(lambda: heard)
        assert heard == [payload(size)[::-1]]

    def test_a_port_of_ours_is_unreachable(self, peers, host, ip) -> None:
        def program() -> int | None:
            with ip.socket(socket.SOCK_DGRAM) as client:
                client.connect((str(ip.ours), 9))
                client.send(b"is anybody there?")
                try:
                    client.recv(100)
                except OSError as error:
                    return error.errno
                return None

        assert peers.run(program) == errno.ECONNREFUSED

    def test_a_port_of_the_kernels_is_unreachable(self, peers, host, ip) -> None:
        errors: list[str] = []
        client = UdpSocket(host, 0, lambda *_: None, on_error=errors.append)
        assert client.send(ip.kernels, 9, b"is anybody there?") is None
        peers.until(lambda: errors)
        assert errors == [f"from {ip.kernels}: destination port unreachable"]

    def test_a_group_that_the_kernel_joined(self, peers, host, ip) -> None:
        group = "239.1.2.3" if ip.is_v4 else "ff05::1234"
        heard: list[bytes] = []
        ours = UdpSocket(
            host, 5000, lambda _src, _port, data, _cause: heard.append(data),
            interface=host.interface,
        )  # fmt: skip
        ours.join(type(ip.ours)(group))

        def join() -> socket.socket:
            member = ip.socket(socket.SOCK_DGRAM)
            member.bind(("", 5000))
            index = socket.if_nametoindex("tap0")
            packed = socket.inet_pton(ip.family, group)
            if ip.is_v4:
                request = packed + socket.inet_aton(str(ip.kernels))
                member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
                member.setsockopt(
                    socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(str(ip.kernels))
                )
                member.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            else:
                request = packed + struct.pack("@I", index)
                member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
                member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            return member

        with peers.kernel.do(join) as member:
            assert ours.send(type(ip.ours)(group), 5000, b"from us") is None
            assert peers.run(lambda: member.recv(100)) == b"from us"
            peers.run(lambda: member.sendto(b"from the kernel", (group, 5000)))
            peers.until(lambda: len(heard) == 2)
        assert heard == [b"from us", b"from the kernel"]  # a member hears itself, too

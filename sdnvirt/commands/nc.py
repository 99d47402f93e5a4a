"""nc: text over TCP and UDP, to a port or at one, as OpenBSD's netcat does it."""

from __future__ import annotations

import asyncio
import codecs
import errno
import os
import socket
from argparse import Namespace
from contextlib import suppress
from typing import Any, Final

from sdnvirt.addresses import IpAddress, Ipv4
from sdnvirt.commands.command import Command, Failure, Surroundings, add_family, family_of
from sdnvirt.commands.options import Options, seconds
from sdnvirt.commands.targets import lookup_error
from sdnvirt.units import NS_PER_S

CHUNK: Final = 1 << 16
"""Bytes that are read at once."""

PORTS_LIMIT: Final = 0xFFFF

SILENCE_NS: Final = NS_PER_S
"""How long a UDP port that is scanned may object."""


class Netcat(Command):
    """nc: netcat."""

    summary = "send and receive text over TCP and UDP"

    def options(self, name: str) -> Options:
        """Return the options of OpenBSD's nc that mean something here."""
        options = Options(name, self.summary)
        add_family(options)
        options.add_argument("-l", dest="listen", action="store_true", help="wait for a peer")
        options.add_argument("-k", dest="keep", action="store_true", help="and for the next one")
        options.add_argument("-u", dest="udp", action="store_true", help="UDP instead of TCP")
        options.add_argument("-p", dest="local", type=_port, default=0, help="local port")
        options.add_argument("-z", dest="scan", action="store_true", help="look for listeners")
        options.add_argument("-v", dest="verbose", action="store_true", help="tell more")
        options.add_argument("-n", action="store_true", help="no names")
        options.add_argument(
            "-N", dest="shutdown", action="store_true", help="end the stream behind the input"
        )
        options.add_argument(
            "-w", dest="wait", type=seconds, help="seconds to connect in, and of silence at most"
        )
        options.add_argument("where", nargs="*", help="[host] port, or first-last with -z")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Listen, scan, or connect; what stdin holds is sent."""
        try:
            if given.listen:
                return await _listen(given, at)
            if len(given.where) != 2:
                raise Failure("nc: missing host or port number", 1)
            host, ports = given.where
            family = family_of(given)
            try:
                peer = await at.resolve(host, family)
            except socket.gaierror as error:
                said = lookup_error(error, host, family)
                raise Failure(
                    f'nc: getaddrinfo for host "{host}" port {ports}: {said}', 1
                ) from None
            found = [await _reach(given, at, host, peer, port) for port in _range(ports)]
            return 0 if any(found) else 1
        except asyncio.CancelledError:
            return 130


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= PORTS_LIMIT:
        raise Failure(f"nc: port number invalid: {text}", 1)
    return int(text)


def _range(text: str) -> range:
    first, dash, last = text.partition("-")
    return range(_port(first), (_port(last) if dash else _port(first)) + 1)


class _Printer:
    """Prints bytes as text, characters that come in pieces included."""

    def __init__(self, at: Surroundings) -> None:
        self._out = at.out
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def show(self, data: bytes) -> None:
        self._out.write(self._decode(data))


async def _reach(given: Namespace, at: Surroundings, host: str, peer: IpAddress, port: int) -> bool:
    """Connect to a port; return whether somebody is there."""
    if given.udp:
        return await _talk_by_udp(given, at, host, peer, port)
    what = f"nc: connect to {host} ({peer}) port {port} (tcp)"
    if host == str(peer):
        what = f"nc: connect to {host} port {port} (tcp)"
    local = ("", given.local) if given.local else None
    try:
        async with asyncio.timeout(_float(given.wait)):
            reader, writer = await asyncio.open_connection(str(peer), port, local_addr=local)
    except OSError as error:
        if error.errno is None:  # the limit that was asked for, not that of TCP
            at.out.line(f"{what} timed out: {os.strerror(errno.EINPROGRESS)}")
        elif given.verbose or not given.scan:
            at.out.line(f"{what} failed: {os.strerror(error.errno)}")
        return False
    if given.verbose:
        at.out.line(f"Connection to {host} {port} port [tcp/*] succeeded!")
    if given.scan:
        writer.close()
        return True
    await _talk(given, at, reader, writer)
    return True


async def _talk(
    given: Namespace, at: Surroundings, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Send the input, and print what comes until the peer ends its stream."""
    printer = _Printer(at)
    with suppress(OSError, TimeoutError):
        try:
            writer.write(at.stdin)
            if given.shutdown:
                writer.write_eof()
            while True:
                async with asyncio.timeout(_float(given.wait)):
                    data = await reader.read(CHUNK)
                if not data:
                    break
                printer.show(data)
            await writer.drain()
        finally:
            writer.close()


def _float(time_ns: int | None) -> float | None:
    return None if time_ns is None else time_ns / NS_PER_S


async def _listen(given: Namespace, at: Surroundings) -> int:
    words = given.where
    if len(words) > 2 or not (words or given.local):
        raise Failure("nc: missing port with option -l", 1)
    port = _port(words[-1]) if words and (len(words) == 2 or not given.local) else given.local
    address = words[0] if len(words) == 2 or (words and given.local) else None
    if given.udp:
        return await _listen_by_udp(given, at, address, port)
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not given.keep:
            server.close()
        if given.verbose:
            who, peer_port = writer.get_extra_info("peername")[:2]
            at.out.line(f"Connection received on {who} {peer_port}")
        await _talk(given, at, reader, writer)
        if not given.keep:
            over.set()

    if given.verbose:
        at.out.line(f"Listening on {address or '0.0.0.0'} {port}")
    try:
        server = await asyncio.start_server(serve, address, port)
    except OSError as error:
        raise Failure(f"nc: {os.strerror(error.errno or 0)}", 1) from None
    try:
        await over.wait()
    finally:
        server.close()
    return 0


class _Datagrams(asyncio.DatagramProtocol):
    """One end of a conversation by UDP."""

    def __init__(self, at: Surroundings) -> None:
        self._at = at
        self._printer = _Printer(at)
        self._peer: Any = None
        self._transport: Any = None
        self.heard_ns = at.now
        self.error: Exception | None = None
        self.failed = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard_ns = self._at.now
        self._printer.show(data)
        if self._peer is None and self._transport.get_extra_info("peername") is None:
            self._peer = addr
            if self._at.stdin:
                self._transport.sendto(self._at.stdin, addr)

    def error_received(self, exc: Exception) -> None:
        self.error = exc
        self.failed.set()


async def _talk_by_udp(
    given: Namespace, at: Surroundings, host: str, peer: IpAddress, port: int
) -> bool:
    loop = asyncio.get_running_loop()
    local = ("0.0.0.0" if isinstance(peer, Ipv4) else "::", given.local) if given.local else None
    try:
        transport, protocol = await loop.create_datagram_endpoint(
            lambda: _Datagrams(at), local_addr=local, remote_addr=(str(peer), port)
        )
    except OSError as error:
        raise Failure(f"nc: {os.strerror(error.errno or 0)}", 1) from None
    try:
        if given.scan:
            transport.sendto(b"X")
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENCE_NS / NS_PER_S):
                    await protocol.failed.wait()
            if protocol.error is None and given.verbose:
                at.out.line(f"Connection to {host} {port} port [udp/*] succeeded!")
            return protocol.error is None
        if at.stdin:
            transport.sendto(at.stdin)
        await _until_silent(given, at, protocol)
        return protocol.error is None
    finally:
        transport.close()


async def _listen_by_udp(given: Namespace, at: Surroundings, address: str | None, port: int) -> int:
    loop = asyncio.get_running_loop()
    anywhere = "::" if given.ipv6 else "0.0.0.0"
    try:
        transport, protocol = await loop.create_datagram_endpoint(
            lambda: _Datagrams(at), local_addr=(address or anywhere, port)
        )
    except OSError as error:
        raise Failure(f"nc: {os.strerror(error.errno or 0)}", 1) from None
    try:
        await _until_silent(given, at, protocol)
        return 0
    finally:
        transport.close()


async def _until_silent(given: Namespace, at: Surroundings, protocol: _Datagrams) -> None:
    """Wait until the peer objects, or nothing was heard for as long as the option ``-w`` says."""
    while not protocol.failed.is_set():
        left_ns = None
        if given.wait is not None:
            left_ns = protocol.heard_ns + given.wait - at.now
            if left_ns <= 0:
                return
        with suppress(TimeoutError):
            async with asyncio.timeout(_float(left_ns)):
                await protocol.failed.wait()

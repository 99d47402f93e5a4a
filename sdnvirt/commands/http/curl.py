"""curl: fetches and sends by HTTP/1.1. Progress is never shown: the output is not a terminal."""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import socket
from argparse import Namespace
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from sdnvirt.commands.command import (
    Command,
    Failure,
    Surroundings,
    add_family,
    family_of,
    with_port,
)
from sdnvirt.commands.http.message import Head, HttpError, read_body, read_head
from sdnvirt.commands.options import Options, seconds
from sdnvirt.programs.endpoint import address_of
from sdnvirt.units import NS_PER_S

REDIRECTS_LIMIT: Final = 50
"""Redirections that are followed, as curl does."""

COULD_NOT_RESOLVE: Final = 6
COULD_NOT_CONNECT: Final = 7
HTTP_ERROR: Final = 22
WRITE_ERROR: Final = 23
TIMED_OUT: Final = 28
EMPTY_REPLY: Final = 52
RECEIVE_ERROR: Final = 56
"""Exit statuses (curl's manual, "EXIT CODES")."""

_BODILESS: Final = ("204", "304")
_REDIRECTS: Final = ("301", "302", "303", "307", "308")
_ZONE: Final = re.compile(r"%[^\]]*\]")
_VARIABLE: Final = re.compile(r"%\{(\w+)\}")
_ESCAPES: Final = {"\\n": "\n", "\\t": "\t", "\\r": "\r"}


@dataclass(slots=True)
class Transfer:
    """What is known of a transfer, for ``-w``."""

    began_ns: int
    code: str = "000"
    size: int = 0
    connect_ns: int = 0
    first_ns: int = 0
    total_ns: int = 0
    remote: tuple[str, int] = ("", 0)
    body: bytearray = field(default_factory=bytearray)


class Curl(Command):
    """curl: HTTP from the command line."""

    summary = "fetch a URL"

    def options(self, name: str) -> Options:
        """Return the options of curl that mean something here."""
        options = Options(name, self.summary)
        add_family(options)
        options.add_argument("-s", "--silent", action="store_true", help="tell of no errors")
        options.add_argument(
            "-S", "--show-error", dest="loud", action="store_true", help="tell of errors with -s"
        )
        options.add_argument("-o", "--output", metavar="FILE", help="where the body goes")
        options.add_argument("-I", "--head", action="store_true", help="fetch the head only")
        options.add_argument("-i", "--include", action="store_true", help="print the head, too")
        options.add_argument("-v", "--verbose", action="store_true", help="tell what is said")
        options.add_argument("-X", "--request", metavar="METHOD", help="another method")
        options.add_argument("-d", "--data", action="append", help="a body to send, by POST")
        options.add_argument(
            "-H", "--header", action="append", default=[], help="one more field of the head"
        )
        options.add_argument("-f", "--fail", action="store_true", help="fail on errors from 400")
        options.add_argument("-L", "--location", action="store_true", help="follow redirections")
        options.add_argument("-m", "--max-time", type=seconds, help="seconds for all")
        options.add_argument("--connect-timeout", type=seconds, help="seconds to connect in")
        options.add_argument("-w", "--write-out", default="", help="what to tell at the end")
        options.add_argument("url")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Fetch; return curl's status."""
        one = Transfer(at.now)
        status = 0
        try:
            limit = None if given.max_time is None else given.max_time / NS_PER_S
            async with asyncio.timeout(limit):
                await _fetch_all(given, at, one)
        except TimeoutError:
            took_ms = (at.now - one.began_ns) // 10**6
            told = f"Connection timed out after {took_ms} milliseconds"
            if one.connect_ns:
                told = f"Operation timed out after {took_ms} milliseconds"
                told += f" with {one.size} bytes received"
            status = _tell(given, at, TIMED_OUT, told)
        except Failure as failure:
            status = _tell(given, at, failure.status, str(failure))
        one.total_ns = at.now
        if given.write_out:
            at.out.write(_written(given.write_out, one))
        return status


def _tell(given: Namespace, at: Surroundings, status: int, text: str) -> int:
    if not given.silent or given.loud:
        at.out.line(f"curl: ({status}) {text}")
    return status


async def _fetch_all(given: Namespace, at: Surroundings, one: Transfer) -> None:
    """Fetch a URL and those that it leads to; print what is to be printed."""
    url = given.url if "://" in given.url else f"http://{given.url}"
    for _ in range(REDIRECTS_LIMIT + 1):
        head = await _fetch(given, at, one, _split(url))
        if not given.location or one.code not in _REDIRECTS or "location" not in head.fields:
            break
        url = urljoin(url, str(head.fields["location"]))
        one.body.clear()
    else:
        raise Failure(f"Maximum ({REDIRECTS_LIMIT}) redirects followed", 47)
    if given.fail and int(one.code) >= 400:
        raise Failure(f"The requested URL returned error: {one.code}", HTTP_ERROR)
    shown = bytearray()
    if given.head or given.include:
        shown += head.raw.encode("latin-1")
    shown += one.body
    if given.output is None:
        text = codecs.decode(bytes(shown), "utf-8", "replace")
        at.out.write(text.replace("\r\n", "\n"))
    else:
        try:
            Path(given.output).write_bytes(shown)
        except OSError as error:
            told = f"Failure writing output to destination: {error}"
            raise Failure(told, WRITE_ERROR) from None
    if given.verbose:
        at.out.line("* Closing connection")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Failure("URL rejected: Malformed input to a URL function", 3) from None
    if parts.scheme != "http":
        raise Failure(f'Protocol "{parts.scheme}" not supported', 1)
    if not parts.hostname or port == 0:
        raise Failure("URL rejected: No host part in the URL", 3)
    return parts


async def _fetch(given: Namespace, at: Surroundings, one: Transfer, url: SplitResult) -> Head:
    reader, writer = await _connect(given, at, one, url)
    method = given.request or ("HEAD" if given.head else "POST" if given.data else "GET")
    with closing(writer):
        request = _request(given, method, url)
        if given.verbose:
            for line in request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n"):
                at.out.line(f"> {line}")
            at.out.line(">")
        writer.write(request)
        try:
            head = await read_head(reader)
            if head is None:
                raise Failure("Empty reply from server", EMPTY_REPLY)
            if not head.first[0].startswith("HTTP/1.") or not head.first[1].isdecimal():
                raise Failure("Received HTTP/0.9 when not allowed", 1)
            one.first_ns = at.now
            one.code = head.first[1]
            if given.verbose:
                for line in head.raw.rstrip("\r\n").split("\r\n"):
                    at.out.line(f"< {line}")
                at.out.line("<")
            if method != "HEAD" and one.code not in _BODILESS:
                async for piece in read_body(reader, head, to_end=True):
                    one.body += piece
                    one.size += len(piece)
        except HttpError as error:
            raise Failure(f"Received {error}", RECEIVE_ERROR) from None
        except OSError as error:
            raise Failure(f"Recv failure: {error}", RECEIVE_ERROR) from None
    return head


async def _connect(
    given: Namespace, at: Surroundings, one: Transfer, url: SplitResult
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # A zone stands in a URL behind an escaped % (RFC 6874, 2).
    name, port = (url.hostname or "").replace("%25", "%", 1), url.port or 80
    limit = None if given.connect_timeout is None else given.connect_timeout / NS_PER_S
    began_ns = at.now
    try:
        async with asyncio.timeout(limit):
            reader, writer = await _try_all(given, at, name, port)
    except socket.gaierror:
        raise Failure(f"Could not resolve host: {name}", COULD_NOT_RESOLVE) from None
    except TimeoutError as error:
        if limit is None:
            raise
        took_ms = (at.now - began_ns) // 10**6
        told = f"Connection timed out after {took_ms} milliseconds"
        raise Failure(told, TIMED_OUT) from error
    except OSError:
        took_ms = (at.now - began_ns) // 10**6
        told = f"Failed to connect to {name} port {port} after {took_ms} ms"
        raise Failure(f"{told}: Couldn't connect to server", COULD_NOT_CONNECT) from None
    one.connect_ns = at.now
    one.remote = writer.get_extra_info("peername")[:2]
    if given.verbose:
        at.out.line(f"* Connected to {name} ({one.remote[0]}) port {port}")
    return reader, writer


async def _try_all(
    given: Namespace, at: Surroundings, name: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address of a name where somebody is."""
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(name, port, family=family_of(given), type=socket.SOCK_STREAM)
    failure = OSError()
    for address in [str(info[-1][0]) for info in infos]:
        if given.verbose:
            at.out.line(f"*   Trying {with_port(address_of(address), port)}...")
        try:
            return await asyncio.open_connection(address, port)
        except OSError as error:
            failure = error
            if given.verbose:
                said = os.strerror(error.errno or 0)
                at.out.line(f"* connect to {address} port {port} failed: {said}")
    raise failure


def _request(given: Namespace, method: str, url: SplitResult) -> bytes:
    body = "&".join(given.data).encode() if given.data else b""
    path = url.path or "/"
    fields = {
        "Host": _ZONE.sub("]", url.netloc.rpartition("@")[2]),
        "User-Agent": "curl/8",
        "Accept": "*/*",
    }
    if given.data:
        fields["Content-Length"] = str(len(body))
        fields["Content-Type"] = "application/x-www-form-urlencoded"
    for text in given.header:
        name, _, value = text.partition(":")
        known = next((one for one in fields if one.lower() == name.lower()), name)
        if value.strip():
            fields[known] = value.strip()
        else:
            fields.pop(known, None)
    lines = [f"{method} {path}{'?' + url.query if url.query else ''} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body


def _written(text: str, one: Transfer) -> str:
    """Return what ``-w`` asks for; a variable that is not known is left out, as curl does."""
    known = {
        "http_code": one.code,
        "response_code": one.code,
        "size_download": str(one.size),
        "remote_ip": one.remote[0],
        "remote_port": str(one.remote[1]),
        "time_connect": _seconds(one.connect_ns, one),
        "time_starttransfer": _seconds(one.first_ns, one),
        "time_total": _seconds(one.total_ns, one),
    }
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return _VARIABLE.sub(lambda found: known.get(found[1], ""), text)


def _seconds(time_ns: int, one: Transfer) -> str:
    return f"{max(time_ns - one.began_ns, 0) // 1000 / 10**6:.6f}"

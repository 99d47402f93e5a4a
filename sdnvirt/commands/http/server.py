"""The server of ``python3 -m http.server``: the files of a folder, or one page if none is given."""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from contextlib import closing
from html import escape
from mimetypes import MimeTypes
from pathlib import Path
from time import gmtime, strftime
from typing import Final
from urllib.parse import unquote, urlsplit

from sdnvirt.commands.command import Command, Failure, Surroundings
from sdnvirt.commands.http.message import Head, HttpError, read_body, read_head
from sdnvirt.commands.options import PORT, Options
from sdnvirt.units import NS_PER_S

DEFAULT_PORT: Final = 8000

IDLE_NS: Final = 60 * NS_PER_S
"""How long a connection may be silent."""

PAGE: Final = "<!DOCTYPE html>\n<html><body><h1>{}</h1></body></html>\n"
"""The page of a server without a folder: it tells the host's name."""

BODY_LIMIT: Final = 64 << 20
"""Bytes of the largest file that is served, and of a request's body that is read."""

_REASONS: Final = {
    200: "OK", 400: "Bad Request", 404: "File not found", 413: "Content Too Large",
    501: "Unsupported method",
}  # fmt: skip
_TYPES: Final = MimeTypes(filenames=())


class HttpServer(Command):
    """http.server: files over HTTP."""

    summary = "serve the files of a folder over HTTP, or a page with the host's name"

    def options(self, name: str) -> Options:
        """Return the options of Python's module."""
        options = Options(name, self.summary)
        options.add_argument("-b", "--bind", metavar="ADDRESS", help="address to listen at")
        options.add_argument("-d", "--directory", metavar="DIR", help="the folder")
        options.add_argument("port", type=PORT, nargs="?", default=DEFAULT_PORT)
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Serve until somebody stops it."""
        folder = None
        if given.directory is not None:
            folder = Path(given.directory).resolve()
            if not folder.is_dir():
                raise Failure(f"FileNotFoundError: no folder: '{given.directory}'")
        site = _Site(at, folder)
        try:
            server = await asyncio.start_server(site.serve, given.bind, given.port)
        except OSError as error:
            said = os.strerror(error.errno or 0)
            raise Failure(f"OSError: [Errno {error.errno}] {said}") from None
        where = given.bind or "0.0.0.0"
        url = f"http://[{where}]" if ":" in where else f"http://{where}"
        at.out.line(f"Serving HTTP on {where} port {given.port} ({url}:{given.port}/) ...")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            at.out.line()
            at.out.line("Keyboard interrupt received, exiting.")
        finally:
            server.close()
        return 0


class Python(HttpServer):
    """python3, as far as it is ``python3 -m http.server``."""

    summary = "only -m http.server: " + HttpServer.summary

    def options(self, name: str) -> Options:
        """Return the options of Python's module, behind its name."""
        options = super().options(name)
        options.add_argument("-m", dest="module", choices=["http.server"], required=True)
        return options


class _Site:
    """What is served."""

    def __init__(self, at: Surroundings, folder: Path | None) -> None:
        self._at = at
        self._folder = folder

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with closing(writer):
            try:
                while await self._answer(reader, writer):
                    await writer.drain()
            except HttpError:
                writer.write(self._head(400, 0, "text/html", last=True))
            except (OSError, TimeoutError):
                pass  # the client has gone, or is silent for too long

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; return whether another one may come."""
        async with asyncio.timeout(IDLE_NS / NS_PER_S):
            request = await read_head(reader)
            if request is None:
                return False
            size = 0
            async for piece in read_body(reader, request, to_end=False):
                size += len(piece)
                if size > BODY_LIMIT:
                    raise HttpError("a body that is too large")
        method, target, _ = request.first
        code, kind, body = self._find(method, target)
        writer.write(self._head(code, len(body), kind, last=request.is_last))
        if method != "HEAD":
            writer.write(body)
        self._log(writer, request, code)
        return not request.is_last

    def _find(self, method: str, target: str) -> tuple[int, str, bytes]:
        """Return status, type and body of the answer."""
        if method not in ("GET", "HEAD"):
            return self._error(501)
        path = unquote(urlsplit(target).path)
        if self._folder is None:
            return 200, "text/html", PAGE.format(self._at.host.name).encode()
        try:
            found = (self._folder / path.lstrip("/")).resolve()
            if not found.is_relative_to(self._folder):
                return self._error(404)
            if found.is_dir():
                index = found / "index.html"
                if not index.is_file():
                    return 200, "text/html; charset=utf-8", _listing(path, found)
                found = index
            if found.stat().st_size > BODY_LIMIT:
                return self._error(413)
            kind = _TYPES.guess_type(found.name)[0] or "application/octet-stream"
            return 200, kind, found.read_bytes()
        except (OSError, ValueError):
            return self._error(404)

    def _error(self, code: int) -> tuple[int, str, bytes]:
        text = f"Error code: {code}\nMessage: {_REASONS[code]}.\n"
        return code, "text/plain;charset=utf-8", text.encode()

    def _head(self, code: int, length: int, kind: str, *, last: bool) -> bytes:
        lines = [
            f"HTTP/1.1 {code} {_REASONS[code]}",
            "Server: SimpleHTTP/0.6",
            f"Date: {self._date('%a, %d %b %Y %H:%M:%S GMT')}",
            f"Content-type: {kind}",
            f"Content-Length: {length}",
        ]
        if last:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _date(self, form: str) -> str:
        """Return the virtual time as a date: a run begins with 1970."""
        return strftime(form, gmtime(self._at.now // NS_PER_S))

    def _log(self, writer: asyncio.StreamWriter, request: Head, code: int) -> None:
        who = writer.get_extra_info("peername")[0]
        line = " ".join(request.first)
        self._at.out.line(f'{who} - - [{self._date("%d/%b/%Y %H:%M:%S")}] "{line}" {code} -')


def _listing(path: str, folder: Path) -> bytes:
    """Return a page that names what is in a folder."""
    title = f"Directory listing for {escape(path)}"
    names = sorted(one.name + ("/" if one.is_dir() else "") for one in folder.iterdir())
    items = [f'<li><a href="{escape(name)}">{escape(name)}</a></li>' for name in names]
    lines = [
        "<!DOCTYPE HTML>", "<html lang=\"en\">", f"<head><title>{title}</title></head>",
        "<body>", f"<h1>{title}</h1>", "<ul>", *items, "</ul>", "</body>", "</html>", "",
    ]  # fmt: skip
    return "\n".join(lines).encode()

"""dig and nslookup: questions to DNS servers, and their answers in the words of BIND's tools."""

from __future__ import annotations

import errno
import socket
import time
from argparse import Namespace
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress
from sdnvirt.commands.command import Command, Failure, Surroundings, address
from sdnvirt.commands.options import Options
from sdnvirt.programs.resolver import DNS_PORT, exchange
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from dns.message import Message

NO_REPLY: Final = 9
"""Exit status of dig if no server has answered."""

_REASONS: Final = {
    None: "timed out",
    errno.ETIMEDOUT: "timed out",
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.ECONNRESET: "connection reset",
}
"""What BIND's tools say of errors, by their numbers; asyncio's own TimeoutError has none."""

_SECTIONS: Final = ("QUESTION", "ANSWER", "AUTHORITY", "ADDITIONAL")


class NoAnswer(Exception):  # noqa: N818  # it is not an error of ours
    """No server has answered; what is said of each."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(*said)
        self.said = said


async def ask(at: Surroundings, name: str, kind: str, servers: list[IpAddress]) -> _Answer:
    """Ask servers one after the other; return the first answer.

    Raises:
        NoAnswer: none has come.
        ValueError: the name or the type of record is none.
    """
    import dns.exception
    import dns.message

    identifier = at.host.world.streams.stream(f"dns {at.host.name}").getrandbits(16)
    try:
        query = dns.message.make_query(name, kind, id=identifier)
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(str(error)) from None
    said: list[str] = []
    for server in servers:
        began_ns = at.now
        try:
            message = await exchange(query, server)
        except (OSError, EOFError) as error:
            number = error.errno if isinstance(error, OSError) else errno.EPIPE
            why = _REASONS.get(number, "end of file")
            said.append(f";; communications error to {server}#{DNS_PORT}: {why}")
            continue
        return _Answer(message, server, at.now - began_ns)
    raise NoAnswer(said)


class _Answer:
    """An answer, who gave it and how long it took."""

    def __init__(self, message: Message, server: IpAddress, took_ns: int) -> None:
        self.message = message
        self.server = server
        self.took_ns = took_ns


async def _servers(at: Surroundings, named: str | None) -> list[IpAddress]:
    if named is None:
        return list(at.host.dns_servers)
    return [await at.resolve(named)]


class Dig(Command):
    """dig: a question to a DNS server."""

    summary = "ask a DNS server"

    def options(self, name: str) -> Options:
        """Return the options of dig that mean something here."""
        options = Options(name, self.summary)
        options.add_argument("-x", dest="reverse", metavar="ADDRESS", help="the name of it")
        options.add_argument("-t", dest="type", help="type of record")
        options.add_argument("words", nargs="*", help="[@server] [name] [type] [+short]")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Ask, and print the answer."""
        server, name, kind, short = self._read(given)
        try:
            servers = await _servers(at, server)
        except socket.gaierror:
            raise Failure(f"dig: couldn't get address for '{server}': not found", 10) from None
        head = ""
        if not short:
            head = f"\n; <<>> DiG <<>> {' '.join(self._line(given))}\n;; global options: +cmd\n"
        try:
            answer = await ask(at, name, kind, servers)
        except ValueError as error:
            raise Failure(f"dig: {error}", 1) from None
        except NoAnswer as none:
            told = "\n".join([*none.said, ";; no servers could be reached"])
            raise Failure(head + told, NO_REPLY) from None
        at.out.write(head)
        if short:
            for rrset in answer.message.answer:
                for record in rrset:
                    at.out.line(record.to_text())
            return 0
        _print(answer, at)
        return 0

    @staticmethod
    def _line(given: Namespace) -> list[str]:
        reverse = ["-x", given.reverse] if given.reverse else []
        return [*reverse, *(["-t", given.type] if given.type else []), *given.words]

    @staticmethod
    def _read(given: Namespace) -> tuple[str | None, str, str, bool]:
        """Return the server, the name, the type of record, and whether the answer is short."""
        import dns.exception
        import dns.rdatatype
        import dns.reversename

        server, name, kind, short = None, None, given.type, False
        for word in given.words:
            if word.startswith("@"):
                server = word[1:]
            elif word.startswith("+"):
                if word not in ("+short", "+noshort"):
                    raise Failure(f"Invalid option: {word}", 1)
                short = word == "+short"
            elif name is None and given.reverse is None:
                name = word
            else:
                kind = word
        if given.reverse is not None:
            if address(given.reverse) is None:
                raise Failure(f"Invalid IP address {given.reverse}", 1)
            name, kind = str(dns.reversename.from_address(given.reverse)), kind or "PTR"
        kind = (kind or "A").upper()
        try:
            dns.rdatatype.from_text(kind)
        except (dns.exception.DNSException, ValueError):
            raise Failure(f";; Warning, ignoring invalid type {kind}", 1) from None
        return server, name or ".", kind, short


def _print(answer: _Answer, at: Surroundings) -> None:
    import dns.flags
    import dns.opcode
    import dns.rcode

    message = answer.message
    counts = [sum(map(len, section)) or len(section) for section in message.sections]
    counts[0] = len(message.question)
    opcode = dns.opcode.to_text(message.opcode())
    status = dns.rcode.to_text(message.rcode())
    at.out.line(";; Got answer:")
    at.out.line(f";; ->>HEADER<<- opcode: {opcode}, status: {status}, id: {message.id}")
    told = ", ".join(
        f"{'QUERY' if name == 'QUESTION' else name}: {count}"
        for name, count in zip(_SECTIONS, counts, strict=True)
    )
    at.out.line(f";; flags: {dns.flags.to_text(message.flags).lower()}; {told}")
    if message.flags & dns.flags.RD and not message.flags & dns.flags.RA:
        at.out.line(";; WARNING: recursion requested but not available")
    for title, section in zip(_SECTIONS, message.sections, strict=True):
        if not section:
            continue
        at.out.line(f"\n;; {title} SECTION:")
        for rrset in section:
            if title == "QUESTION":
                at.out.line(f";{rrset.name}\t\t\tIN\t{_type(rrset.rdtype)}")
                continue
            for record in rrset:
                text = record.to_text()
                at.out.line(f"{rrset.name}\t\t{rrset.ttl}\tIN\t{_type(rrset.rdtype)}\t{text}")
    at.out.line(f"\n;; Query time: {answer.took_ns // 10**6} msec")
    at.out.line(f";; SERVER: {answer.server}#{DNS_PORT}({answer.server}) (UDP)")
    at.out.line(f";; WHEN: {time.strftime('%a %b %d %H:%M:%S UTC %Y', _clock(at))}")
    at.out.line(f";; MSG SIZE  rcvd: {len(message.wire or b'')}\n")


def _clock(at: Surroundings) -> time.struct_time:
    """Return the virtual time, which begins with 1970."""
    return time.gmtime(at.now // NS_PER_S)


def _type(number: int) -> str:
    import dns.rdatatype

    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))


class Nslookup(Command):
    """nslookup: the addresses of a name."""

    summary = "look up the addresses of a name"

    def options(self, name: str) -> Options:
        """Return the options of nslookup that mean something here."""
        options = Options(name, self.summary)
        options.add_argument("name")
        options.add_argument("server", nargs="?", help="whom to ask")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Ask for addresses of both versions of IP, and print them."""
        import dns.flags
        import dns.rcode

        try:
            servers = await _servers(at, given.server)
        except socket.gaierror:
            said = f"couldn't get address for '{given.server}': not found"
            raise Failure(f"nslookup: {said}") from None
        found: list[str] = []
        for kind in ("A", "AAAA"):
            try:
                answer = await ask(at, given.name, kind, servers)
            except ValueError as error:
                raise Failure(f"nslookup: {error}") from None
            except NoAnswer as none:
                told = "\n".join([*none.said, ";; no servers could be reached\n"])
                raise Failure(told) from None
            message = answer.message
            if kind == "A":
                at.out.line(f"Server:\t\t{answer.server}")
                at.out.line(f"Address:\t{answer.server}#{DNS_PORT}\n")
                if message.rcode() == dns.rcode.NOERROR and not message.flags & dns.flags.AA:
                    at.out.line("Non-authoritative answer:")
            if message.rcode() != dns.rcode.NOERROR:
                said = dns.rcode.to_text(message.rcode())
                raise Failure(f"** server can't find {given.name}: {said}\n")
            for rrset in message.answer:
                text = str(rrset.name).rstrip(".")
                for record in rrset:
                    if _type(rrset.rdtype) == "CNAME" and kind == "A":
                        at.out.line(f"{text}\tcanonical name = {record.to_text()}")
                    elif _type(rrset.rdtype) == kind:
                        found.append(f"Name:\t{text}\nAddress: {record.to_text()}")
        for one in found:
            at.out.line(one)
        if not found:
            at.out.line(f"*** Can't find {given.name}: No answer")
        at.out.line()
        return 0 if found else 1

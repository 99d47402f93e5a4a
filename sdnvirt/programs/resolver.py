"""Names, as a host knows them: a stub resolver (RFC 1034, 5.3.1; RFC 1123, 6.1.3).

Queries go by UDP from the program's host to the DNS servers that it was told of, one after the
other, and by TCP where an answer was cut short. dnspython reads and writes the messages. Query
identifiers and source ports come from the host's own random stream.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from asyncio import open_connection, timeout
from typing import TYPE_CHECKING, Any, Final

from sdnvirt.addresses import ANY_IPV4, ANY_IPV6, IpAddress, Ipv4, Ipv6
from sdnvirt.errors import MalformedError
from sdnvirt.programs.endpoint import SocketName, address_of, family_of, name_of
from sdnvirt.programs.zones import scope_of

if TYPE_CHECKING:
    from dns.message import Message, QueryMessage

    from sdnvirt.host.stack import Host

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, SocketName]
"""Family, type, protocol, canonical name and address, as of :func:`socket.getaddrinfo`."""

DNS_PORT: Final = 53

TIMEOUT_S: Final = 5
"""Seconds that one server has to answer (RFC 1123, 6.1.3.3)."""

ROUNDS: Final = 2
"""How often each server is asked, as resolvers of C libraries do."""

CNAME_LIMIT: Final = 16
"""Aliases that are followed: more are a loop."""

_RECORDS: Final = {socket.AF_INET: "A", socket.AF_INET6: "AAAA"}
_PROTOCOLS: Final = {
    socket.SOCK_STREAM: socket.IPPROTO_TCP,
    socket.SOCK_DGRAM: socket.IPPROTO_UDP,
}


async def resolve(
    host: Host, name: str | None, port: int, family: int, kind: int, flags: int
) -> list[AddressInfo]:
    """Return the addresses of a name, the one to try first in front (RFC 6724).

    Args:
        host: who asks.
        name: a name or an address, which may have a zone; None for this host, or for all of its
            addresses to a server.
        port: is handed through.
        family: AF_INET, AF_INET6, or 0 for both.
        kind: SOCK_STREAM, SOCK_DGRAM, or 0 for both.
        flags: AI_PASSIVE and AI_NUMERICHOST are known.

    Raises:
        socket.gaierror: there is none.
    """
    bare, _, zone = (name or "").partition("%")
    if zone:
        flags |= socket.AI_NUMERICHOST
    addresses = await _addresses(host, bare, family, flags)
    if family:
        addresses = [one for one in addresses if family_of(one) == family]
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, f"{host.name}: no address of {name!r}")
    scope = scope_of(host, addresses[0], zone) if zone else 0
    kinds = [socket.SocketKind(kind)] if kind else list(_PROTOCOLS)
    return [
        (family_of(one), each, _PROTOCOLS[each], "", name_of(one, port, scope))
        for one in addresses
        for each in kinds
    ]


async def _addresses(host: Host, name: str, family: int, flags: int) -> list[IpAddress]:
    if not name:
        if flags & socket.AI_PASSIVE:
            return [ANY_IPV4, ANY_IPV6]
        return _localhost(host)
    try:
        return [address_of(name)]
    except MalformedError:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, f"{name!r} is not an address") from None
    if _is_localhost(name):
        return _localhost(host)
    families = [family] if family else list(_RECORDS)
    found: list[IpAddress] = []
    for one in families:
        found += await _ask(host, name, _RECORDS[socket.AddressFamily(one)])
    return host.ip.order(found)


def _is_localhost(name: str) -> bool:
    """Whether a name is one that no server is asked for (RFC 6761, 6.3)."""
    labels = name.lower().rstrip(".").split(".")
    return labels[-1] == "localhost"


def _localhost(host: Host) -> list[IpAddress]:
    """Return the addresses by which a host reaches itself, that to try first in front."""
    return host.ip.order(list(host.loopback.addresses))


async def _ask(host: Host, name: str, record: str) -> list[IpAddress]:
    """Ask the host's servers for the addresses of a name."""
    import dns.message
    import dns.rcode

    if not host.dns_servers:
        raise socket.gaierror(
            socket.EAI_AGAIN, f"{host.name} knows no DNS server to ask for {name!r}"
        )
    identifier = host.world.streams.stream(f"dns {host.name}").getrandbits(16)
    query = dns.message.make_query(name, record, id=identifier)
    for _ in range(ROUNDS):
        for server in host.dns_servers:
            try:
                answer = await exchange(query, server)
            except (OSError, EOFError):
                continue
            if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                continue  # the next server may know more
            return _records(answer, name, record)
    raise socket.gaierror(socket.EAI_AGAIN, f"{host.name}: no DNS server has answered for {name!r}")


def _records(answer: Message, name: str, record: str) -> list[IpAddress]:
    """Return the addresses in an answer, behind its aliases."""
    import dns.name
    import dns.rdatatype

    wanted = dns.name.from_text(name)
    for _ in range(CNAME_LIMIT):
        for rrset in answer.answer:
            if rrset.name == wanted and rrset.rdtype == dns.rdatatype.from_text(record):
                make: Any = Ipv4 if record == "A" else Ipv6
                return [make(one.address) for one in rrset]
        aliases = [
            rrset[0].target
            for rrset in answer.answer
            if rrset.name == wanted and rrset.rdtype == dns.rdatatype.CNAME
        ]
        if not aliases:
            return []
        wanted = aliases[0]
    return []


async def exchange(query: QueryMessage, server: IpAddress) -> Message:
    """Send a query to a server, and return its answer.

    Raises:
        TimeoutError: there is none that is right within TIMEOUT_S.
        OSError: the server cannot be reached.
        EOFError: it ended the connection before its answer.
    """
    async with timeout(TIMEOUT_S):
        answer = await _by_udp(query, server)
        if answer.flags & _truncated():
            answer = await _by_tcp(query, server)
    return answer


async def _by_udp(query: QueryMessage, server: IpAddress) -> Message:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Message] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Once(query, done), remote_addr=(str(server), DNS_PORT)
    )
    try:
        transport.sendto(query.to_wire())
        return await done
    finally:
        transport.close()


async def _by_tcp(query: QueryMessage, server: IpAddress) -> Message:
    """Send a query by TCP, where each message has its length before it (RFC 1035, 4.2.2)."""
    reader, writer = await open_connection(str(server), DNS_PORT)
    try:
        data = query.to_wire()
        writer.write(len(data).to_bytes(2, "big") + data)
        length = int.from_bytes(await reader.readexactly(2), "big")
        answer = _parsed(query, await reader.readexactly(length))
    finally:
        writer.close()
    if answer is None:
        raise OSError(errno.EPROTO, f"{server} answered something else")
    return answer


def _parsed(query: QueryMessage, data: bytes) -> Message | None:
    """Return an answer to a query, or None if the bytes are none."""
    import dns.exception
    import dns.message

    try:
        answer = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None
    return answer if query.is_response(answer) else None


def _truncated() -> int:
    import dns.flags

    return int(dns.flags.TC)


class _Once(asyncio.DatagramProtocol):
    """Waits for the datagram that answers a query; others are not for it (RFC 5452, 9)."""

    def __init__(self, query: QueryMessage, done: asyncio.Future[Message]) -> None:
        self._query = query
        self._done = done

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take the answer."""
        answer = _parsed(self._query, data)
        if answer is not None and not self._done.done():
            self._done.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        """The server cannot be reached."""
        if not self._done.done():
            self._done.set_exception(exc)

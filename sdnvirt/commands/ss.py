"""ss: the sockets of a host, in the columns of iproute2's."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Final, NamedTuple

from sdnvirt.addresses import ANY_IPV4, ANY_IPV6, IpAddress, Ipv4, Ipv6
from sdnvirt.commands.command import Command, Surroundings, add_family, with_port
from sdnvirt.commands.options import Options
from sdnvirt.host.tcp.states import State

if TYPE_CHECKING:
    from sdnvirt.host.tcp.endpoint import TcpConnection

STATES: Final = {
    State.ESTABLISHED: "ESTAB",
    State.SYN_RECEIVED: "SYN-RECV",
} | {
    one: one.value
    for one in State
    if one not in (State.ESTABLISHED, State.SYN_RECEIVED, State.CLOSED)
}
"""The states of TCP as ss names them."""

_NS_PER_MS: Final = 1_000_000


class Row(NamedTuple):
    """A socket.

    Attributes:
        protocol: ``tcp`` or ``udp``.
        state: its state, in ss's words.
        waiting: bytes that were not read yet, and bytes that the peer has not acknowledged; of a
            listening socket, connections that wait and the most that may.
        local, remote: both ends.
        family: the version of IP, or None for a socket of both.
        details: what ``-i`` adds, or "".
    """

    protocol: str
    state: str
    waiting: tuple[int, int]
    local: str
    remote: str
    family: type[IpAddress] | None
    details: str = ""


class Ss(Command):
    """ss: sockets."""

    summary = "show sockets"

    def options(self, name: str) -> Options:
        """Return the options of iproute2's ss that mean something here."""
        options = Options(name, self.summary)
        add_family(options)
        options.add_argument("-t", "--tcp", action="store_true", help="TCP")
        options.add_argument("-u", "--udp", action="store_true", help="UDP")
        options.add_argument("-l", "--listening", action="store_true", help="listening only")
        options.add_argument("-a", "--all", action="store_true", help="listening and others")
        options.add_argument("-n", "--numeric", action="store_true", help="no names of services")
        options.add_argument("-i", "--info", action="store_true", help="what TCP knows")
        options.add_argument("-H", dest="headless", action="store_true", help="no heading")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Show the sockets that are asked for."""
        both = given.tcp == given.udp
        rows = []
        if both or given.udp:
            rows += _udp(at)
        if both or given.tcp:
            rows += _tcp(at)
        family = Ipv6 if given.ipv6 else Ipv4 if given.ipv4 else None
        rows = [
            one
            for one in rows
            if family in (None, one.family) or one.family is None
            if given.all or given.listening == (one.state in ("LISTEN", "UNCONN"))
        ]
        _print(rows, at, netid=both, heading=not given.headless, details=given.info)
        return 0


def _udp(at: Surroundings) -> list[Row]:
    rows = []
    sockets = list(at.host.sockets.values())
    for interface in at.host.all_interfaces():
        sockets += interface.sockets.values()
    for socket in sockets:
        device = f"%{socket.interface.name}" if socket.interface is not None else ""
        local = _local(socket.address, socket.port, device)
        family = None if socket.address is None else type(socket.address)
        if socket.remote is None:
            anybody = "*:*" if family is None else with_port(ANY[family], "*")
            rows.append(Row("udp", "UNCONN", (0, 0), local, anybody, family))
        else:
            remote = with_port(*socket.remote)
            rows.append(Row("udp", "ESTAB", (0, 0), local, remote, type(socket.remote[0])))
    return rows


ANY: Final[dict[type[IpAddress], IpAddress]] = {Ipv4: ANY_IPV4, Ipv6: ANY_IPV6}


def _local(address: IpAddress | None, port: int, device: str = "") -> str:
    if address is None:
        return f"*{device}:{port}"
    return with_port(address, port) if not device else f"{address}{device}:{port}"


def _tcp(at: Surroundings) -> list[Row]:
    rows = []
    for listener in at.host.tcp.listeners.values():
        family = None if listener.address is None else type(listener.address)
        anybody = "*:*" if family is None else with_port(ANY[family], "*")
        local = _local(listener.address, listener.port)
        waiting = (len(listener.half_open), listener.backlog)
        rows.append(Row("tcp", "LISTEN", waiting, local, anybody, family))
    for connection in at.host.tcp.connections.values():
        machine = connection.machine
        waiting = (machine.receiver.buffer.unread, _unacknowledged(connection))
        rows.append(
            Row(
                "tcp", STATES.get(machine.state, "UNCONN"), waiting,
                with_port(*connection.local), with_port(*connection.remote),
                type(connection.local[0]), _details(connection),
            )
        )  # fmt: skip
    return rows


def _unacknowledged(connection: TcpConnection) -> int:
    buffer = connection.machine.sender.buffer
    return buffer.capacity - buffer.free


def _details(connection: TcpConnection) -> str:
    sender = connection.machine.sender
    words = [type(sender.congestion).__name__.lower(), f"rto:{sender.rtt.rto_ns // _NS_PER_MS}"]
    if sender.rtt.smoothed_ns:
        figures = (sender.rtt.smoothed_ns, sender.rtt.variation_ns)
        words.append("rtt:" + "/".join(f"{ns / _NS_PER_MS:.3f}" for ns in figures))
    words += [f"mss:{sender.mss}", f"pmtu:{connection.path.mtu}"]
    words.append(f"cwnd:{max(sender.congestion.cwnd // sender.mss, 1)}")
    if sender.congestion.has_threshold:
        words.append(f"ssthresh:{sender.congestion.ssthresh // sender.mss}")
    if sender.flight:
        words.append(f"unacked:{-(-sender.flight // sender.mss)}")
    return " ".join(words)


def _print(rows: list[Row], at: Surroundings, *, netid: bool, heading: bool, details: bool) -> None:
    cells = [("Netid", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port")]
    cells += [
        (one.protocol, one.state, str(one.waiting[0]), str(one.waiting[1]), one.local, one.remote)
        for one in rows
    ]
    columns = [_column(column, n in _ENDS) for n, column in enumerate(zip(*cells, strict=True))]
    lines = [" ".join(row) for row in zip(*columns[0 if netid else 1 :], strict=True)]
    if heading:
        at.out.line(f"{lines[0]} Process")
    for line, one in zip(lines[1:], rows, strict=True):
        at.out.line(line.rstrip())
        if details and one.details:
            at.out.line(f"\t {one.details}")


def _column(column: tuple[str, ...], ends: bool) -> list[str]:
    """Return the texts of a column in one width; of ends, one colon stands below the other."""
    if not ends:
        width = max(map(len, column))
        return [text.ljust(width) for text in column]
    pairs = [text.rpartition(":")[::2] for text in column]
    before, behind = (max(map(len, part)) for part in zip(*pairs, strict=True))
    return [f"{address:>{before}}:{port:<{behind}}" for address, port in pairs]


_ENDS: Final = (4, 5)
"""The columns of addresses and ports."""

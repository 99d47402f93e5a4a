"""Nodes as tests and programs hold them: ``net["h1"]``."""

from __future__ import annotations

import difflib
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6
from sdnvirt.devices.device import Device, Port
from sdnvirt.errors import MalformedError, UserError
from sdnvirt.frame import Frame
from sdnvirt.host.ping import MAX_COUNT, MAX_SIZE, PingResult
from sdnvirt.host.stack import Host
from sdnvirt.network.arguments import frame_bytes, time_ns
from sdnvirt.units import NS_PER_S, format_time

if TYPE_CHECKING:
    from sdnvirt.commands.job import Job
    from sdnvirt.commands.output import CommandOutput
    from sdnvirt.network.network import Network
    from sdnvirt.programs.program import Program

PROGRAM_LIMIT_NS: Final = 3600 * NS_PER_S
"""Virtual time that a program may take unless its caller says: an hour is a run that hangs."""

PING_SLACK_NS: Final = 10**9
"""Virtual time that a ping may take beyond its requests and their timeouts."""

NAMES_SHOWN: Final = 6
"""Names that a message lists at most: a line of a terminal has room for them."""

_HOSTS_ONLY: Final = {
    "cmd": "run commands",
    "start": "run commands",
    "run": "run programs",
    "call": "run programs",
    "ping": "send pings",
    "address": "have addresses",
}
"""What only hosts have, and what they do by it."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``; did you mean NAME?`` if some name is like the one given, else ""."""
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def choices(name: str, names: Iterable[str]) -> str:
    """Return :func:`nearest`, or if no name is like the one given, the first few that there are."""
    known = list(names)
    near = nearest(name, known)
    if near or not known:
        return near
    more = f" and {len(known) - NAMES_SHOWN} more" if len(known) > NAMES_SHOWN else ""
    return f"; there {'is' if len(known) == 1 else 'are'} {', '.join(known[:NAMES_SHOWN])}{more}"


class NoHostError(UserError, AttributeError):
    """Something was asked of a node that only hosts can do."""


class Node:
    """One node of a live network.

    Attributes:
        device: the device itself.
    """

    def __init__(self, network: Network, device: Device) -> None:
        self._network = network
        self.device = device

    @property
    def name(self) -> str:
        """The node's name."""
        return self.device.name

    def port(self, name: str | int | None = None) -> Port:
        """Return a port by its name (by custom the peer's) or number; the only one by default.

        Raises:
            UserError: there is no such port, or none was named and there are several.
        """
        ports = list(self.device.ports.values())
        if name is None and len(ports) == 1:
            return ports[0]
        for port in ports:
            if port.name == name or str(port.number) == str(name):
                return port
        names = [port.name for port in ports]
        raise UserError(
            f"no port {name!r} on {self.name}; there are {', '.join(names)}"
            + nearest(str(name), names)
        )

    def explain(self, port: str | int, frame: object) -> list[str]:
        """Tell what the node would do with a frame (bytes or scapy) at a port; nothing happens."""
        return self.device.explain(self.port(port), Frame(frame_bytes(frame)))

    def __getattr__(self, name: str) -> NoReturn:
        """Say of what only hosts do who does it.

        Raises:
            NoHostError: hosts have such an attribute.
            AttributeError: no node has.
        """
        if name not in _HOSTS_ONLY:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        kind = type(self._network.topology.nodes[self.name]).__name__.lower()
        hosts = choices("", self._network.plant.hosts)
        raise NoHostError(f"{self.name} is a {kind}, and only hosts {_HOSTS_ONLY[name]}{hosts}")

    def __repr__(self) -> str:
        return f"<node {self.name}>"


class HostNode(Node):
    """A host, VM or network function."""

    @property
    def host(self) -> Host:
        """The device, as the host that it is."""
        assert isinstance(self.device, Host)
        return self.device

    @property
    def address(self) -> Ipv4 | None:
        """Its first IPv4 address, or None while it has none."""
        return self.host.any_ipv4()

    def ping(
        self,
        target: str | IpAddress | HostNode,
        count: int = 3,
        interval: int | str = "200ms",
        size: int = 56,
        timeout: int | str = "1s",
    ) -> PingResult:
        """Ping a target and run the network until the ping is over.

        Args:
            target: an address of IPv4 or IPv6, or a node of this network, or its name.
            count: echo requests, 1 to 65535.
            interval: virtual time between them (ns, or text).
            size: bytes of echo data, 0 to 65507.
            timeout: how long each request waits for its answer (ns, or text).

        Raises:
            UserError: there is no such node, it has no address, or a figure is out of range.
        """
        network = self._network
        if not 1 <= count <= MAX_COUNT:
            raise UserError(f"{count} echo requests; expected 1 to {MAX_COUNT}")
        if not 0 <= size <= MAX_SIZE:
            raise UserError(f"{size} bytes of echo data; expected 0 to {MAX_SIZE}")
        interval_ns, timeout_ns = time_ns(interval), time_ns(timeout)
        if min(interval_ns, timeout_ns) < 0:
            raise UserError(f"a time of {min(interval_ns, timeout_ns)} ns; expected 0 or more")
        ping = self.host.start_ping(
            self.address_of(target),
            count,
            interval_ns=interval_ns,
            size=size,
            timeout_ns=timeout_ns,
            cause=network.next_cause(),
            on_done=lambda _: network.wake(),
        )
        limit = count * interval_ns + timeout_ns + PING_SLACK_NS
        network.run_while(lambda: not ping.done, limit)
        return ping.result()

    def run(self, program: Coroutine[Any, Any, Any], name: str | None = None) -> Program:
        """Put a program on the host: a coroutine, which begins at the end of this instant.

        Its time is the network's and its sockets are the host's (:mod:`sdnvirt.programs`). An
        exception that it does not catch ends the run with an error that names the host.

        Args:
            program: the coroutine.
            name: what errors call it; by default its function's name.

        Raises:
            UserError: the host has crashed.
        """
        if self._network.faults.is_down(self.name):
            program.close()
            raise UserError(f"{self.name} has crashed, and runs no program")
        return self._network.programs.run(self.host, program, name)

    def call(self, program: Coroutine[Any, Any, Any], limit: int | str = PROGRAM_LIMIT_NS) -> Any:
        """Put a program on the host, run the network until it ends, and return what it returns.

        Args:
            program: the coroutine.
            limit: virtual time that it may take.

        Raises:
            UserError: it has not ended within the limit.
            ProgramError: it raised.
        """
        limit_ns = time_ns(limit)
        running = self.run(program)
        self._network.run_while(lambda: not running.done, limit_ns)
        if not running.done:
            running.cancel()
            raise UserError(f"{running} has not ended within {format_time(limit_ns)}")
        return running.result

    def start(self, line: str, stdin: str | bytes = "") -> Job:
        """Start a command on the host at the end of this instant, as ``ping -c 3 10.0.0.2``.

        Args:
            line: the command and its options (docs/commands.md).
            stdin: what it reads where its real counterpart reads the keyboard.

        Returns:
            the running command: ``.output``, ``.status``, ``.done``, and ``.stop()`` for Ctrl-C.

        Raises:
            UserError: there is no such command, the line needs a shell, or the host has crashed.
        """
        from sdnvirt.commands.job import Job
        from sdnvirt.commands.line import read

        if self._network.faults.is_down(self.name):
            raise UserError(f"{self.name} has crashed, and runs no command")
        given = stdin.encode() if isinstance(stdin, str) else stdin
        return Job(self._network.programs, self.host, read(line), given)

    def cmd(
        self, line: str, limit: int | str = PROGRAM_LIMIT_NS, stdin: str | bytes = ""
    ) -> CommandOutput:
        """Run the network until a command on the host has ended; return what it printed.

        Args:
            line: the command and its options (docs/commands.md).
            limit: virtual time that it may take.
            stdin: what it reads where its real counterpart reads the keyboard.

        Returns:
            its output, a str, with its exit status as ``.status``.

        Raises:
            UserError: there is no such command, the line needs a shell, or it has not ended
                within the limit; then it is stopped.
        """
        limit_ns = time_ns(limit)
        job = self.start(line, stdin)
        self._network.run_while(lambda: not job.done, limit_ns)
        if not job.done:
            job.stop()
            self._network.run_while(lambda: not job.done, 1)
            raise UserError(
                f"{job} has not ended within {format_time(limit_ns)}; start(...) runs it in the "
                "background"
            )
        return job.result

    def address_of(self, target: str | IpAddress | HostNode) -> IpAddress:
        """Return an address, that of a node, or the one that text names.

        Raises:
            UserError: there is no such node, or it has no address.
        """
        if isinstance(target, (Ipv4, Ipv6)):
            return target
        if isinstance(target, str):
            if target[:1].isdigit() or ":" in target:
                return _address(target)
            node = self._network[target]
        else:
            node = target
        address = _first_address(node.host) if isinstance(node, HostNode) else None
        if address is None:
            raise UserError(f"{node.name} has no address to ping")
        return address


def _first_address(host: Host) -> IpAddress | None:
    """Return the address that a host is known by: its first one of IPv4, else of IPv6."""
    own = [one for interface in host.all_interfaces() for one in interface.addresses.values()]
    far = [one.address for one in own if one.usable and not one.address.is_link_local]
    return host.any_ipv4() or next(iter(far), None)


def _address(text: str) -> IpAddress:
    try:
        return Ipv6(text) if ":" in text else Ipv4(text)
    except MalformedError:
        kind = "IPv6 address; expected such as 2001:db8::1"
        if ":" not in text:
            kind = "IPv4 address; expected such as 10.0.0.1"
        raise UserError(f"{text!r} is not an {kind}") from None

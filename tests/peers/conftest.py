"""The Linux kernel's stack as the peer of emulated hosts.

The kernel lives in a network namespace without a name, which is gone with the last descriptor of
it: nothing remains, however a test ends. What a test lets the kernel do runs in a thread that has
entered the namespace, with ordinary blocking sockets, while the network goes on in real time.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from typing import Final, TypeVar

import pytest

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6, Mac
from sdnvirt.control.tap import CLONE_DEVICE, TapDevice, open_tap
from sdnvirt.control.transport import Transport
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.errors import UserError
from sdnvirt.frame import Frame
from sdnvirt.host.stack import Host

T = TypeVar("T")

CLONE_NEWNET: Final = 0x40000000
LIMIT_S: Final = 60
"""Real seconds after which a test fails: far more than any needs on a busy machine."""

STEP_NS: Final = 5_000_000
SETTLED_NS: Final = 15 * 10**9
"""Virtual time after which our hosts know their addresses to be unique, and ask for routers no
more; it passes at once, before real time begins."""

CABLE: Final = LinkParameters(delay_ns=100_000)

IPROUTE2: Final = shutil.which("ip") or "/usr/sbin/ip"


def _why_not() -> str | None:
    """Return what is missing for the kernel to be a peer, or None."""
    if os.geteuid() != 0:
        return "needs root, for a network namespace"
    if not os.path.exists(CLONE_DEVICE):
        return f"needs {CLONE_DEVICE}"
    if not os.path.exists(IPROUTE2):
        return "needs ip, of iproute2"
    try:
        namespace = Namespace()
        namespace.do(lambda: open_tap("tap0").close())
        namespace.sysctl("ipv4/ip_forward", 0)
        namespace.close()
    except (OSError, UserError) as error:
        return f"needs a network namespace with a TAP device: {error}"
    return None


def _call(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Task(threading.Thread):
    """A function in a thread of its own, whose result or exception is kept."""

    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._function = function
        self._result: object = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # raised again where the result is wanted
            self._error = error

    def result(self) -> object:
        """Wait for the end; return what the function returned, or raise what it raised."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._result


class Namespace:
    """A network namespace of its own."""

    def __init__(self) -> None:
        def make() -> int:
            _call("unshare", CLONE_NEWNET)
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

        self._descriptor: int = Task(make).result()

    def start(self, function: Callable[[], object]) -> Task:
        """Let a function run within, in a thread of its own."""

        def entered() -> object:
            _call("setns", self._descriptor, CLONE_NEWNET)
            return function()

        return Task(entered)

    def do(self, function: Callable[[], T]) -> T:
        """Let a function run within, and wait for it."""
        return self.start(function).result()

    def ip(self, *commands: str) -> str:
        """Run commands of iproute2, as ``"addr add 10.0.0.1/24 dev tap0"``; return their output."""
        said = ""
        for command in commands:
            line = [IPROUTE2, *command.split()]
            done = self.do(
                lambda line=line: subprocess.run(
                    line, text=True, capture_output=True, check=False, timeout=LIMIT_S
                )
            )
            assert done.returncode == 0, f"{line}: {done.stderr}"
            said += done.stdout
        return said

    def sysctl(self, name: str, value: object | None = None) -> str:
        """Set a variable, if a value is given; return what it is."""
        path = f"/proc/sys/net/{name}"

        def access() -> str:
            if value is not None:
                with open(path, "w") as file:
                    file.write(str(value))
            with open(path) as file:
                return file.read().strip()

        return self.do(access)

    def close(self) -> None:
        """Give the namespace up."""
        os.close(self._descriptor)


class Heard:
    """A tap that keeps what a port receives and sends."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def received(self, _port: Port, frame: Frame) -> None:
        self.frames.append(frame.data)

    def sent(self, _port: Port, frame: Frame) -> None:
        self.frames.append(frame.data)


class Peers:
    """Emulated hosts, the kernel, and time that passes for both.

    Attributes:
        world: of the emulated network.
        kernel: the namespace.
        links: in the order in which they were made.
    """

    def __init__(self) -> None:
        self.world = World(seed=1)
        self._namespaces: list[Namespace] = []
        self.kernel = self.another_kernel()
        self._transport: Transport | None = None
        self._macs = 0
        self.links: list[Link] = []
        self.kernel.ip("link set lo up")

    @property
    def transport(self) -> Transport:
        """Real time, which begins when this is used first, once our hosts are settled."""
        if self._transport is None:
            self.settle()
            self._transport = Transport(self.world.scheduler)
        return self._transport

    def host(self, name: str, *ports: str) -> Host:
        """Return a new host with ports that lead to these."""
        host = Host(name, self.world)
        for peer in ports:
            self.port(host, peer)
        return host

    def port(self, device: Device, peer: str) -> Port:
        """Return a new port of a device, which leads to a peer."""
        self._macs += 1
        return device.add_port(len(device.ports) + 1, peer, Mac(0x02_00_00_00_00_00 + self._macs))

    def link(self, a: Port, b: Port, parameters: LinkParameters = CABLE) -> Link:
        """Join two ports; interfaces get the link's MTU."""
        link = Link(self.world, f"{a.device.name}--{b.device.name}", a, b, parameters)
        for end in link.ends:
            if isinstance(end.device, Host):
                end.device.interfaces[end.number].mtu = parameters.mtu
        self.links.append(link)
        return link

    def another_kernel(self) -> Namespace:
        """Return one more namespace."""
        namespace = Namespace()
        self._namespaces.append(namespace)
        return namespace

    def tap(
        self,
        near: Port,
        *addresses: str,
        parameters: LinkParameters = CABLE,
        kernel: Namespace | None = None,
    ) -> Link:
        """Join a port to a new interface of the kernel, which is called as the port.

        The hosts are settled then, and real time begins, if it has not.
        """
        name, transport, kernel = near.name, self.transport, kernel or self.kernel
        file = kernel.do(lambda: open_tap(name))
        tap = TapDevice(name, self.world, Mac(0), file, transport)
        link = self.link(near, tap.port, parameters)
        kernel.sysctl(f"ipv6/conf/{name}/accept_dad", 0)  # which takes a second or two
        kernel.ip(
            *(f"addr add {one} dev {name}{' nodad' if ':' in one else ''}" for one in addresses),
            f"link set {name} mtu {parameters.mtu} up",
        )
        return link

    def settle(self) -> None:
        """Let our hosts get to know their addresses to be unique, in no real time."""
        self.world.scheduler.run_until(SETTLED_NS)

    def run(self, program: Callable[[], T]) -> T:
        """Let the kernel's part of a test run, and the network meanwhile; return its result."""
        task = self.kernel.start(program)
        self.until(lambda: not task.is_alive())
        return task.result()

    def until(self, done: Callable[[], object]) -> None:
        """Let the network go on until something is so; fails if it never is."""
        scheduler = self.world.scheduler
        end = scheduler.now + LIMIT_S * 10**9
        while not done():
            assert scheduler.now < end, f"not within {LIMIT_S} s"
            self.transport.pacer.run_until(scheduler.now + STEP_NS)

    def troubles(self) -> dict[DropReason, int]:
        """Return what was dropped, beside what the kernel tells all and what was said to nobody."""
        reasons = self.world.ledger.by_reason()
        chatter = (DropReason.NO_LINK, DropReason.NOT_FOR_ME_L2)
        return {reason: count for reason, count in reasons.items() if reason not in chatter}

    def close(self) -> None:
        """End real time, and the TAP devices and the namespace with it."""
        if self._transport is not None:
            self._transport.close()
        for namespace in self._namespaces:
            namespace.close()


@dataclass(frozen=True)
class Version:
    """A version of IP, with the addresses of both sides."""

    family: socket.AddressFamily
    our_interface: IPv4Interface | IPv6Interface
    kernel_interface: str
    echo_protocol: int
    header_length: int

    @property
    def ours(self) -> IpAddress:
        address = self.our_interface.ip
        return Ipv4(address) if self.is_v4 else Ipv6(address)

    @property
    def kernels(self) -> IpAddress:
        address = self.kernel_interface.partition("/")[0]
        return Ipv4(address) if self.is_v4 else Ipv6(address)

    @property
    def is_v4(self) -> bool:
        return self.family == socket.AF_INET

    def socket(self, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """Return a socket of the kernel's, for a function that runs in the namespace."""
        made = socket.socket(self.family, kind, protocol)
        made.settimeout(LIMIT_S)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return made


V4: Final = Version(
    socket.AF_INET, IPv4Interface("10.9.0.1/24"), "10.9.0.2/24", socket.IPPROTO_ICMP, 20
)
V6: Final = Version(
    socket.AF_INET6, IPv6Interface("fd00:9::1/64"), "fd00:9::2/64", socket.IPPROTO_ICMPV6, 40
)


@pytest.fixture(params=[V4, V6], ids=["IPv4", "IPv6"])
def ip(request: pytest.FixtureRequest) -> Version:
    """Run the test for both versions of IP."""
    return request.param


@pytest.fixture(scope="session")
def obstacle() -> str | None:
    """What is missing for the kernel to be a peer, or None."""
    return _why_not()


@pytest.fixture
def peers(obstacle: str | None) -> Iterator[Peers]:
    """An empty emulated network, and the kernel in a namespace of its own."""
    if obstacle:
        pytest.skip(f"the kernel as a peer {obstacle}")
    peers = Peers()
    yield peers
    peers.close()
    assert peers.world.ledger.imbalance() == 0


@pytest.fixture
def host(peers: Peers) -> Host:
    """A host whose cable leads to the kernel's tap0; both have addresses of both versions."""
    host = peers.host("h1", "tap0")
    host.configure(V4.our_interface)
    host.configure(V6.our_interface)
    peers.tap(host.interface.port, V4.kernel_interface, V6.kernel_interface)
    return host


@pytest.fixture
def heard(host: Host) -> Heard:
    """The frames that the host sends and receives from now on."""
    heard = Heard()
    host.interface.port.taps += (heard,)
    return heard

"""Our stack against that of the Linux kernel, joined by a TAP device in real time.

The kernel's side is a network namespace of a thread of its own, which ends with the thread. It
needs root and /dev/net/tun, and is skipped elsewhere.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from pathlib import Path
from typing import Final, TypeVar

import pytest

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6, Mac
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame
from sdnvirt.host.addressing import AddressState
from sdnvirt.host.advertiser import Advertised, Advertiser
from sdnvirt.host.paths import Fragmentation
from sdnvirt.host.stack import Host
from sdnvirt.host.udp import UdpSocket

TUN: Final = Path("/dev/net/tun")
CLONE_NEWNET: Final = 0x40000000
TUNSETIFF: Final = 0x400454CA
IFF_TAP_NO_PI: Final = 0x1002
PATIENCE_S: Final = 8.0

T = TypeVar("T")

OUR = {"IPv4": Ipv4("10.0.0.1"), "IPv6": Ipv6("2001:db8::1")}
KERNEL = {"IPv4": Ipv4("10.0.0.2"), "IPv6": Ipv6("2001:db8::2")}
FAR = {"IPv4": Ipv4("10.0.9.1"), "IPv6": Ipv6("2001:db8:9::1")}
FAMILY = {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}


class Kernel:
    """The kernel at the far end of a host's port: frames go to a TAP device and come from it."""

    def __init__(self, world: World, host: Host, in_namespace: ThreadPoolExecutor) -> None:
        self.world = world
        self.host = host
        self._namespace = in_namespace
        self._fd = self.there(lambda: _open_tap("tap0"))
        self._began_ns = time.monotonic_ns() - world.scheduler.now
        host.add_port(1, "kernel", Mac("02:00:00:00:00:01")).egress = self
        self.there(lambda: run("link set lo up"))
        self.there(lambda: run("link set tap0 address 02:00:00:00:00:02 up"))

    def there(self, action: Callable[[], T]) -> T:
        """Do something in the kernel's namespace."""
        return self._namespace.submit(action).result()

    def carry(self, frame: Frame) -> None:
        """Hand a frame of the host to the kernel."""
        self.world.ledger.delivered += 1
        os.write(self._fd, frame.data)

    def until(self, done: Callable[[], object]) -> bool:
        """Run both in real time until a condition holds; return whether it did in time."""
        end = time.monotonic() + PATIENCE_S
        while not done():
            if time.monotonic() > end:
                return False
            readable, _, _ = select.select([self._fd], [], [], 0.005)
            self.world.scheduler.run_until(time.monotonic_ns() - self._began_ns)
            if readable:
                frame = self.world.originate(os.read(self._fd, 65_536), "kernel")
                self.host.ports[1].receive(frame)
        return True

    def close(self) -> None:
        os.close(self._fd)


def run(arguments: str) -> None:
    """Run ``ip`` with some arguments."""
    subprocess.run(["ip", *arguments.split()], check=True, capture_output=True)


def _open_tap(name: str) -> int:
    fd = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP_NO_PI))
    return fd


def _unshare() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


def _sysctl(name: str, value: str) -> None:
    # It is that of the namespace of the thread that opens the file.
    Path(f"/proc/sys/net/{name}").write_text(value, encoding="ascii")


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    if os.geteuid() or not TUN.exists():
        pytest.skip("needs root and /dev/net/tun")
    with ThreadPoolExecutor(1) as namespace:
        try:
            namespace.submit(_unshare).result()
            world = World(seed=1)
            kernel = Kernel(world, Host("ours", world), namespace)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no namespace with a TAP device here: {error}")
        try:
            yield kernel
            assert world.ledger.imbalance() == 0
        finally:
            kernel.close()


@pytest.fixture
def peers(kernel) -> Kernel:
    """Both sides with addresses of both versions of IP, in use."""
    kernel.there(lambda: run("addr add 10.0.0.2/24 dev tap0"))
    kernel.there(lambda: run("-6 addr add 2001:db8::2/64 dev tap0 nodad"))
    kernel.host.configure(IPv4Interface("10.0.0.1/24"))
    kernel.host.configure(IPv6Interface("2001:db8::1/64"))
    own = kernel.host.interface.addresses[Ipv6("2001:db8::1")]
    assert kernel.until(lambda: own.state is AddressState.PREFERRED)
    return kernel


def udp_socket(kernel: Kernel, ip) -> socket.socket:
    made = kernel.there(lambda: socket.socket(FAMILY[ip.name], socket.SOCK_DGRAM))
    made.setblocking(False)
    made.bind((str(KERNEL[ip.name]), 0))
    return made


@pytest.fixture
def far_link(peers) -> Iterator[None]:
    """Let the kernel forward to another link of its own, with an MTU of 1300."""
    fd = peers.there(lambda: _open_tap("tap1"))
    try:
        peers.there(lambda: run("link set tap1 mtu 1300 up"))
        peers.there(lambda: run("addr add 10.0.9.254/24 dev tap1"))
        peers.there(lambda: run("-6 addr add 2001:db8:9::254/64 dev tap1 nodad"))
        peers.there(lambda: _sysctl("ipv4/ip_forward", "1"))
        peers.there(lambda: _sysctl("ipv6/conf/all/forwarding", "1"))
        yield
    except OSError as error:
        pytest.skip(f"the kernel cannot be told to forward here: {error}")
    finally:
        os.close(fd)


@pytest.mark.parametrize("size", [5, 1400, 20_000])
def test_datagrams_go_both_ways_in_fragments_too(peers, ip, size) -> None:
    def back(src: IpAddress, port: int, payload: bytes, cause: int) -> None:
        server.send(src, port, payload[::-1], cause)

    server = UdpSocket(peers.host, 9, back, fragmentation=Fragmentation.SENDER)
    payload = (bytes(range(251)) * 100)[:size]
    with udp_socket(peers, ip) as client:
        client.sendto(payload, (str(OUR[ip.name]), 9))
        assert peers.until(lambda: select.select([client], [], [], 0)[0])
        answer, source = client.recvfrom(65_536)
    assert answer == payload[::-1]
    assert source[:2] == (str(OUR[ip.name]), 9)


def test_we_ping_the_kernel(peers, ip) -> None:
    ping = peers.host.start_ping(KERNEL[ip.name], count=3, interval_ns=10**8)
    assert peers.until(lambda: ping.done)
    assert ping.result().received == 3


def test_the_kernel_pings_us(peers, ip) -> None:
    protocol = socket.IPPROTO_ICMP if ip.is_v4 else socket.getprotobyname("ipv6-icmp")
    raw = peers.there(lambda: socket.socket(FAMILY[ip.name], socket.SOCK_RAW, protocol))
    request = struct.pack("!BBHHH", 8 if ip.is_v4 else 128, 0, 0, 7, 9) + b"data"
    if ip.is_v4:
        total = sum(struct.unpack("!6H", request))
        total = (total & 0xFFFF) + (total >> 16)
        request = request[:2] + struct.pack("!H", ~total & 0xFFFF) + request[4:]
    answers: list[bytes] = []

    def answered() -> bool:
        while select.select([raw], [], [], 0)[0]:
            answers.append(raw.recv(2000)[20 if ip.is_v4 else 0 :])
        return any(one[0] == (0 if ip.is_v4 else 129) for one in answers)

    with raw:
        raw.sendto(request, (str(OUR[ip.name]), 0))
        assert peers.until(answered)
    [reply] = [one for one in answers if one[0] in (0, 129)]
    assert reply[4:] == request[4:]


def test_a_closed_port_of_either_is_told_of(peers, ip) -> None:
    errors: list[str] = []
    ours = UdpSocket(peers.host, 0, lambda *_: None, on_error=errors.append)
    ours.send(KERNEL[ip.name], 9, b"x")
    assert peers.until(lambda: errors)
    assert errors == [f"from {KERNEL[ip.name]}: destination port unreachable"]
    with udp_socket(peers, ip) as client:
        client.connect((str(OUR[ip.name]), 9))
        client.send(b"x")

        def refused() -> bool:
            try:
                client.recv(1)
            except ConnectionRefusedError:
                return True
            except BlockingIOError:
                pass
            return False

        assert peers.until(refused)


def test_the_path_mtu_behind_the_kernel_is_learned(peers, ip, far_link) -> None:
    network = IPv4Network("10.0.9.0/24") if ip.is_v4 else IPv6Network("2001:db8:9::/64")
    peers.host.ip.add_route(network, KERNEL[ip.name])
    ping = peers.host.start_ping(FAR[ip.name], count=1, size=1400, timeout_ns=3 * 10**9)
    assert peers.until(lambda: ping.done)
    assert ping.result().errors == (f"from {KERNEL[ip.name]}: fragmentation needed",)
    assert peers.host.ip.path(FAR[ip.name]).mtu == 1300


def test_the_kernel_learns_its_prefix_from_us(kernel) -> None:
    Advertiser(kernel.host, Advertised.of(IPv6Network("2001:db8:1::/64")))

    def has_address() -> bool:
        shown = kernel.there(
            lambda: (
                subprocess.run(
                    ["ip", "-6", "addr", "show", "dev", "tap0"], capture_output=True, text=True
                ).stdout
            )
        )
        return "2001:db8:1:" in shown

    assert kernel.until(has_address)

"""The loopback interface of a host, by which it speaks to itself (RFC 1122, 3.2.1.3 g; RFC 4291).

It is an interface as any other, above a port of its own; what leaves by that comes back. So packets
to all addresses of the host go, and no cable ever carries 127.0.0.0/8 or ``::1``. The way back
takes a little time, as on a real machine: on an infinitely fast one, a program that sends as fast
as it can would never see the next nanosecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6, Mac
from sdnvirt.devices.device import Port, Unplugged
from sdnvirt.devices.link import Direction, LinkParameters
from sdnvirt.drops import DropReason
from sdnvirt.host.addressing import Cast, InterfaceAddress
from sdnvirt.host.interface import Interface
from sdnvirt.host.nd import NdResolver

if TYPE_CHECKING:
    from sdnvirt.host.stack import Host

LOOPBACK_PORT: Final = 0
"""The number of its port; those that lead out of the host are numbered from 1."""

LOCALHOST_IPV4: Final = Ipv4("127.0.0.1")
LOCALHOST_IPV6: Final = Ipv6("::1")
"""Its addresses (RFC 1122, 3.2.1.3 g; RFC 4291, 2.5.3)."""

MTU: Final = 65_536
"""As on Linux: any packet of IPv4 fits."""

WAY: Final = LinkParameters(rate_bps=10_000_000_000, delay_ns=10_000, queue_bytes=16 << 20, mtu=MTU)
"""What it takes to come back: 10 us, so that an echo takes 0.02 ms as on a usual machine; 10 Gbit/s
as on fast links; and room for the windows of many connections: who sends to a program on the same
machine waits rather than loses."""

_NO_MAC: Final = Mac(bytes(6))


class Loopback(Interface):
    """The interface ``lo`` of a host.

    Args:
        host: the host.
    """

    __slots__ = ("_way",)

    def __init__(self, host: Host) -> None:
        port = Port(host, LOOPBACK_PORT, "lo", _NO_MAC)
        self._way = Direction(host.world, port.full_name, port, port, WAY)
        port.attach(self._way, up=True)
        super().__init__(host, port, MTU)
        self.assign(InterfaceAddress(LOCALHOST_IPV4, 8))

    def enable_ipv6(self, *, autoconfigure: bool = False) -> NdResolver:
        """Have ``::1``, too, for which nobody is asked."""
        if self.nd is None:
            self.nd = NdResolver(self)
            self.assign(InterfaceAddress(LOCALHOST_IPV6, 128))
        return self.nd

    def source_to(self, dst: IpAddress) -> IpAddress:
        """Return the address that packets to an own one come from: that itself, but 127.0.0.1."""
        return LOCALHOST_IPV4 if isinstance(dst, Ipv4) and dst.is_loopback else dst

    def refresh(self) -> None:
        """Take packets to every address of the host."""
        self.accepts = _Own(self)
        self.address = LOCALHOST_IPV4
        self.host.ip.forget_paths()

    def set_up(self, up: bool) -> None:
        """Let packets come back, or be lost; ``::1`` goes and comes with that, as on Linux."""
        if up == self.admin_up:
            return
        self.admin_up = up
        if up:
            self.port.attach(self._way, up=True)
        else:
            self.cut()
            reason = DropReason.INTERFACE_DOWN
            self.port.attach(Unplugged(self.port, self.port.full_name, reason), up=False)
        if self.nd is not None:
            if up:
                self.assign(InterfaceAddress(LOCALHOST_IPV6, 128))
            else:
                self.withdraw(LOCALHOST_IPV6)
        self.host.ip.forget_paths()

    def cut(self) -> None:
        """Lose what is on its way."""
        self._way.cut()

    def join(self, group: IpAddress) -> bool:
        """Have no room for groups: there is nobody to hear what a group is told."""
        return False


class _Own(dict[bytes, Cast]):
    """The destinations of packets that the loopback interface takes, as they are at any time."""

    __slots__ = ("_loopback",)

    def __init__(self, loopback: Loopback) -> None:
        super().__init__()
        self._loopback = loopback

    def get(self, address: bytes, default: Any = None, /) -> Any:
        """Return UNICAST for an address of the host, all of 127.0.0.0/8 among them."""
        loopback = self._loopback
        own = (
            address in loopback.addresses
            or (len(address) == len(LOCALHOST_IPV4) and address[0] == LOCALHOST_IPV4[0])
            or any(
                one.accepts.get(address) is Cast.UNICAST for one in loopback.host.all_interfaces()
            )
        )
        return Cast.UNICAST if own else default

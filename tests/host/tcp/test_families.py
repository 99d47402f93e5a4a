"""TCP over both versions of IP alike: opening, data, path MTU, errors, marks."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from random import Random

import pytest

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6, Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame
from sdnvirt.host.stack import Host
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.parameters import TcpParameters
from sdnvirt.wire.checksum import internet_checksum
from sdnvirt.wire.icmp import Icmp, Unreachable
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet
from sdnvirt.wire.tcp import CWR, ECE, SYN, Tcp

S = 10**9
ADDRESSES: dict[str, tuple[IpAddress, IpAddress, IpAddress]] = {
    "IPv4": (Ipv4("10.0.0.1"), Ipv4("10.0.0.2"), Ipv4("10.0.0.254")),
    "IPv6": (Ipv6("2001:db8::1"), Ipv6("2001:db8::2"), Ipv6("2001:db8::fe")),
}


class Middle(Device):
    """Stands between two hosts, watches, and does what a test tells it."""

    def __init__(self, world: World) -> None:
        super().__init__("middle", world)
        self.packets: list[tuple[int, Ipv4Packet | Ipv6Packet]] = []
        self.mtu = 1500
        self.mark = lambda _packet: False
        self.lose = lambda _packet: False
        self.error = None

    def receive(self, port: Port, frame: Frame) -> None:
        data = frame.data
        packet = None
        if data[12:14] == b"\x08\x00":
            packet = Ipv4Packet.parse(data[14:])
        elif data[12:14] == b"\x86\xdd":
            packet = Ipv6Packet.parse(data[14:])
        if packet is not None and packet.protocol == IpProtocol.TCP:
            self.packets.append((port.number, packet))
            if self.error is not None:
                self.tell(port, data, self.error(packet))
            if len(data) - 14 > self.mtu:
                self.tell(port, data, too_big(packet, self.mtu))
                self.world.ledger.delivered += 1
                return
            if self.lose(packet):
                self.world.ledger.delivered += 1
                return
            if packet.ecn and self.mark(packet):
                frame = frame.rewritten(data[:14] + marked(packet))
        self.ports[3 - port.number].send(frame)

    def tell(self, port: Port, data: bytes, error: Ipv4Packet | Ipv6Packet | None) -> None:
        if error is not None:
            frame = data[6:12] + data[:6] + data[12:14] + error.emit()
            port.send(self.world.originate(frame, "middle"))

    def segments(self, port: int) -> list[Tcp]:
        return [
            Tcp.parse(packet.payload, packet.src, packet.dst)
            for number, packet in self.packets
            if number == port
        ]


def marked(packet: Ipv4Packet | Ipv6Packet) -> bytes:
    data = bytearray(packet.emit())
    if isinstance(packet, Ipv4Packet):
        data[1] |= 3
        data[10:12] = b"\0\0"
        data[10:12] = internet_checksum(bytes(data[:20])).to_bytes(2, "big")
    else:
        data[1] |= 0x30
    return bytes(data)


def icmp(packet: Ipv4Packet | Ipv6Packet, v4: tuple[int, int, int], v6: tuple[int, int, int]):
    """Return an error about a packet, by type, code and rest for each version."""
    if isinstance(packet, Ipv4Packet):
        reporter = ADDRESSES["IPv4"][2]
        error = Icmp(*v4, packet.emit()[:28]).emit()
        return Ipv4Packet(reporter, packet.src, IpProtocol.ICMP, error)
    reporter = ADDRESSES["IPv6"][2]
    error = Icmpv6(*v6, packet.emit()[:1200]).emit(reporter, packet.src)
    return Ipv6Packet(reporter, packet.src, IpProtocol.ICMPV6, error)


def too_big(packet, mtu: int):
    code = Unreachable.FRAGMENTATION_NEEDED
    return icmp(packet, (3, code, mtu), (Icmpv6Type.PACKET_TOO_BIG, 0, mtu))


@dataclass
class Net:
    """Two hosts with somebody between them."""

    world: World
    client: Host
    server: Host
    middle: Middle
    address: IpAddress

    def run(self, seconds: float) -> None:
        self.world.scheduler.run_until(self.world.scheduler.now + int(seconds * S))

    def connect(self, **parameters) -> TcpConnection:
        made = self.client.tcp.connect(self.address, 80, parameters=TcpParameters(**parameters))
        assert isinstance(made, TcpConnection)
        return made

    def serve(self) -> list[TcpConnection]:
        served: list[TcpConnection] = []
        self.server.tcp.listen(80, served.append)
        return served


@pytest.fixture(params=ADDRESSES)
def net(request):
    world = World(seed=1)
    middle = Middle(world)
    hosts = []
    for number in (1, 2):
        host = Host(f"h{number}", world)
        Link(
            world, f"h{number}--middle", host.add_port(1, "middle", Mac(number << 1)),
            middle.add_port(number, host.name, Mac(0x100 + number)),
            LinkParameters(rate_bps=10**8, delay_ns=10**6),
        )  # fmt: skip
        address = ADDRESSES[request.param][number - 1]
        if request.param == "IPv4":
            host.configure(IPv4Interface(f"{address}/24"))
        else:
            host.interface.enable_ipv6(autoconfigure=False)
            host.configure(IPv6Interface(f"{address}/64"))
        hosts.append(host)
    world.scheduler.run_until(5 * S)
    yield Net(world, *hosts, middle, ADDRESSES[request.param][1])
    assert world.ledger.imbalance() == 0


def transfer(net: Net, size: int, seconds: float, **parameters) -> TcpConnection:
    """Send so many bytes, and see that they arrive; return the sender's connection."""
    stream = Random(size).randbytes(size)
    got = bytearray()
    net.server.tcp.listen(80, lambda one: setattr(one, "on_data", got.extend))
    connection = net.connect(**parameters)
    connection.write(stream)
    net.run(seconds)
    assert got == stream
    return connection


def headers(net: Net) -> int:
    return 40 if isinstance(net.address, Ipv4) else 60


def test_the_segment_size_follows_from_the_link(net) -> None:
    """MUST-14, MUST-67: what we take is announced, what is sent fits the link exactly."""
    transfer(net, 100_000, 1)
    syn, *_ = net.middle.segments(1)
    assert syn.syn_options.mss == 1500 - headers(net)
    largest = max(len(packet.emit()) for _, packet in net.middle.packets)
    assert largest == 1500


def test_a_smaller_path_is_found_out(net) -> None:
    """RFC 1191 and RFC 8201: what was too big is sent again at once, in smaller segments."""
    net.middle.mtu = 1300
    transfer(net, 200_000, 1)
    sizes = [len(packet.emit()) for _, packet in net.middle.packets]
    assert sizes.count(1500) <= 10  # what was on the way when the error came
    assert 1300 in sizes


def test_a_path_that_shrinks_later_is_found_out(net) -> None:
    connection = transfer(net, 50_000, 0.5)
    net.middle.mtu = 1280
    connection.write(bytes(50_000))
    net.run(1)
    assert connection.machine.sender.flight == 0
    # The next connection knows from the beginning what this one has learned.
    before = len(net.middle.packets)
    again = net.connect()
    again.write(bytes(50_000))
    net.run(1)
    assert again.machine.sender.flight == 0
    assert max(len(packet.emit()) for _, packet in net.middle.packets[before:]) <= 1280


def test_a_forged_error_about_the_path_changes_nothing(net) -> None:
    """RFC 5927: an error that quotes a number that is not on the way is none of ours."""
    connection = transfer(net, 50_000, 0.5)

    def forge(packet):
        segment = Tcp.parse(packet.payload, packet.src, packet.dst)
        segment.seq = (segment.seq + (1 << 30)) & 0xFFFFFFFF
        packet = type(packet)(
            packet.src, packet.dst, packet.protocol, segment.emit(packet.src, packet.dst)
        )
        return icmp(packet, (3, Unreachable.PORT, 0), (Icmpv6Type.DESTINATION_UNREACHABLE, 4, 0))

    net.middle.error = forge
    connection.write(bytes(20_000))
    net.run(1)
    assert connection.machine.soft_error is None
    assert connection.machine.sender.flight == 0


UNREACHABLE = {
    "network": ((3, 0, 0), (1, 0, 0), Loss.NETWORK_UNREACHABLE),
    "host": ((3, 1, 0), (1, 3, 0), Loss.HOST_UNREACHABLE),
    "hop limit": ((11, 0, 0), (3, 0, 0), Loss.HOST_UNREACHABLE),
}


def test_source_quench_is_ignored(net) -> None:
    """MUST-55 (of IPv6, the first type that is not assigned)."""
    net.middle.error = lambda packet: icmp(packet, (4, 0, 0), (5, 0, 0))
    connection = transfer(net, 100_000, 1)
    assert connection.machine.soft_error is None
    assert connection.machine.sender.congestion.ssthresh > 1 << 30


@pytest.mark.parametrize("kind", UNREACHABLE)
def test_soft_errors_end_no_connection(net, kind: str) -> None:
    """MUST-56: but they tell why, if nothing else ever comes."""
    v4, v6, loss = UNREACHABLE[kind]
    net.serve()
    lost: list[Loss | None] = []
    net.middle.error = lambda packet: icmp(packet, v4, v6)
    net.middle.lose = lambda packet: packet.dst == net.address
    connection = net.connect()
    connection.on_closed = lost.append
    net.run(100)
    assert lost == []
    assert connection.machine.soft_error is loss
    net.run(200)
    assert lost == [loss]


def test_a_hard_error_refuses_an_opening(net) -> None:
    """SHLD-26."""
    lost: list[Loss | None] = []
    net.middle.error = lambda packet: icmp(packet, (3, Unreachable.PORT, 0), (1, 4, 0))
    net.middle.lose = lambda packet: packet.dst == net.address
    net.connect().on_closed = lost.append
    net.run(1)
    assert lost == [Loss.REFUSED]


def test_a_hard_error_ends_no_connection_that_is_open(net) -> None:
    """RFC 5927, 5.2: it could be forged."""
    connection = transfer(net, 1000, 0.5)
    net.middle.error = lambda packet: icmp(packet, (3, Unreachable.PORT, 0), (1, 4, 0))
    connection.write(b"more")
    net.run(1)
    assert connection.machine.loss is None
    assert connection.machine.soft_error is Loss.REFUSED
    assert connection.machine.sender.flight == 0


class TestMarks:
    """Explicit congestion notification (RFC 3168)."""

    def test_is_agreed_on_if_asked_for(self, net) -> None:
        transfer(net, 10_000, 1, ecn=True)
        syn = net.middle.segments(1)[0]
        answer = net.middle.segments(2)[0]
        assert syn.flags == SYN | ECE | CWR
        assert answer.flags & (ECE | CWR) == ECE
        for number, packet in net.middle.packets:
            segment = Tcp.parse(packet.payload, packet.src, packet.dst)
            assert packet.ecn == (2 if number == 1 and segment.payload else 0)

    def test_is_not_used_unasked(self, net) -> None:
        transfer(net, 10_000, 1)
        assert {packet.ecn for _, packet in net.middle.packets} == {0}
        assert not any(segment.flags & (ECE | CWR) for segment in net.middle.segments(1))

    def test_a_mark_slows_the_sender_once_a_round_trip(self, net) -> None:
        count = 0

        def mark_the_40th(packet) -> bool:
            nonlocal count
            count += packet.ecn > 0
            return count in (40, 41, 42)

        net.middle.mark = mark_the_40th
        connection = transfer(net, 300_000, 2, ecn=True)
        control = connection.machine.sender.congestion
        assert control.ssthresh < 1 << 30
        sent = net.middle.segments(1)
        assert sum(bool(segment.flags & CWR) for segment in sent[1:]) == 1
        echoes = [segment for segment in net.middle.segments(2)[1:] if segment.flags & ECE]
        assert len(echoes) > 1  # until the sender has told that it heard
        payloads = sum(len(segment.payload) for segment in sent)
        assert payloads == 300_000  # nothing was lost, so nothing was sent again

    def test_a_syn_that_is_lost_is_repeated_without(self, net) -> None:
        """RFC 3168, 6.1.1.1: somebody on the way may not let it through."""
        net.middle.lose = lambda packet: bool(
            Tcp.parse(packet.payload, packet.src, packet.dst).flags & CWR
        )
        net.serve()
        connection = net.connect(ecn=True)
        connection.write(b"hello")
        net.run(3)
        assert connection.machine.sender.flight == 0
        assert {packet.ecn for _, packet in net.middle.packets} == {0}


def test_a_lossy_way_delivers_everything(net) -> None:
    random = Random(5)
    net.middle.lose = lambda _packet: random.random() < 0.03
    transfer(net, 1_000_000, 60)


class TestChoices:
    """What an owner may say of a connection's packets."""

    def test_hop_limit_and_dscp(self, net) -> None:
        """MUST-48 and MUST-49."""
        net.serve()
        connection = net.connect()
        connection.hop_limit, connection.dscp = 7, 46
        connection.write(b"x")
        net.run(1)
        ours = [packet for port, packet in net.middle.packets if port == 1]
        assert {(packet.hop_limit, packet.dscp) for packet in ours} == {(7, 46)}

    def test_the_local_address(self, net) -> None:
        """MUST-43 to MUST-45."""
        own = net.client.tcp.connect(net.address, 80)
        assert isinstance(own, TcpConnection)
        said = net.client.tcp.connect(net.address, 80, local_address=own.local[0])
        assert isinstance(said, TcpConnection)
        assert own.local[0] == said.local[0]

    def test_nobody_is_called_at_a_group(self, net) -> None:
        """MUST-46."""
        group = Ipv4("224.0.0.1") if isinstance(net.address, Ipv4) else Ipv6("ff02::1")
        assert net.client.tcp.connect(group, 80) is Loss.NETWORK_UNREACHABLE


def test_nobody_is_called_at_everybodys_address() -> None:
    """MUST-46."""
    world = World()
    host = Host("h1", world)
    host.add_port(1, "x", Mac(2))
    host.configure(IPv4Interface("10.0.0.1/24"))
    for everybody in ("255.255.255.255", "10.0.0.255"):
        assert host.tcp.connect(Ipv4(everybody), 80) is Loss.NETWORK_UNREACHABLE

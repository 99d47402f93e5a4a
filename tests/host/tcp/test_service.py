"""Connections between hosts, by their owners' callbacks; and a host under a flood."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether

from sdnvirt.addresses import Ipv4
from sdnvirt.drops import DropReason
from sdnvirt.host.tcp import service
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.parameters import TIME_WAIT_NS, TcpParameters
from sdnvirt.host.tcp.states import State
from sdnvirt.wire.checksum import internet_checksum, pseudo_header_sum

ALICE, BOB = Ipv4("10.0.0.1"), Ipv4("10.0.0.2")
S = 10**9
MACS = {"dst": "02:00:00:00:00:01", "src": "02:00:00:00:00:02"}


@dataclass
class Program:
    """What an owner saw of a connection."""

    connection: TcpConnection
    events: list[object] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        connection = self.connection
        connection.on_connected = lambda: self.events.append("connected")
        connection.on_data = self.received
        connection.on_eof = lambda: self.events.append("eof")
        connection.on_writable = lambda: self.events.append("writable")
        connection.on_closed = lambda loss: self.events.append(("closed", loss))

    def received(self, data: bytes) -> None:
        self.data += data


def connect(host, dst=BOB, port: int = 80, **options) -> Program:
    connection = host.tcp.connect(dst, port, **options)
    assert isinstance(connection, TcpConnection)
    return Program(connection)


def listen(host, port: int = 80, **options) -> list[Program]:
    """Listen, and return the programs of the connections that come, as they come."""
    programs: list[Program] = []
    host.tcp.listen(port, lambda one: programs.append(Program(one)), **options)
    return programs


def closed_cleanly(pair) -> bool:
    pair.run(2 * TIME_WAIT_NS / S)
    return not pair.alice.tcp.connections and not pair.bob.tcp.connections


def test_a_question_and_its_answer(pair) -> None:
    servers = listen(pair.bob)
    client = connect(pair.alice, cause=7)
    pair.run(1)
    [server] = servers
    assert server.connection.remote == client.connection.local
    assert server.connection.cause == 7
    client.connection.write(b"question")
    pair.run(1)
    server.connection.write(bytes(server.data)[::-1])
    server.connection.close()
    pair.run(1)
    client.connection.close()
    pair.run(1)
    assert client.events == ["connected", "eof", ("closed", None)]
    assert client.data == b"noitseuq"
    assert closed_cleanly(pair)
    assert server.events == [("closed", None)]
    assert pair.world.ledger.dropped == 0


def test_callbacks_may_write_and_close(pair) -> None:
    def serve(connection: TcpConnection) -> None:
        def answer(data: bytes) -> None:
            connection.write(data.upper())
            connection.shutdown_write()

        connection.on_data = answer
        connection.on_eof = connection.close

    pair.bob.tcp.listen(80, serve)
    client = connect(pair.alice)
    client.connection.on_connected = lambda: client.connection.write(b"hello")
    client.connection.on_eof = client.connection.close
    pair.run(1)
    assert client.data == b"HELLO"
    assert client.events == [("closed", None)]
    assert closed_cleanly(pair)


def test_an_answer_and_the_acknowledgement_go_in_one_segment(pair) -> None:
    pair.bob.tcp.listen(80, lambda one: setattr(one, "on_data", one.write))
    client = connect(pair.alice)
    pair.run(1)
    before = pair.bob.interface.port.tx_packets
    client.connection.write(b"hello")
    pair.run(0.03)
    assert client.data == b"hello"
    assert pair.bob.interface.port.tx_packets == before + 1


@pytest.mark.parametrize("size", [1, 100_000, 3_000_000])
def test_streams_go_both_ways_at_once(pair, size: int) -> None:
    streams = [bytes(range(256)) * (size // 256 + 1), bytes(range(251)) * (size // 251 + 1)]
    servers = listen(pair.bob)
    client = connect(pair.alice)
    pair.run(1)
    programs = [client, servers[0]]
    for program, stream in zip(programs, streams, strict=True):
        send(program, stream[:size])
    pair.run(20)
    assert programs[1].data == streams[0][:size]
    assert programs[0].data == streams[1][:size]
    assert closed_cleanly(pair)
    assert pair.world.ledger.dropped == 0


def send(program: Program, stream: bytes) -> None:
    """Write a stream as there is room, then close that direction."""
    left = memoryview(stream)

    def go_on() -> None:
        nonlocal left
        left = left[program.connection.write(bytes(left[:50_000])) :]
        while left and program.connection.writable:
            left = left[program.connection.write(bytes(left[:50_000])) :]
        if not left:
            program.connection.shutdown_write()

    program.connection.on_writable = go_on
    go_on()


class TestFlowControl:
    def test_paused_reading_closes_the_window(self, pair) -> None:
        servers = listen(pair.bob, parameters=TcpParameters(receive_buffer=20_000))
        client = connect(pair.alice, parameters=TcpParameters(send_buffer=30_000))
        pair.run(1)
        [server] = servers
        server.connection.pause_reading()
        assert client.connection.write(bytes(100_000)) == 30_000
        pair.run(300)  # the window stays closed, and the connection stays, too
        assert server.data == b""
        assert server.connection.machine.receiver.buffer.unread == 20_000
        assert client.connection.writable == 20_000
        assert client.events == ["connected", "writable"]
        server.connection.resume_reading()
        pair.run(1)
        assert len(server.data) == 30_000
        assert client.connection.writable == 30_000

    def test_resuming_tells_the_peer_at_once(self, pair) -> None:
        servers = listen(pair.bob, parameters=TcpParameters(receive_buffer=20_000))
        client = connect(pair.alice, parameters=TcpParameters(no_delay=True))
        pair.run(1)
        servers[0].connection.pause_reading()
        client.connection.write(bytes(40_000))
        pair.run(0.1)
        servers[0].connection.resume_reading()
        pair.run(0.01)  # long before a probe
        assert len(servers[0].data) == 40_000

    def test_the_end_comes_behind_the_data(self, pair) -> None:
        servers = listen(pair.bob)
        client = connect(pair.alice)
        pair.run(1)
        servers[0].connection.pause_reading()
        client.connection.write(b"last words")
        client.connection.shutdown_write()
        pair.run(1)
        assert servers[0].events == []
        servers[0].connection.resume_reading()
        assert (servers[0].data, servers[0].events) == (b"last words", ["eof"])


class TestLosses:
    def test_nobody_listens(self, pair) -> None:
        client = connect(pair.alice)
        pair.run(1)
        assert client.events == [("closed", Loss.REFUSED)]
        assert not pair.alice.tcp.connections
        assert pair.world.ledger.by_reason() == {DropReason.PORT_UNREACHABLE: 1}

    def test_nobody_is_there(self, pair) -> None:
        client = connect(pair.alice, Ipv4("10.0.0.77"))
        pair.run(10)
        assert client.events == [("closed", Loss.HOST_UNREACHABLE)]

    def test_no_way_leads_there(self, pair) -> None:
        assert pair.alice.tcp.connect(Ipv4("192.0.2.1"), 80) is Loss.NETWORK_UNREACHABLE

    def test_the_peer_aborts(self, pair) -> None:
        servers = listen(pair.bob)
        client = connect(pair.alice)
        pair.run(1)
        servers[0].connection.abort()
        pair.run(1)
        assert client.events == ["connected", ("closed", Loss.RESET)]
        assert servers[0].events == [("closed", Loss.ABORTED)]
        assert not pair.alice.tcp.connections
        assert not pair.bob.tcp.connections

    def test_the_wire_is_cut(self, pair) -> None:
        servers = listen(pair.bob)
        client = connect(pair.alice)
        pair.run(1)
        pair.link.set_up(False)
        client.connection.write(b"anybody?")
        pair.run(300)
        assert client.events == ["connected", ("closed", Loss.TIMED_OUT)]
        assert servers[0].events == []  # it sends nothing, so it cannot know

    def test_a_short_cut_is_overcome(self, pair) -> None:
        servers = listen(pair.bob)
        client = connect(pair.alice)
        pair.run(1)
        pair.link.set_up(False)
        client.connection.write(b"patience")
        pair.run(20)
        pair.link.set_up(True)
        pair.run(30)
        assert servers[0].data == b"patience"

    def test_after_an_end_nothing_is_sent(self, pair) -> None:
        client = connect(pair.alice)
        pair.run(1)
        assert client.connection.write(b"too late") == 0
        client.connection.close()
        client.connection.abort()
        assert client.events == [("closed", Loss.REFUSED)]


class TestPorts:
    def test_a_port_has_one_listener(self, pair) -> None:
        listener = pair.bob.tcp.listen(80, print)
        assert pair.bob.tcp.listen(80, print) is Loss.IN_USE
        listener.close()
        assert pair.bob.tcp.listen(80, print) is not Loss.IN_USE

    def test_any_port(self, pair) -> None:
        ports = {pair.bob.tcp.listen(0, print).port for _ in range(3)}
        assert len(ports) == 3

    def test_a_listener_of_an_address_goes_before_one_of_all(self, pair) -> None:
        everywhere, here = listen(pair.bob), listen(pair.bob, address=BOB)
        connect(pair.alice)
        pair.run(1)
        assert (len(everywhere), len(here)) == (0, 1)

    def test_connections_to_one_port_have_different_ends(self, pair) -> None:
        servers = listen(pair.bob)
        clients = [connect(pair.alice) for _ in range(200)]
        pair.run(2)  # more than may wait for bob's MAC address, so some SYNs are repeated
        for number, client in enumerate(clients):
            client.connection.write(b"%d" % number)
        pair.run(1)
        assert sorted(int(server.data) for server in servers) == list(range(200))

    def test_ends_in_use_are_refused(self, pair) -> None:
        listen(pair.bob)
        connect(pair.alice, local_port=5000)
        assert pair.alice.tcp.connect(BOB, 80, local_port=5000) is Loss.NO_PORT

    def test_a_host_connects_to_itself(self, pair) -> None:
        servers = listen(pair.alice)
        client = connect(pair.alice, ALICE)
        client.connection.write(b"me")
        pair.run(1)
        assert servers[0].data == b"me"


class TestTimeWait:
    def finished(self, pair) -> Program:
        """Return a client that has closed first, and lingers."""
        servers = listen(pair.bob)
        client = connect(pair.alice, local_port=5000)
        pair.run(1)
        client.connection.close()
        pair.run(1)
        servers[0].connection.close()
        pair.run(1)
        assert client.connection.state is State.TIME_WAIT
        assert client.events == ["connected", ("closed", None)]
        return client

    def test_gives_room_to_a_later_connection(self, pair) -> None:
        """RFC 9293, MAY-2: bob connects again between the same ends."""
        self.finished(pair)
        servers = listen(pair.alice, 5000)
        again = connect(pair.bob, ALICE, 5000, local_port=80)
        pair.run(1)
        assert (again.events, len(servers)) == (["connected"], 1)

    def test_is_bounded(self, pair, monkeypatch) -> None:
        monkeypatch.setattr(service, "TIME_WAIT_LIMIT", 5)
        servers = listen(pair.bob)
        for _ in range(20):
            client = connect(pair.alice)
            pair.run(0.1)
            client.connection.close()
            servers[-1].connection.close()
            pair.run(0.1)
        lingering = len(pair.alice.tcp.connections)
        assert lingering == len(pair.alice.tcp._lingering) == 5
        assert closed_cleanly(pair)

    def test_connections_are_bounded(self, pair, monkeypatch) -> None:
        monkeypatch.setattr(service, "CONNECTION_LIMIT", 5)
        servers = listen(pair.bob)
        for _ in range(5):
            connect(pair.alice)
        assert pair.alice.tcp.connect(BOB, 80) is Loss.NO_PORT
        connect(pair.bob, BOB)
        pair.run(0.1)
        assert len(pair.bob.tcp.connections) == 5
        assert pair.world.ledger.by_reason()[DropReason.CONNECTIONS_FULL] >= 1
        assert len(servers) == 4


class TestStrangers:
    def ask(self, wired, **fields) -> list:
        ether = Ether(**MACS)
        known = ARP(op=1, hwsrc=MACS["src"], psrc="10.0.0.2", pdst="10.0.0.1")
        wired.wire.say(bytes(Ether(dst="ff:ff:ff:ff:ff:ff", src=MACS["src"]) / known))
        wired.wire.listen()
        payload = fields.pop("payload", b"")
        ip = IP(src=fields.pop("src", "10.0.0.2"), dst="10.0.0.1")
        wired.wire.say(bytes(ether / ip / TCP(sport=4000, dport=80, **fields) / payload))
        return [Ether(data)[TCP] for data in wired.wire.listen()]

    def test_a_syn_to_a_closed_port_is_refused(self, wired) -> None:
        [reset] = self.ask(wired, flags="S", seq=100)
        assert (reset.flags, reset.seq, reset.ack) == ("RA", 0, 101)

    def test_an_acknowledgement_of_nothing_is_reset(self, wired) -> None:
        [reset] = self.ask(wired, flags="A", seq=100, ack=777)
        assert (reset.flags, reset.seq) == ("R", 777)

    def test_data_count_in_the_answer(self, wired) -> None:
        [reset] = self.ask(wired, flags="SF", seq=100, payload=b"abc")
        assert reset.ack == 105

    def test_a_reset_is_not_answered(self, wired) -> None:
        assert self.ask(wired, flags="R", seq=100) == []

    def test_a_listener_refuses_an_acknowledgement(self, wired) -> None:
        listen(wired.host)
        [reset] = self.ask(wired, flags="A", seq=100, ack=777)
        assert (reset.flags, reset.seq) == ("R", 777)

    @pytest.mark.parametrize("flags", ["", "F", "R", "RA"])
    def test_a_listener_ignores_the_rest(self, wired, flags: str) -> None:
        listen(wired.host)
        assert self.ask(wired, flags=flags, seq=100) == []
        assert wired.world.ledger.by_reason() == {DropReason.SEGMENT_UNEXPECTED: 1}

    def test_a_bad_checksum_is_dropped(self, wired) -> None:
        listen(wired.host)
        assert self.ask(wired, flags="S", chksum=0x1234) == []
        assert wired.world.ledger.by_reason() == {DropReason.BAD_CHECKSUM: 1}

    def test_the_land_attack_is_dropped(self, wired) -> None:
        listen(wired.host)
        assert self.ask(wired, flags="S", src="10.0.0.1") == []
        assert wired.world.ledger.by_reason() == {DropReason.MARTIAN: 1}

    def test_a_segment_to_everybody_is_nobodys(self, wired) -> None:
        """RFC 9293, MUST-57."""
        listen(wired.host)
        ether = Ether(dst="ff:ff:ff:ff:ff:ff", src=MACS["src"])
        syn = TCP(sport=4000, dport=80, flags="S")
        wired.wire.say(bytes(ether / IP(src="10.0.0.2", dst="10.0.0.255") / syn))
        assert wired.wire.listen() == []
        assert wired.world.ledger.by_reason() == {DropReason.NOT_FOR_ME_L3: 1}

    def test_other_protocols_are_left_alone(self, wired) -> None:
        ether = Ether(**MACS)
        wired.wire.say(bytes(ether / IP(src="10.0.0.2", dst="10.0.0.1") / UDP(dport=80)))
        assert DropReason.PORT_UNREACHABLE in wired.world.ledger.by_reason()


class TestFlood:
    def flood(self, pair, count: int) -> None:
        """Send SYNs from forged addresses beyond alice to bob's port 80, and forget them."""
        port = pair.alice.interface.port
        template = bytearray(
            bytes(Ether(dst=str(pair.bob.interface.mac), src=str(port.mac))
                  / IP(src="10.0.0.9", dst="10.0.0.2")
                  / TCP(sport=1, dport=80, flags="S", seq=5))
        )  # fmt: skip
        for number in range(count):
            template[34:36] = (1 + number % 60_000).to_bytes(2, "big")
            template[38:42] = number.to_bytes(4, "big")
            template[50:52] = b"\0\0"
            segment = bytes(template[34:])
            pseudo = pseudo_header_sum(
                bytes(template[26:30]), bytes(template[30:34]), 6, len(segment)
            )
            checksum = internet_checksum(segment, pseudo)
            template[50:52] = checksum.to_bytes(2, "big")
            port.send(pair.world.originate(bytes(template), "attacker"))
            if number % 100 == 99:
                pair.run(0.001)

    def test_memory_stays_bounded_and_the_host_answers(self, pair) -> None:
        servers = listen(pair.bob)
        self.flood(pair, 3000)
        assert len(pair.bob.tcp.connections) == 128
        [listener] = pair.bob.tcp.listeners.values()
        assert listener.cookies == 3000 - 128
        client = connect(pair.alice)
        client.connection.write(b"in earnest")
        pair.run(1)
        assert client.events == ["connected"]
        assert servers[0].data == b"in earnest"
        servers[0].connection.write(bytes(50_000))
        pair.run(1)
        assert len(client.data) == 50_000
        pair.run(400)
        assert len(pair.bob.tcp.connections) == 1  # what was half open has been given up

    @pytest.mark.nightly
    def test_a_hundred_thousand(self, pair) -> None:
        servers = listen(pair.bob)
        self.flood(pair, 100_000)
        assert len(pair.bob.tcp.connections) == 128
        client = connect(pair.alice)
        client.connection.write(b"in earnest")
        pair.run(1)
        assert servers[0].data == b"in earnest"

    def test_every_opening_may_be_by_a_cookie(self, pair) -> None:
        listen(pair.bob, backlog=0)
        client = connect(pair.alice)
        pair.run(1)
        assert client.events == ["connected"]
        [server] = pair.bob.tcp.connections.values()
        server.abort()
        pair.run(1)
        assert client.events == ["connected", ("closed", Loss.RESET)]


def test_the_same_seed_gives_the_same_segments() -> None:
    from sdnvirt.devices.world import World
    from sdnvirt.host.stack import Host

    first, again, other = (Host("h", World(seed)).tcp._numbers for seed in (1, 1, 2))
    ends = (ALICE, 1, BOB, 2)
    assert first.initial(ends, 5) == again.initial(ends, 5) != other.initial(ends, 5)

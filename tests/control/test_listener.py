"""Switches that listen for controllers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.control.listener import CONNECTIONS_LIMIT, HANDSHAKE_LIMIT_NS, Listener, listen
from sdnvirt.control.transport import Transport
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.errors import ControllerError
from sdnvirt.openflow.channel import Channel, Event, Received
from sdnvirt.openflow.v13.features import FeaturesReply, FeaturesRequest

MS = 1_000_000
PATIENCE_S = 10


def clock() -> int:
    return time.monotonic_ns() * 50  # so much faster than real time do these tests run


class Tool:
    """A controller that connects to a switch."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.channel = Channel(echo_idle_ns=None)
        self.channel.start()
        self.events: list[Event] = []
        self.ended = False

    def leave(self) -> None:
        self.ended = True
        self.socket.close()

    def flush(self) -> None:
        self.socket.sendall(self.channel.outgoing())

    def listen(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self.ended = not data
        if data:
            self.events += self.channel.receive(data)


class Place:
    """A switch that listens, and those who connect."""

    def __init__(self) -> None:
        self.world = World(seed=1)
        self.switch = OpenFlowSwitch("s1", self.world, 7)
        self.switch.add_port(1, "p1", Mac(1))
        self.transport = Transport(self.world.scheduler, clock)
        self.listener = Listener("ptcp:0", self.transport, self.switch)
        self.tools: list[Tool] = []

    def visit(self) -> Tool:
        """Connect, and say HELLO."""
        tool = self.silent()
        tool.flush()
        self.until(lambda: tool.channel.established)
        return tool

    def silent(self) -> Tool:
        """Connect, and say nothing."""
        tool = Tool(self.listener.address.port)
        self.tools.append(tool)
        return tool

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.run(1)

    def run(self, ms: int) -> None:
        self.transport.pacer.run_until(self.world.scheduler.now + ms * MS)
        for tool in self.tools:
            if not tool.ended:
                tool.listen()

    def ask(self, tool: Tool) -> int:
        """Return the datapath id that the switch tells."""
        tool.events.clear()
        tool.channel.send(FeaturesRequest())
        tool.flush()
        self.until(lambda: tool.events)
        (answer,) = tool.events
        assert isinstance(answer, Received)
        assert isinstance(answer.message, FeaturesReply)
        return answer.message.datapath_id


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.listener.close()
    place.transport.close()
    for tool in place.tools:
        tool.socket.close()


def test_several_controllers_come_and_go(place: Place) -> None:
    first, second = place.visit(), place.visit()
    assert [place.ask(first), place.ask(second)] == [7, 7]
    assert len(place.switch.agents) == 2
    first.leave()
    place.until(lambda: len(place.switch.agents) == 1)
    assert place.ask(second) == 7


def test_only_who_has_agreed_on_a_version_is_a_controller(place: Place) -> None:
    half = place.silent()
    half.socket.sendall(half.channel.outgoing()[:5])
    place.until(lambda: place.listener.guests)
    place.run(100)
    assert place.switch.agents == []
    assert place.ask(place.visit()) == 7
    assert len(place.switch.agents) == 1


def test_who_does_not_say_hello_in_time_has_to_leave(place: Place) -> None:
    late, early = place.silent(), place.visit()
    place.run(HANDSHAKE_LIMIT_NS // MS)
    place.until(lambda: late.ended)
    assert len(place.listener.guests) == 1
    assert place.ask(early) == 7


def test_a_message_that_never_ends_stalls_nobody_else(place: Place) -> None:
    stalled, other = place.visit(), place.visit()
    stalled.socket.sendall(bytes.fromhex("040effff00000001") + bytes(1000))
    place.run(1000)
    assert place.ask(other) == 7


def test_what_is_no_openflow_is_answered_with_an_error_and_closed(place: Place) -> None:
    stranger = place.silent()
    stranger.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
    answer = b""
    deadline = time.monotonic() + PATIENCE_S
    while not stranger.ended:
        assert time.monotonic() < deadline
        place.transport.pacer.run_until(place.world.scheduler.now + MS)
        try:
            data = stranger.socket.recv(1000)
        except BlockingIOError:
            continue
        stranger.ended = not data
        answer += data
    assert answer[1] == 0  # HELLO
    assert place.listener.guests == []
    assert place.switch.agents == []
    assert place.ask(place.visit()) == 7


def test_there_is_room_for_a_number_of_connections(place: Place) -> None:
    tools = [place.visit() for _ in range(CONNECTIONS_LIMIT)]
    refused = place.silent()
    place.until(lambda: refused.ended)
    tools[0].leave()
    place.until(lambda: len(place.listener.guests) < CONNECTIONS_LIMIT)
    assert place.ask(place.visit()) == 7


def test_closing_ends_every_connection(place: Place) -> None:
    tool = place.visit()
    place.listener.close()
    place.until(lambda: tool.ended)
    assert place.switch.agents == []
    with pytest.raises(ConnectionRefusedError):
        place.silent()


def test_switches_listen_at_ports_in_a_row_or_not_at_all(place: Place) -> None:
    port = place.listener.address.port
    switches = [place.switch, OpenFlowSwitch("s2", place.world, 8)]
    with pytest.raises(ControllerError) as caught:
        listen(f"ptcp:{port - 1}", place.transport, switches)
    told = f"cannot listen on ptcp:{port}:127.0.0.1: address already in use"
    assert str(caught.value) == told
    place.listener.close()
    first, second = listen(f"ptcp:{port}", place.transport, switches)
    assert (first.address.port, second.address.port) == (port, port + 1)
    first.close()
    second.close()


def test_tls_needs_files(place: Place) -> None:
    with pytest.raises(ControllerError, match=r"^listener pssl:0:127.0.0.1: TLS needs a private"):
        Listener("pssl:0", place.transport, place.switch)

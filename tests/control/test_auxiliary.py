"""Auxiliary connections over TCP: a controller with a socket for each connection of a switch."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from sdnvirt import topology
from sdnvirt.addresses import Mac
from sdnvirt.control.remote import RemoteController
from sdnvirt.control.transport import Transport
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.errors import ControllerError
from sdnvirt.openflow.channel import Channel, Received
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.features import FeaturesReply, FeaturesRequest
from sdnvirt.session import open_network

PATIENCE_S = 10
SPEED = 50
"""How much faster than real time these tests run."""


def clock() -> int:
    return time.monotonic_ns() * SPEED


class End:
    """The controller's end of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.setblocking(False)
        self.channel = Channel(echo_idle_ns=None)
        self.channel.start()
        self.received: list[Message] = []
        self.ended = False
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.channel.outgoing())

    def listen(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.ended = True
            return
        for event in self.channel.receive(data):
            if isinstance(event, Received):
                self.received.append(event.message)
        self.flush()


class Place:
    """A switch that dials a controller of the test's own."""

    def __init__(self, auxiliary_connections: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        address = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"
        world = World(seed=1)
        self.switch = OpenFlowSwitch("s1", world, 7)
        self.switch.add_port(1, "p1", Mac(1))
        self.transport = Transport(world.scheduler, clock)
        self.errors: list[ControllerError] = []
        self.ends: list[End] = []
        remote = RemoteController(
            address,
            self.transport,
            self.errors.append,
            auxiliary_connections=auxiliary_connections,
        )
        self.switch.connect(remote, auxiliaries=remote.auxiliaries)

    def close(self) -> None:
        for end in self.ends:
            end.socket.close()
        self.listener.close()
        self.transport.close()

    def run(self, ns: int = 10_000_000) -> None:
        """Let the switch and the controller go on."""
        self.transport.pacer.run_until(self.transport.scheduler.now + ns)
        with suppress(OSError):  # nobody has dialled, or the controller accepts nobody any more
            self.ends.append(End(self.listener.accept()[0]))
        for end in self.ends:
            if not end.ended:
                end.listen()

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.run()

    def ask(self, end: End, message: Message) -> Message:
        """Ask on one connection; return what comes there."""
        before = len(end.received)
        end.channel.send(message)
        end.flush()
        self.until(lambda: len(end.received) > before)
        return end.received[before]

    def open(self) -> None:
        """Open the main connection, and let the controller ask who that is."""
        self.until(lambda: self.ends and self.ends[0].channel.established)
        self.ask(self.ends[0], FeaturesRequest())


@pytest.fixture
def begin() -> Iterator[Callable[[int], Place]]:
    places: list[Place] = []

    def make(auxiliary_connections: int) -> Place:
        places.append(Place(auxiliary_connections))
        return places[-1]

    yield make
    for place in places:
        place.close()


def ids(place: Place) -> list[int]:
    """Return, in order of coming, the auxiliary ids of the connections."""
    found = [place.ask(end, FeaturesRequest()) for end in place.ends if not end.ended]
    assert all(isinstance(one, FeaturesReply) and one.datapath_id == 7 for one in found)
    return [one.auxiliary_id for one in found if isinstance(one, FeaturesReply)]


def test_as_many_as_asked_for_come_after_the_main_one(begin: Callable[[int], Place]) -> None:
    place = begin(3)
    place.until(lambda: place.ends and place.ends[0].channel.established)
    place.run(1_000_000_000)
    assert len(place.ends) == 1
    place.open()
    place.until(lambda: len(place.ends) == 4)
    place.until(lambda: all(end.channel.established for end in place.ends))
    found = ids(place)
    assert (found[0], sorted(found)) == (0, [0, 1, 2, 3])
    place.run(1_000_000_000)
    assert len(place.ends) == 4


def test_by_default_there_are_none(begin: Callable[[int], Place]) -> None:
    place = begin(0)
    place.open()
    place.run(1_000_000_000)
    assert len(place.ends) == 1


def test_each_answers_for_itself(begin: Callable[[int], Place]) -> None:
    place = begin(1)
    place.open()
    place.until(lambda: len(place.ends) == 2 and place.ends[1].channel.established)
    main, auxiliary = place.ends
    before = list(main.received)
    assert place.ask(auxiliary, BarrierRequest()) == BarrierReply()
    assert main.received == before


def test_the_switch_closes_them_with_the_main_one_and_begins_again(
    begin: Callable[[int], Place],
) -> None:
    place = begin(2)
    place.open()
    place.until(lambda: len(place.ends) == 3)
    main, *auxiliaries = place.ends
    main.socket.close()
    main.ended = True
    place.until(lambda: all(end.ended for end in auxiliaries))
    place.until(lambda: len(place.ends) == 4 and place.ends[3].channel.established)
    assert ids(place) == [0]
    place.until(lambda: len(place.ends) == 6)
    place.until(lambda: all(end.channel.established for end in place.ends[3:]))
    assert sorted(ids(place)) == [0, 1, 2]


def test_one_that_the_controller_closes_is_dialled_again_later(
    begin: Callable[[int], Place],
) -> None:
    place = begin(1)
    place.open()
    place.until(lambda: len(place.ends) == 2)
    lost = place.transport.scheduler.now
    place.ends[1].socket.close()
    place.ends[1].ended = True
    place.until(lambda: len(place.ends) == 3 and place.ends[2].channel.established)
    assert place.transport.scheduler.now - lost >= 1_000_000_000
    assert ids(place) == [0, 1]


def test_a_controller_that_accepts_only_one_connection_is_no_error(
    begin: Callable[[int], Place],
) -> None:
    place = begin(1)
    place.until(lambda: place.ends and place.ends[0].channel.established)
    place.listener.close()
    place.open()
    place.run(5_000_000_000)
    assert place.ask(place.ends[0], BarrierRequest()) == BarrierReply()
    assert (place.errors, len(place.ends)) == ([], 1)


@pytest.mark.parametrize("number", [-1, 256])
def test_a_number_out_of_range_is_told(number: int) -> None:
    with pytest.raises(ControllerError) as caught:
        RemoteController(
            "tcp:127.0.0.1",
            Transport(World(seed=1).scheduler),
            pytest.fail,
            auxiliary_connections=number,
        )
    told = f"controller tcp:127.0.0.1:6653: {number} auxiliary connections: expected 0 to 255"
    assert str(caught.value) == told


def test_embedded_apps_have_none() -> None:
    spec = topology.from_dict({"name": "none", "switches": {"s1": {"kind": "openflow"}}})
    with pytest.raises(ControllerError) as caught:
        open_network(spec, auxiliary_connections=2)
    assert str(caught.value) == (
        "2 auxiliary connections: expected a running controller, such as tcp:127.0.0.1, for them; "
        "found 'topology'"
    )

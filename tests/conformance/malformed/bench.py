"""A switch between two stations, and a controller that says what it should not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.openflow.channel import CODECS
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPFC, OFPG, OFPGC, OFPM, OFPMC, OFPPC, OFPT, OFPTT
from sdnvirt.openflow.v13.features import SetConfig
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import MeterMod
from sdnvirt.openflow.v13.ports import PortMod
from tests.conformance.malformed.wire import ERROR, HELLO, barrier, hello, messages_of
from tests.devices.station import stations_of

CONFIG: Final = sum(OFPPC)


class Side:
    """The controller's end of one connection, which keeps the bytes of the switch."""

    def __init__(self) -> None:
        self.heard = b""
        self.open = True

    def feed(self, data: bytes) -> None:
        assert self.open
        self.heard += data

    def close(self) -> None:
        self.open = False


class Bench:
    """A switch with two stations, and a controller that says what it should not."""

    def __init__(self) -> None:
        self.world = World(seed=1)
        self.switch = OpenFlowSwitch("s1", self.world, 0x2A)
        station = stations_of(self.world)
        self.stations = [station(self.switch) for _ in range(2)]
        self.switch.connect(self)

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> Side:
        self.deliver, self.closed, self.side = deliver, closed, Side()
        return self.side

    def converse(self, *pieces: bytes) -> tuple[bytes, bool]:
        """Say bytes on a new connection; return what the switch said, and whether it hung up."""
        side = self.side
        for piece in pieces:
            if side.open:
                self.deliver(piece)
                self.world.scheduler.run_until(self.world.scheduler.now)
        if side.open:
            side.open = False
            self.closed("the controller hung up")
            return side.heard, False
        return side.heard, True

    def restore(self) -> None:
        """Bring the switch into a known state, as a well-behaved controller would."""
        forward = Output(2)
        said: list[Message] = [
            FlowMod(command=OFPFC.DELETE, table_id=OFPTT.ALL),
            GroupMod(OFPGC.DELETE, 0, OFPG.ALL),
            MeterMod(OFPMC.DELETE, 0, OFPM.ALL),
            SetConfig(0, 128),
            *(PortMod(port.number, port.mac, 0, CONFIG, 0) for port in self.switch.ports.values()),
            FlowMod(match=Match.of(in_port=1), instructions=(ApplyActions((forward,)),)),
        ]
        heard, closed = self.converse(
            hello(4), *(CODECS[4].encode(message, 1) for message in said), barrier(4)
        )
        kinds = [message[1] for message in messages_of(heard)[0]]
        assert kinds[0] == HELLO
        assert kinds[-1] == OFPT.BARRIER_REPLY
        assert ERROR not in kinds
        assert not closed

    def forwards(self, number: int) -> bool:
        """Whether a new frame passes through the flow tables to where it should go."""
        sender, receiver = self.stations
        data = bytes.fromhex("020000000002020000000001 88b5") + number.to_bytes(46, "big")
        receiver.frames.clear()
        sender.send(data)
        return receiver.received == [data]

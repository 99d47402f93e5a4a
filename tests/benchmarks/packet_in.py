"""Packet-in round trips of an embedded controller: how many frames a second Ryu can judge.

A frame without a flow entry goes to ``controllers/learning_switch.py`` on stock Ryu in virtual
time. Two kinds of round trip are measured:

* ``flow_mod_and_packet_out``: the app knows the destination, and answers the PACKET_IN with a
  FLOW_MOD and a PACKET_OUT. Every frame comes from a new MAC address, so that none finds the entry
  of another.
* ``packet_out``: the app does not know the destination, and answers with a PACKET_OUT that floods.

Each on two ways:

* ``network``: from a frame on a host's link to the frame on the other host's link, through the
  switch's tables, both codecs, Ryu and the app; the next frame comes when this one is through.
* ``controller``: from the bytes of a PACKET_IN to the bytes of its answer, Ryu and the app alone,
  which is what cbench measures of a controller.

A figure is such round trips a second of CPU.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from measurement import arguments, in_turns, report, summary

from sdnvirt import topology
from sdnvirt.addresses import Mac
from sdnvirt.control.embedded import EmbeddedController
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.openflow.channel import Channel, Received
from sdnvirt.openflow.v13.codec import encode
from sdnvirt.openflow.v13.constants import NO_BUFFER, OFPT
from sdnvirt.openflow.v13.features import FeaturesReply, FeaturesRequest
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.packets import PacketIn
from sdnvirt.session import open_network
from sdnvirt.units import NS_PER_S

ROOT: Final = Path(__file__).resolve().parents[2]
APP: Final = "controllers/learning_switch.py"
FRAMES: Final = 2_000
GAP_NS: Final = 100_000
SPEC: Final[dict[str, Any]] = {
    "name": "packet-in",
    "switches": {"s1": {"kind": "openflow"}},
    "hosts": {"h[1-2]": {"address": "10.0.0.[1-2]/24"}},
    "links": [{"between": ["h[1-2]", "s1"]}],
    "controller": {"app": APP},
}

KNOWN: Final = Mac(0x0E_FFFF_FFFF_FF)
"""A destination that the app is told of first, for the controller alone."""

UNKNOWN: Final = Mac(0x0E_FFFF_FFFF_FE)
"""A destination that the app never hears of."""


def frame(number: int, destination: Mac) -> bytes:
    """Return a frame of 60 bytes from a MAC address of its own (local experimental EtherType)."""
    return bytes(destination) + bytes(Mac(0x0E << 40 | number)) + b"\x88\xb5" + bytes(46)


def through_network(frames: int, *, known: bool) -> float:
    """Send frames that no flow entry is for; return how many a second of CPU.

    Args:
        frames: how many.
        known: whether the app knows where they go.
    """
    with open_network(topology.from_dict(SPEC, path=str(ROOT / "packet-in"))) as network:
        network.boot()
        assert network["h1"].ping("h2").received == 3  # type: ignore[attr-defined]
        table = network.plant.switches["s1"].datapath.tables[0]
        port = network.plant.hosts["h2"].interface.port
        before = len(table), port.rx_packets
        for number in range(frames):
            sent = frame(number, port.mac if known else UNKNOWN)
            network.inject("s1:h1", sent, at=network.now + (number + 1) * GAP_NS)
        gc.collect()
        begun = time.process_time()
        network.run_for((frames + 1) * GAP_NS + NS_PER_S)
        seconds = time.process_time() - begun
        assert len(table) - before[0] == (frames if known else 0)
        assert port.rx_packets - before[1] == frames
    return frames / seconds


class Wire:
    """A switch that is only its end of the connection, and keeps what the controller says."""

    def __init__(self, controller: EmbeddedController) -> None:
        self._channel = Channel(echo_idle_ns=None)
        self.heard: list[bytes] = []
        self.ready = False
        self.side = controller.connect(1, self._deliver, self._closed)
        self._channel.start()
        self.side.feed(self._channel.outgoing())

    def _deliver(self, data: bytes) -> None:
        self.heard.append(data)
        if not self.ready:
            self._shake_hands(data)

    def _shake_hands(self, data: bytes) -> None:
        for event in self._channel.receive(data):
            if isinstance(event, Received) and isinstance(event.message, FeaturesRequest):
                self._channel.send(FeaturesReply(1, 0, 254, 0, 0), event.xid)
            elif isinstance(event, Received) and isinstance(event.message, MultipartRequest):
                self._channel.send(MultipartReply(event.message.kind, ()), event.xid)
        self.side.feed(self._channel.outgoing())

    @staticmethod
    def _closed(reason: str) -> None:
        raise AssertionError(reason)


def packet_in(in_port: int, data: bytes) -> bytes:
    """Return the message that tells of a frame."""
    return encode(PacketIn(NO_BUFFER, len(data), 0, 0, 0, Match.of(in_port=in_port), data), 0)


@contextmanager
def handshaken() -> Iterator[tuple[EmbeddedController, Wire]]:
    """Run the app with one switch that has shaken hands, and that KNOWN is at port 2 of."""
    controller = EmbeddedController(
        Scheduler(),
        [str(ROOT / APP)],
        seed_stream=Random(1),
        topology_path=None,
        on_app_error=_fail,
    )
    controller.start()
    try:
        wire = Wire(controller)
        controller.scheduler.run_until(0)
        wire.ready = True
        wire.side.feed(packet_in(2, bytes(UNKNOWN) + bytes(KNOWN) + b"\x88\xb5" + bytes(46)))
        controller.scheduler.run_until(0)
        wire.heard.clear()
        yield controller, wire
    finally:
        controller.stop()


def _fail(error: Exception) -> None:
    raise error


def of_controller(frames: int, *, known: bool) -> float:
    """Tell the controller of frames; return how many it answers a second of CPU.

    Args:
        frames: how many.
        known: whether the app knows where they go.
    """
    destination = KNOWN if known else UNKNOWN
    messages = [packet_in(1, frame(number, destination)) for number in range(frames)]
    with handshaken() as (controller, wire):
        feed, run = wire.side.feed, controller.scheduler.run_until
        gc.collect()
        begun = time.process_time()
        for message in messages:
            feed(message)
            run(0)
        seconds = time.process_time() - begun
        said = b"".join(wire.heard)
    assert _types(said) == [OFPT.FLOW_MOD, OFPT.PACKET_OUT][not known :] * frames
    return frames / seconds


def _types(said: bytes) -> list[int]:
    types, at = [], 0
    while at < len(said):
        types.append(said[at + 1])
        at += int.from_bytes(said[at + 2 : at + 4], "big")
    return types


SIDES: Final[dict[str, Callable[[int], float]]] = {
    f"{way}_{kind}": partial(measure, known=known)
    for way, measure in (("network", through_network), ("controller", of_controller))
    for kind, known in (("flow_mod_and_packet_out", True), ("packet_out", False))
}


def main() -> None:
    """Measure, and print the figures."""
    options = arguments(__doc__).parse_args()
    repeats, frames = (1, 50) if options.quick else (options.repeats, FRAMES)
    taken = in_turns({name: partial(side, frames) for name, side in SIDES.items()}, repeats)
    report(
        "packet_in",
        unit="round trips a second of CPU",
        **{name: summary(values, None) for name, values in taken.items()},
    )


if __name__ == "__main__":
    main()

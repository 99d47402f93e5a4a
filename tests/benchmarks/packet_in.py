"""Packet-in round trips of an embedded controller: how many frames a second Ryu can judge.

A frame without a flow entry goes to ``controllers/learning_switch.py`` on stock Ryu in virtual
time; the app answers it with a flow mod and a packet-out, and the frame reaches the other host.
Every frame comes from a new MAC address, so none finds the entry of another. A figure is such
round trips a second of CPU: switch, codecs, Ryu and app.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any, Final

from measurement import arguments, report, summary

from sdnvirt import topology
from sdnvirt.addresses import Mac
from sdnvirt.session import open_network
from sdnvirt.units import NS_PER_S

ROOT: Final = Path(__file__).resolve().parents[2]
FRAMES: Final = 2_000
GAP_NS: Final = 100_000
SPEC: Final[dict[str, Any]] = {
    "name": "packet-in",
    "switches": {"s1": {"kind": "openflow"}},
    "hosts": {"h[1-2]": {"address": "10.0.0.[1-2]/24"}},
    "links": [{"between": ["h[1-2]", "s1"]}],
    "controller": {"app": "controllers/learning_switch.py"},
}


def frame(number: int, destination: Mac) -> bytes:
    """Return a frame of 60 bytes from a MAC address of its own (local experimental EtherType)."""
    return bytes(destination) + bytes(Mac(0x0E << 40 | number)) + b"\x88\xb5" + bytes(46)


def round_trips(frames: int) -> float:
    """Send frames that no flow entry is for; return how many a second of CPU."""
    with open_network(topology.from_dict(SPEC, path=str(ROOT / "packet-in"))) as network:
        network.boot()
        assert network["h1"].ping("h2").received == 3  # type: ignore[attr-defined]
        switch = network.plant.switches["s1"]
        mac = network.plant.hosts["h2"].interface.port.mac
        before = len(switch.datapath.tables[0]), network.plant.hosts["h2"].interface.port.rx_packets
        for number in range(frames):
            network.inject("s1:h1", frame(number, mac), at=network.now + (number + 1) * GAP_NS)
        gc.collect()
        begun = time.process_time()
        network.run_for((frames + 1) * GAP_NS + NS_PER_S)
        seconds = time.process_time() - begun
        after = len(switch.datapath.tables[0]), network.plant.hosts["h2"].interface.port.rx_packets
        assert [b - a for a, b in zip(before, after, strict=True)] == [frames, frames]
    return frames / seconds


def main() -> None:
    """Measure, and print the figure."""
    options = arguments(__doc__).parse_args()
    repeats, frames = (1, 50) if options.quick else (options.repeats, FRAMES)
    round_trips(50)  # imports, and Ryu's own start
    report(
        "packet_in",
        unit="round trips a second of CPU",
        round_trips_per_s=summary((round_trips(frames) for _ in range(repeats)), None),
    )


if __name__ == "__main__":
    main()

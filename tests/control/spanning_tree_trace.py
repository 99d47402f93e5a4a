"""Print what the stock spanning tree app sends to three switches in a ring, with times."""

from __future__ import annotations

import sys
from random import Random

from sdnvirt.control.embedded import EmbeddedController
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.packets import PacketOut
from tests.control.speaker import Switch

RING = {(1, 1): (2, 2), (2, 1): (3, 2), (3, 1): (1, 2)}
CABLES = RING | {far: near for near, far in RING.items()}


def main() -> None:
    scheduler = Scheduler()
    controller = EmbeddedController(
        scheduler, ["ryu.app.simple_switch_stp_13"], seed_stream=Random(1),
        topology_path=None, on_app_error=print,
    )  # fmt: skip
    controller.start()
    switches = {dpid: Switch(scheduler, dpid, (1, 2)) for dpid in (1, 2, 3)}
    for switch in switches.values():
        switch.connect(controller)
    carried = dict.fromkeys(switches, 0)
    for second in range(1, 61):
        scheduler.run_until(second * 1_000_000_000)
        for switch in switches.values():
            sent = switch.messages(PacketOut)
            for out in sent[carried[switch.dpid] :]:
                for action in out.actions:
                    if isinstance(action, Output) and (switch.dpid, action.port) in CABLES:
                        dpid, port = CABLES[switch.dpid, action.port]
                        switches[dpid].packet_in(port, out.data)
            carried[switch.dpid] = len(sent)
    for switch in switches.values():
        for at, data in switch.raw:
            sys.stdout.write(f"{switch.dpid} {at} {data.hex()}\n")
    controller.stop()


main()

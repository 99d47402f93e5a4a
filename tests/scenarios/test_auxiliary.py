"""A stock Ryu app that is told of packets by auxiliary connections."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

STAR = """
    name: star
    switches: {s1: {kind: openflow}}
    hosts: {"h[1-3]": {address: "10.0.0.[1-3]/24"}}
    links: [{between: ["h[1-3]", s1]}]
"""

OBSERVER = """
    from ryu.base.app_manager import RyuApp
    from ryu.controller import ofp_event
    from ryu.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls

    class Observer(RyuApp):
        OFP_VERSIONS = [4]

        @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
        def connected(self, event):
            event.msg.datapath.number = event.msg.auxiliary_id
            self.logger.warning("connection %d", event.msg.auxiliary_id)

        @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
        def told(self, event):
            self.logger.warning("packet-in by %d", event.msg.datapath.number)
"""


def test_a_switching_app_works_by_auxiliary_connections(remote_lab: Any, tmp_path: Path) -> None:
    observer = tmp_path / "observer.py"
    observer.write_text(dedent(OBSERVER))
    one = remote_lab(STAR, f"ryu.app.simple_switch_13, {observer}", auxiliary_connections=2)
    one.until(lambda: all(one.told(f"connection {number}") for number in range(3)), "10s")
    for source, target in (("h1", "h2"), ("h2", "h3"), ("h3", "h1")):
        assert one.ping(source, target) == 1
    assert one.told("packet-in by 1")
    assert one.told("packet-in by 2")
    assert not one.told("packet-in by 0")

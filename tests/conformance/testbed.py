"""The network that Ryu's switch tester needs, in virtual time.

Two switches, both connected to the tester: the target, which is tested, and one with which the
tester sends and receives packets. Three links join their ports 1, 2 and 3.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Final

from sdnvirt.addresses import Mac
from sdnvirt.control.embedded import EmbeddedController
from sdnvirt.control.stock_ryu import app_manager, cfg
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.engine.scheduler import relaxed_collector
from sdnvirt.errors import ControllerError
from sdnvirt.units import NS_PER_S

TARGET, TESTER = 1, 2
"""Datapath ids of the two switches."""

PORTS: Final = (1, 2, 3)

PATIENCE_S: Final = 300
"""Virtual seconds without a result after which the tester is stuck; the longest case takes 60."""

PROTOCOLS: Final = {"1.0": "openflow10", "1.3": "openflow13"}
"""OpenFlow version to what the tester calls it."""


class Testbed:
    """The network and the tester.

    Args:
        folder: where the tester finds its cases.
        version: OpenFlow version of both switches.
        log: called with each line that the tester logs, or None.

    Attributes:
        error: the first error that the tester or Ryu raised, which no case is to blame for.
    """

    def __init__(self, folder: Path, version: str, log: Callable[[str], None] | None) -> None:
        self._options = {
            "dir": str(folder),
            "target_version": PROTOCOLS[version],
            "tester_version": PROTOCOLS[version],
        }
        self._world = World(seed=1)
        self._switches = [
            OpenFlowSwitch("target", self._world, TARGET),
            OpenFlowSwitch("tester", self._world, TESTER),
        ]
        for number in PORTS:
            a, b = (self._add_port(switch, number) for switch in self._switches)
            Link(self._world, f"link{number}", a, b, LinkParameters())
        self.error: ControllerError | None = None
        self._controller = EmbeddedController(
            self._world.scheduler,
            [str(Path(__file__).with_name("tester_app.py"))],
            seed_stream=self._world.streams.stream("tester"),
            topology_path=None,
            on_app_error=self._note,
            log=log or _discard,
            log_level=logging.INFO,
        )

    def _note(self, error: ControllerError) -> None:
        self.error = error

    @staticmethod
    def _add_port(switch: OpenFlowSwitch, number: int) -> Port:
        mac = Mac(0x06 << 40 | switch.dpid << 8 | number)
        return switch.add_port(number, f"eth{number}", mac)

    def run(self) -> dict[str, str]:
        """Run the tester to its end; return the name of each case that was run, and its fault."""
        with ExitStack() as undo, relaxed_collector():
            undo.enter_context(redirect_stdout(StringIO()))  # the tester prints dots
            for name, value in self._options.items():
                cfg.CONF.set_override(name, value, group="test-switch")
                undo.callback(cfg.CONF.clear_override, name, group="test-switch")
            undo.callback(self._controller.stop)
            self._controller.start()
            tester = app_manager.lookup_service_brick("SuiteTester")
            for switch in self._switches:
                switch.connect(self._controller)
            self._advance(tester)
            results: dict[str, str] = tester.results
        return results

    def _advance(self, tester: Any) -> None:
        scheduler = self._world.scheduler
        seen, seen_at = 0, 0
        while not tester.finished and scheduler.now - seen_at < PATIENCE_S * NS_PER_S:
            scheduler.run_until(scheduler.now + NS_PER_S)
            if len(tester.results) > seen:
                seen, seen_at = len(tester.results), scheduler.now


def _discard(_line: str) -> None:
    pass

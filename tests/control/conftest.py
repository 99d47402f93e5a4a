"""Running apps embedded, with switches that only talk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import pytest

from sdnvirt.control.embedded import EmbeddedController
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.errors import ControllerError
from tests.control.speaker import Switch

SECOND = 1_000_000_000


@dataclass
class Running:
    """An embedded controller with its network's clock."""

    scheduler: Scheduler
    controller: EmbeddedController
    errors: list[ControllerError]
    lines: list[str] = field(default_factory=list)

    def switch(self, dpid: int, ports: Sequence[int] = (1, 2, 3)) -> Any:
        """Connect a switch and finish its handshake."""
        switch = Switch(self.scheduler, dpid, ports)
        switch.connect(self.controller)
        self.run()
        return switch

    def run(self, seconds: float = 0) -> None:
        """Let time pass; by default only what happens now happens."""
        self.scheduler.run_until(self.scheduler.now + round(seconds * SECOND))


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start apps; the controller is stopped after the test."""
    running: list[EmbeddedController] = []

    def begin(*apps: str, topology: str | None = None, level: int = 30) -> Running:
        scheduler = Scheduler()
        errors: list[ControllerError] = []
        lines: list[str] = []
        controller = EmbeddedController(
            scheduler,
            apps,
            seed_stream=Random(1),
            topology_path=topology,
            on_app_error=errors.append,
            log=lines.append,
            log_level=level,
        )
        running.append(controller)
        controller.start()
        return Running(scheduler, controller, errors, lines)

    yield begin
    for controller in running:
        controller.stop()


@pytest.fixture
def app(tmp_path: Path) -> Callable[..., str]:
    """Write an app and return its path; the text is the body of its class."""

    def write(body: str, name: str = "app", before: str = "") -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(HEADER + dedent(before) + CLASS + _indented(dedent(body)))
        return str(path)

    return write


HEADER = """\
import random
import time

from ryu import cfg
from ryu.base import app_manager
from ryu.controller import ofp_event
from ryu.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from ryu.lib import hub

"""

CLASS = """
class App(app_manager.RyuApp):
    OFP_VERSIONS = [4]

"""


def _indented(text: str) -> str:
    return "".join(f"    {line}" for line in text.strip().splitlines(keepends=True)) + "\n"

"""Running this repository's apps, and the datapaths that their flow entries make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdnvirt.datapath.datapath import Datapath
from sdnvirt.frame import Frame
from sdnvirt.openflow.v13.flow import FlowMod
from tests.control.conftest import start

ROOT = Path(__file__).parents[2]

__all__ = ["start"]


@pytest.fixture
def run(start: Callable[..., Any]) -> Callable[..., Any]:
    """Run one of the apps by its name; ``topology`` is the name of a shipped file."""

    def begin(name: str, topology: str | None = None) -> Any:
        path = None if topology is None else str(ROOT / "topologies" / f"{topology}.yaml")
        return start(str(ROOT / "controllers" / f"{name}.py"), topology=path)

    return begin


class Programmed:
    """The datapath of a switch that only talks: what its controller has made of it."""

    def __init__(self, switch: Any) -> None:
        self.switch = switch
        self.datapath = Datapath()
        for port in switch.ports:
            self.datapath.set_port(port, True)
        self._seen = 0

    def send(self, in_port: int, data: bytes, tunnel_id: int = 0) -> list[tuple[Any, bytes, int]]:
        """Return what leaves when a frame comes in: port or punt, bytes and tunnel id."""
        mods = self.switch.messages(FlowMod)
        for mod in mods[self._seen :]:
            self.datapath.modify(mod, 0)
        self._seen = len(mods)
        frame = Frame(data, tunnel=tunnel_id)
        flow = self.datapath.classify(in_port, frame)
        return [(where, out.data, out.tunnel_id) for out, where in flow.run(frame, 0)]

    def ports(self, in_port: int, data: bytes, tunnel_id: int = 0) -> list[Any]:
        """Return the ports by which a frame leaves, in order."""
        return [where for where, _, _ in self.send(in_port, data, tunnel_id)]


@pytest.fixture
def program() -> type[Programmed]:
    """The class of programmed datapaths."""
    return Programmed

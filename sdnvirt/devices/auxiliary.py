"""Auxiliary connections: more than one to the same controller (OpenFlow 1.3.5, 6.3).

A controller knows them by the auxiliary id in the features reply. They are there only while the
main connection is, and speak its version. Any message may come on any connection and is answered
where it came; barriers are about one connection. What a controller has asked for, such as its
role, is the same on all. The switch uses them for packet-ins alone, all of one flow on the same.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.devices.agent import Agent, ControllerPort
from sdnvirt.openflow.channel import Channel
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13.constants import VERSION

AUXILIARY_ID_MAX: Final = 255
"""The id has 8 bits (7.3.1)."""


class Auxiliary(Agent):
    """A switch's end of one auxiliary connection.

    Args:
        main: the main connection to the controller.
        auxiliary_id: 1 to AUXILIARY_ID_MAX, unique among those of the main connection.
        controller: where to connect.
    """

    def __init__(self, main: Agent, auxiliary_id: int, controller: ControllerPort) -> None:
        assert 0 < auxiliary_id <= AUXILIARY_ID_MAX
        super().__init__(main.switch, controller, main.echo_idle_ns)
        self.auxiliary_id = auxiliary_id
        self.standing = main.standing
        self._main = main

    def open(self) -> None:
        """Connect, if that is not so or being tried already."""
        if self._side is None:
            self.dial()

    def introduced(self) -> None:
        """The controller is being told whose connection this is, which changes nothing."""

    def _fresh_channel(self) -> Channel:
        return Channel((VERSION,), self.echo_idle_ns)

    def _begin_anew(self) -> None:
        pass  # what the controller has asked for is forgotten with the main connection

    def _closed(self, reason: str) -> None:
        self._side = None
        if self._main.ready:
            self.dial()

    def _note(self, error: OpenFlowError) -> None:
        super()._note(error)
        self._main._note(error)

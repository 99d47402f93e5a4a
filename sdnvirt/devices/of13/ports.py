"""Port mods (7.3.4.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sdnvirt.devices.of13.handler import Handlers
from sdnvirt.openflow.v10.constants import OFPPC as OFPPC10
from sdnvirt.openflow.v13.constants import OFPPC
from sdnvirt.openflow.v13.error_codes import OFPPMFC, refuse
from sdnvirt.openflow.v13.ports import PortMod

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent
    from sdnvirt.devices.switch import OpenFlowSwitch


def _port_mod(agent: Agent, mod: PortMod) -> None:
    change_port(agent.switch, replace(mod, config=_whole(mod.config), mask=_whole(mod.mask)))


def _whole(config: int) -> int:
    """Return the bits that say so to the switch: NO_RECV is also about spanning trees here."""
    return config | OFPPC10.NO_RECV_STP if config & OFPPC.NO_RECV else config


def change_port(switch: OpenFlowSwitch, mod: PortMod) -> None:
    """Carry out a port mod, whose bits may also be those that only OpenFlow 1.0 has.

    Raises:
        OpenFlowError: it is about no port, or asks for what cannot be done.
    """
    port = switch.ports.get(mod.port_no)
    if port is None:
        raise refuse(OFPPMFC.BAD_PORT, f"no port {mod.port_no:#x}")
    if mod.hw_addr != port.mac:
        raise refuse(OFPPMFC.BAD_HW_ADDR, f"port {mod.port_no} has the address {port.mac}")
    if mod.advertise:
        raise refuse(OFPPMFC.BAD_ADVERTISE, "emulated ports negotiate nothing")
    config = switch.datapath.state.configs.get(mod.port_no, 0)
    switch.configure_port(mod.port_no, config & ~mod.mask | mod.config & mod.mask)


HANDLERS: Final[Handlers] = {PortMod: _port_mod}

"""Port mods (7.3.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.devices.of13.handler import Handlers
from sdnvirt.openflow.v13.error_codes import OFPPMFC, refuse
from sdnvirt.openflow.v13.ports import PortMod

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent


def _port_mod(agent: Agent, mod: PortMod) -> None:
    switch = agent.switch
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

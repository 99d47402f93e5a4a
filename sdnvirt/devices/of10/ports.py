"""Ports: which can be told of, and the configuration that only OpenFlow 1.0 has.

OpenFlow 1.0.0, 5.2.1 and 5.3.3. The switch keeps a port's configuration in one place, whichever
version sets it: the bits that only 1.0 has stand where 1.3 has none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sdnvirt.devices.device import Port
from sdnvirt.devices.of13.ports import change_port
from sdnvirt.devices.of13.statistics import port_desc
from sdnvirt.openflow.v10.constants import OFPP, OFPPC
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v10.ports import PortMod
from sdnvirt.openflow.v10.translate import requests
from sdnvirt.openflow.v13 import ports
from sdnvirt.openflow.v13.constants import OFPP as OFPP13

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent
    from sdnvirt.devices.switch import OpenFlowSwitch

PORTS_LIMIT: Final = 1364
"""Ports that a features reply has room for: 48 bytes each in 64 KiB, less its fixed part."""

_ALL_CONFIG: Final = sum(OFPPC)


def has_number(port: Port) -> bool:
    """Return whether OpenFlow 1.0 has a number for a port; it has 16 bits for them."""
    return port.number < OFPP.MAX or port.number == OFPP13.LOCAL


def described(port: Port, config: int) -> ports.PortDesc:
    """Return the description of a port, in the words of 1.3 but with all bits of OFPPC.

    The switch takes no part in a spanning tree (OFPC_STP), so NO_STP is always set.
    """
    return replace(port_desc(port, config), config=config | OFPPC.NO_STP)


def all_described(switch: OpenFlowSwitch) -> tuple[ports.PortDesc, ...]:
    """Return the descriptions of those ports that have a number and for which there is room."""
    configs = switch.datapath.state.configs
    *numbered, local = (port for port in switch.ports.values() if has_number(port))
    told = (*numbered[: PORTS_LIMIT - 1], local)
    return tuple(described(port, configs.get(port.number, 0)) for port in told)


def modify_port(agent: Agent, mod: PortMod) -> None:
    """Carry out a port mod.

    Raises:
        OpenFlowError: it asks for what is not there; 1.0 has no code that says so for bits.
    """
    if mod.mask & ~_ALL_CONFIG:
        raise refuse(OFPBRC.EPERM, f"no port configuration {mod.mask:#x}")
    if mod.mask & OFPPC.NO_STP and not mod.config & OFPPC.NO_STP:
        raise refuse(OFPBRC.EPERM, "there is no spanning tree to take part in")
    change_port(agent.switch, requests.port_mod(replace(mod, mask=mod.mask & ~OFPPC.NO_STP)))

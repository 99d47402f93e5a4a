"""What the options of an Interface say about a tunnel (ovs-vswitchd.conf.db(5), tunnel options)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from sdnvirt.addresses import VNI_MAX, Ipv4
from sdnvirt.control.ovsdb.errors import OvsdbError
from sdnvirt.errors import MalformedError
from sdnvirt.wire import vxlan

VXLAN: Final = "vxlan"
"""The type of an Interface that is a tunnel here."""

_MULTICAST: Final = 224
"""First byte of the addresses from which on none is of a single endpoint (RFC 1112, 4)."""

_FLOW: Final = "flow"
"""The value of an option that flow entries give for each packet."""

_KNOWN: Final = ("remote_ip", "key", "local_ip", "dst_port")


class FlowBased(NamedTuple):
    """A tunnel to all endpoints, of all networks."""


class TunnelOptions(NamedTuple):
    """A tunnel of one network.

    Attributes:
        remote: address of the other endpoint.
        key: the network's VNI.
    """

    remote: Ipv4
    key: int


def parse_options(kind: str, options: Mapping[str, str], local: Ipv4) -> TunnelOptions | FlowBased:
    """Return the tunnel that an Interface of some type and options is to be.

    Args:
        kind: the Interface's type.
        options: its options.
        local: address of the endpoint here.

    Raises:
        OvsdbError: there cannot be such a tunnel; the details go to the Interface's column error.
    """
    if kind != VXLAN:
        raise _refuse(f"type {kind!r}: only {VXLAN} interfaces can be added")
    for name in options:
        if name not in _KNOWN:
            raise _refuse(f"options:{name} is not one of {', '.join(_KNOWN)}")
    if options.get("local_ip", str(local)) != str(local):
        raise _refuse(f"options:local_ip={options['local_ip']}: the endpoint here is {local}")
    if options.get("dst_port", str(vxlan.UDP_PORT)) != str(vxlan.UDP_PORT):
        raise _refuse(f"options:dst_port={options['dst_port']}: expected {vxlan.UDP_PORT}")
    key, remote_ip = options.get("key", ""), options.get("remote_ip", "")
    if key == remote_ip == _FLOW:
        return FlowBased()
    try:
        remote = Ipv4(remote_ip)
    except MalformedError:
        raise _refuse(
            "options:remote_ip: expected an IPv4 address, or flow with key=flow"
        ) from None
    if remote == local or not 0 < remote[0] < _MULTICAST:
        raise _refuse(f"options:remote_ip={remote}: expected another endpoint's address")
    if not (key.isascii() and key.isdigit() and 0 < int(key[:9]) <= VNI_MAX and len(key) < 9):
        raise _refuse(
            f"options:key: expected a VNI from 1 to {VNI_MAX}, or flow with remote_ip=flow"
        )
    return TunnelOptions(remote, int(key))


def _refuse(details: str) -> OvsdbError:
    return OvsdbError("not supported", details)

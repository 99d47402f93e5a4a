"""Keeps Ryu's BGP speaker to one address, so that several can run on one machine.

Ryu's speaker listens on every address at port 179, its SSH console on localhost, and it dials from
whatever address the system picks; an app such as ``ryu.app.rest_vtep`` leaves all that as it is.
Two of them on one machine need an address each, by which their neighbours know them, and without
privileges a port that anybody may have. So the defaults of Ryu's methods are replaced here; what an
app says itself stays.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

DEFAULT_PORT: Final = 179
"""BGP's port, assigned by IANA (RFC 4271, 4.2)."""

_SPEAKER: Final = "ryu.services.protocols.bgp.bgpspeaker"
_CORE: Final = "ryu.services.protocols.bgp.core"
_BASE: Final = "ryu.services.protocols.bgp.base"


def confine_speakers(host: str, port: int) -> None:
    """Let BGP speakers listen at an address and dial from there, if an app has imported them.

    Args:
        host: the address, also of the SSH console.
        port: where speakers listen, and where their neighbours do.
    """
    if _SPEAKER not in sys.modules:
        return
    speaker = sys.modules[_SPEAKER].BGPSpeaker
    activity = sys.modules[_BASE].Activity
    listening = {"bgp_server_hosts": [host], "bgp_server_port": port, "ssh_host": host}
    speaker.__init__ = _defaulted(speaker.__init__, listening)
    speaker.neighbor_add = _defaulted(speaker.neighbor_add, {"remote_port": port})
    activity._connect_tcp = _bound(activity._connect_tcp, host)
    # By its port Ryu knows the connections that it has made itself.
    vars(sys.modules[_CORE])["STD_BGP_SERVER_PORT_NUM"] = port


def _defaulted(method: Callable[..., Any], defaults: dict[str, Any]) -> Callable[..., Any]:
    """Return a method of which some arguments, by name, have other defaults."""

    @wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        return method(self, *arguments, **{**defaults, **named})

    return call


def _bound(connect: Callable[..., Any], host: str) -> Callable[..., Any]:
    """Return ``Activity._connect_tcp`` from an address; Ryu's option wants a port with it."""

    @wraps(connect)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        named["bind_address"] = named.get("bind_address") or (host, 0)
        return connect(self, *arguments, **named)

    return call

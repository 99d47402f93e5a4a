"""Options of TCP sockets, as programs set them: keep-alive, congestion control, Nagle, marks.

The values are those of Linux: tcp(7), socket(7) and ip(7).
"""

from __future__ import annotations

import errno
import socket
from dataclasses import replace
from typing import Any, Final

from sdnvirt.host.tcp.congestion import CongestionControl, NewReno
from sdnvirt.host.tcp.cubic import Cubic
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.parameters import KeepAlive
from sdnvirt.programs.datagram_options import dscp_of, hops_of
from sdnvirt.programs.endpoint import Options
from sdnvirt.units import NS_PER_S

STRATEGIES: Final[dict[str, type[CongestionControl]]] = {"reno": NewReno, "cubic": Cubic}
"""Strategies of congestion control by the names that Linux has for them."""


class ConnectionOptions:
    """What sets the options of one connection.

    Args:
        connection: the connection.
    """

    def __init__(self, connection: TcpConnection) -> None:
        self._connection = connection
        self._keep_alive = connection.machine.keep_alive or KeepAlive()
        self._kept = connection.machine.keep_alive is not None

    def table(self) -> Options:
        """Return what sets each option."""
        return {
            (socket.IPPROTO_TCP, socket.TCP_NODELAY): self._set_no_delay,
            (socket.IPPROTO_TCP, socket.TCP_CONGESTION): self._set_congestion,
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE): self._set_kept,
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): self._keep_alive_setter("idle_ns", NS_PER_S),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): self._keep_alive_setter(
                "interval_ns", NS_PER_S
            ),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT): self._keep_alive_setter("count", 1),
            (socket.IPPROTO_IP, socket.IP_TTL): self._set_hops,
            (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS): self._set_hops,
            (socket.IPPROTO_IP, socket.IP_TOS): self._set_class,
            (socket.IPPROTO_IPV6, socket.IPV6_TCLASS): self._set_class,
        }

    def _set_no_delay(self, value: Any) -> None:
        self._connection.set_no_delay(bool(value))

    def _set_congestion(self, value: Any) -> None:
        name = value.rstrip(b"\0").decode("latin-1") if isinstance(value, bytes) else str(value)
        strategy = STRATEGIES.get(name)
        if strategy is None:
            known = " or ".join(STRATEGIES)
            raise OSError(errno.ENOENT, f"no congestion control {name!r}; expected {known}")
        self._connection.set_congestion(strategy)

    def _set_kept(self, value: Any) -> None:
        self._kept = bool(value)
        self._keep()

    def _keep_alive_setter(self, name: str, unit: int) -> Any:
        def setter(value: Any) -> None:
            if int(value) < 1:
                raise OSError(errno.EINVAL, f"{value} for keep-alive; expected 1 or more")
            self._keep_alive = replace(self._keep_alive, **{name: int(value) * unit})
            self._keep()

        return setter

    def _keep(self) -> None:
        self._connection.set_keep_alive(self._keep_alive if self._kept else None)

    def _set_hops(self, value: Any) -> None:
        self._connection.hop_limit = hops_of(value)

    def _set_class(self, value: Any) -> None:
        self._connection.dscp = dscp_of(value)

"""The DHCP server as a network function: runs the machine of dhcp_server.py on a host."""

from __future__ import annotations

from ipaddress import IPv4Interface

from sdnvirt.addresses import IpAddress
from sdnvirt.devices.world import World
from sdnvirt.functions.dhcp_server import DhcpConfig, DhcpServer
from sdnvirt.functions.function import NetworkFunction
from sdnvirt.host.udp import UdpSocket
from sdnvirt.wire.dhcpv4 import SERVER_PORT, Dhcpv4


class DhcpFunction(NetworkFunction):
    """A DHCP server for the network that its first interface is in.

    Attributes:
        server: the machine, with its leases and statistics.
    """

    __slots__ = ("_socket", "server")

    def __init__(
        self, name: str, world: World, config: DhcpConfig, tenant: str = "", network: str = ""
    ) -> None:
        super().__init__(name, world, tenant, network)
        self.server = DhcpServer(config)
        self._socket: UdpSocket | None = None

    def start(self) -> None:
        """Take the server's address and answer to UDP port 67 from now on."""
        config = self.server.config
        self.configure(IPv4Interface((bytes(config.server), config.subnet.prefixlen)))
        self._socket = UdpSocket(self, SERVER_PORT, self._received, interface=self.interface)

    def crash(self) -> None:
        """Lose all that a host loses, and the offers; leases are on disk."""
        super().crash()
        self.server.crash()

    def _received(self, _src: IpAddress, _port: int, payload: bytes, cause: int) -> None:
        # A WireError from here is the stack's to count, as for every protocol below.
        message = Dhcpv4.parse(payload)
        answer = self.server.handle(message, self.world.scheduler.now)
        if answer is None or self._socket is None:
            return
        data = answer.message.emit()
        if answer.mac is None:
            self._socket.send(answer.dst, answer.port, data, cause)
        else:
            self._socket.send_to_mac(answer.mac, answer.dst, answer.port, data, cause)

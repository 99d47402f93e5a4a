"""The commands, by the names that people call them."""

from __future__ import annotations

from typing import Final

from sdnvirt.commands.command import Command
from sdnvirt.commands.dhclient import Dhclient
from sdnvirt.commands.dns import Dig, Nslookup
from sdnvirt.commands.http.curl import Curl
from sdnvirt.commands.http.server import HttpServer, Python
from sdnvirt.commands.ip.command import Ip
from sdnvirt.commands.ip.neighbour import Arp
from sdnvirt.commands.iperf.command import Iperf
from sdnvirt.commands.nc import Netcat
from sdnvirt.commands.ping import Ping, Ping6
from sdnvirt.commands.ss import Ss
from sdnvirt.commands.tcpdump.command import Tcpdump
from sdnvirt.commands.traceroute import Traceroute

COMMANDS: Final[dict[str, Command]] = {
    "ping": Ping(),
    "ping6": Ping6(),
    "traceroute": Traceroute(),
    "ip": Ip(),
    "arp": Arp(),
    "ss": Ss(),
    "nc": Netcat(),
    "iperf": Iperf(),
    "dhclient": Dhclient(),
    "dig": Dig(),
    "nslookup": Nslookup(),
    "curl": Curl(),
    "tcpdump": Tcpdump(),
    "http.server": HttpServer(),
    "python3": Python(),
}

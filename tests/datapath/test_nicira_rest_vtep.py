"""The flow entries of Ryu's EVPN app (ryu.app.rest_vtep), unmodified, in two datapaths.

The app gets its routes from BGP and its port numbers from OVSDB. Both are played here; what it
sends to the switch goes through Ryu's serializer and our codec.
"""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

import sdnvirt.control.stock_ryu  # noqa: F401  Ryu can be imported from here on
from sdnvirt.openflow.v13.codec import decode
from sdnvirt.openflow.v13.flow import FlowMod

VNI, VXLAN = 10, 4
CLIENTS = {"02:00:00:00:00:0a": "192.168.0.1", "02:00:00:00:00:0b": "192.168.0.2"}
A, B = CLIENTS


class _RyuDatapath:
    """Ryu's view of a switch; what it sends is executed at once."""

    def __init__(self, driver: Any) -> None:
        from ryu.ofproto import ofproto_v1_3, ofproto_v1_3_parser

        self._driver = driver
        self.ofproto, self.ofproto_parser = ofproto_v1_3, ofproto_v1_3_parser

    def send_msg(self, message: Any) -> None:
        message.set_xid(1)
        message.serialize()
        _, mod = decode(bytes(message.buf))
        assert isinstance(mod, FlowMod)
        self._driver.datapath.modify(mod, self._driver.now)


class _Speaker(SimpleNamespace):
    """BGP, of which the app is told its own address."""

    def __init__(self, router_id: str) -> None:
        super().__init__(dpid=1, as_number=65000, router_id=router_id, neighbors={})

    def vrf_add(self, **_: Any) -> None: ...
    def evpn_prefix_add(self, **_: Any) -> None: ...
    def evpn_prefix_del(self, **_: Any) -> None: ...


class Site:
    """A switch with the app, one client at port 1 and a tunnel at port 4."""

    def __init__(self, driver: Any, router_id: str) -> None:
        from ryu.app.rest_vtep import RestVtep

        class App(RestVtep):  # type: ignore[misc]
            def __init__(self) -> None:
                self.speaker, self.networks = _Speaker(router_id), {}
                self.logger = logging.getLogger(router_id)

            def _get_datapath(self, dpid: int) -> Any:
                return wire

            def _get_ofport(self, dpid: int, name: str) -> int:
                return int(name)

            def _add_vxlan_port(self, **_: Any) -> int:
                return VXLAN

        wire = _RyuDatapath(driver)
        self.driver, self.app = driver, App()
        self.app.add_network(VNI)

    def routes(self, app_of: Any, mac: str) -> None:
        """Tell the app of a client behind another switch."""
        nexthop = app_of.app.speaker.router_id
        client = SimpleNamespace(vni=VNI, mac_addr=mac, ip_addr=CLIENTS[mac])
        self.app._evpn_mac_ip_adv_route_handler(self._event(nexthop, client))
        tag = SimpleNamespace(route_dist=f"65000:{VNI}")
        self.app._evpn_incl_mcast_etag_route_handler(self._event(nexthop, tag))

    @staticmethod
    def _event(nexthop: str, nlri: Any) -> Any:
        return SimpleNamespace(nexthop=nexthop, path=SimpleNamespace(nlri=nlri))


@pytest.fixture
def sites(driver: Any) -> tuple[Site, Site]:
    one, other = Site(driver, "172.17.0.1"), Site(type(driver)(), "172.17.0.2")
    for here, there, mac in ((one, other, A), (other, one, B)):
        here.app.add_client(VNI, "1", mac, CLIENTS[mac])
        there.routes(here, mac)
    return one, other


def test_the_switch_answers_arp_for_a_client_elsewhere(sites: tuple[Site, Site]) -> None:
    request = Ether(src=A, dst="ff:ff:ff:ff:ff:ff")
    request /= ARP(hwsrc=A, psrc=CLIENTS[A], pdst=CLIENTS[B])
    ((where, data),) = sites[0].driver.send(bytes(request), 1)
    reply = Ether(data)
    assert (where, reply.src, reply.dst) == (1, B, A)
    assert (reply[ARP].op, reply[ARP].hwsrc, reply[ARP].psrc) == (2, B, CLIENTS[B])
    assert (reply[ARP].hwdst, reply[ARP].pdst) == (A, CLIENTS[A])


@pytest.mark.parametrize(("first", "src", "dst"), [(0, A, B), (1, B, A)])
def test_packets_cross_the_tunnel(sites: tuple[Site, Site], first: int, src: str, dst: str) -> None:
    packet = bytes(Ether(src=src, dst=dst) / IP(src=CLIENTS[src], dst=CLIENTS[dst]) / ICMP())
    assert sites[first].driver.send(packet, 1) == [(VXLAN, packet)]
    assert sites[1 - first].driver.send(packet, VXLAN) == [(1, packet)]


def test_a_client_that_is_deleted_is_cut_off(sites: tuple[Site, Site]) -> None:
    sites[0].app.del_client(VNI, A)
    packet = bytes(Ether(src=A, dst=B) / IP() / ICMP())
    assert sites[0].driver.send(packet, 1) == []
    assert sites[0].driver.send(bytes(Ether(src=B, dst=A) / IP()), VXLAN) == []

"""Ryu's EVPN app (ryu.app.rest_vtep), unmodified: two of them, each with a hypervisor of ours.

Everything the app does is real: two processes, BGP between them, OpenFlow and OVSDB to the
hypervisors, REST from here. The rest is loopback and the emulated underlay.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP
from scapy.layers.vxlan import VXLAN

from sdnvirt import topology
from sdnvirt.control.ovsdb.server import DEFAULT_PORT as OVSDB_PORT
from sdnvirt.network.network import RUNTIME_PORT_BASE, Network
from sdnvirt.session import open_network

NET = f"127.{128 + os.getpid() // 256 % 127}.{os.getpid() % 256}"
"""Addresses of our own on loopback, in case that tests run beside each other."""

TOPOLOGY = f"""
name: evpn
underlay: {{routers: [r1], subnet: {NET}.0/24}}
hypervisors: {{"hv[1-2]": {{attach: r1}}}}
tenants:
  acme:
    networks:
      web: {{vni: 10, subnet: 10.0.0.0/24}}
      db: {{vni: 20, subnet: 10.0.0.0/24}}
vms:
  "web-[1-2]": {{network: acme/web, hypervisor: "hv[1-2]", address: "10.0.0.[1-2]"}}
  db-2: {{network: acme/db, hypervisor: hv2, address: 10.0.0.9}}
"""

REST_PORT = 8080  # of Ryu
PATIENCE_S = 30
CONVERGENCE_S = 90
"""Two speakers that dial each other at once may both hang up; Ryu's try again after 30 s."""
STEP_NS = 5_000_000
VNI = 10
SITES = {"hv1": f"{NET}.1", "hv2": f"{NET}.2"}


@dataclass
class Lab:
    """A network, and the REST interface of each hypervisor's controller."""

    network: Network

    def rest(self, hypervisor: str, method: str, path: str, body: Any = None) -> Any:
        """Return what a hypervisor's controller answers; the network runs meanwhile.

        It is asked again for a while if it cannot yet: the switch may have said hello and not all
        that the controller wants to know of it, and the app gives the database 2 s to answer.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status, answer = self._rest(hypervisor, method, path, body)
            if status == 200:
                return answer
            assert time.monotonic() < deadline, f"{method} {path}: {status} {answer}"
            self.network.run_for(20 * STEP_NS)

    def _rest(self, hypervisor: str, method: str, path: str, body: Any) -> tuple[int, Any]:
        url = f"http://{SITES[hypervisor]}:{REST_PORT}/vtep{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, method=method)
        answers: list[tuple[int, Any]] = []

        def ask() -> None:
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                    answers.append((answer.status, json.load(answer)))
            except HTTPError as error:
                with error:
                    answers.append((error.code, error.read()))
            except OSError as error:
                answers.append((0, error))

        asking = Thread(target=ask)
        asking.start()
        self.until(lambda: not asking.is_alive(), PATIENCE_S + 1)
        return answers[0]

    def until(self, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.network.run_for(STEP_NS)

    def clients(self, hypervisor: str) -> dict[str, Any]:
        """Return what a controller knows of the network's members, by MAC address."""
        network = self.rest(hypervisor, "GET", f"/networks/{VNI}")[str(VNI)]["EvpnNetwork"]
        return {mac: one["EvpnClient"] for mac, one in network["clients"].items()}

    def mac(self, vm: str) -> str:
        return str(self.network.plant.hosts[vm].interface.mac)

    def ping(self, source: str, target: str, count: int = 1) -> int:
        result = self.network[source].ping(target, count=count, interval="20ms", timeout="200ms")
        return result.received


def _free_port() -> int:
    with socket.create_server((SITES["hv1"], 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _begin_controllers(cleanup: ExitStack, folder: Path, port: int, bgp_port: int) -> None:
    """Run the app once for each hypervisor, at its address."""
    for name, address in SITES.items():
        log = cleanup.enter_context((folder / f"{name}.log").open("wb"))
        command = [
            sys.executable, "-m", "sdnvirt.control.launch", "ryu.app.rest_vtep",
            "--listen", address, "--port", str(port), "--bgp-port", str(bgp_port),
        ]  # fmt: skip
        process = subprocess.Popen(command, stdout=log, stderr=log)
        cleanup.callback(process.wait, PATIENCE_S)
        cleanup.callback(process.terminate)
    deadline = time.monotonic() + PATIENCE_S
    for address in SITES.values():
        for listening in (port, REST_PORT):
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex((address, listening)) == 0:
                        break
                assert time.monotonic() < deadline, "a controller does not listen"
                time.sleep(0.05)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two members of VNI 10, one at each site, told to the controllers as the app's manual says."""
    for port in (REST_PORT, OVSDB_PORT):
        try:
            socket.create_server((SITES["hv1"], port)).close()
        except OSError as error:
            pytest.skip(f"port {port}, which Ryu's app insists on, is taken: {error}")
    folder = tmp_path_factory.mktemp("rest_vtep")
    file = folder / "topology.yaml"
    file.write_text(TOPOLOGY)
    with ExitStack() as cleanup:
        port, bgp_port = _free_port(), _free_port()
        _begin_controllers(cleanup, folder, port, bgp_port)
        network = open_network(topology.load(file), f"per-hypervisor:{port}")
        cleanup.callback(network.close)
        assert network.boot()
        one = Lab(network)
        for dpid, (name, address) in enumerate(SITES.items(), start=1):
            speaker = {"dpid": dpid, "as_number": 65000, "router_id": address}
            one.rest(name, "POST", "/speakers", speaker)
        for name in SITES:
            (neighbor,) = (address for site, address in SITES.items() if site != name)
            one.rest(name, "POST", "/neighbors", {"address": neighbor, "remote_as": 65000})
            one.rest(name, "POST", "/networks", {"vni": VNI})
        for number, name in enumerate(SITES, start=1):
            vm = f"web-{number}"
            client = {"port": vm, "mac": one.mac(vm), "ip": f"10.0.0.{number}"}
            one.rest(name, "POST", f"/networks/{VNI}/clients", client)
        one.until(lambda: all(len(one.clients(name)) == 2 for name in SITES), CONVERGENCE_S)
        yield one


def test_the_controllers_are_neighbours(lab: Lab) -> None:
    for name, address in (("hv1", SITES["hv2"]), ("hv2", SITES["hv1"])):
        assert lab.rest(name, "GET", "/neighbors")[address]["EvpnNeighbor"]["state"] == "up"


def test_each_has_made_a_tunnel_port_for_the_other(lab: Lab) -> None:
    for name, vm in (("hv1", "web-2"), ("hv2", "web-1")):
        (peer,) = (address for site, address in SITES.items() if site != name)
        port = lab.network.port(f"{name}:vxlan_{peer}_{VNI}")
        assert lab.clients(name)[lab.mac(vm)]["port"] == port.number == RUNTIME_PORT_BASE
        assert port.up


def test_members_ping_each_other_through_vxlan(lab: Lab) -> None:
    with lab.network.capture("r1:hv1") as underlay:
        assert lab.ping("web-1", "web-2", count=3) == 3
    # ARP is answered by a flow entry where it is asked, so what crosses is the echoes alone.
    assert len(underlay.packets) == 6
    for packet in underlay.packets:
        assert {packet[IP].src, packet[IP].dst} == set(SITES.values())
        assert packet[VXLAN].vni == VNI
        assert ICMP in packet[VXLAN]
        assert ARP not in packet[VXLAN]


def test_who_is_no_member_reaches_nobody(lab: Lab) -> None:
    assert lab.ping("db-2", "10.0.0.2") == 0
    assert lab.ping("web-1", "10.0.0.9") == 0
    assert lab.network.plant.monitor.count == 0
    assert lab.network.world.ledger.imbalance() == 0


def test_what_is_taken_back_is_gone_at_both_sites(lab: Lab) -> None:
    """The last one: it takes the network apart."""
    lab.rest("hv1", "DELETE", f"/networks/{VNI}/clients/{lab.mac('web-1')}")
    lab.until(lambda: lab.mac("web-1") not in lab.clients("hv2"))
    assert lab.ping("web-2", "web-1") == 0
    switches = lab.network.plant.switches
    lab.rest("hv1", "DELETE", f"/networks/{VNI}")
    assert RUNTIME_PORT_BASE not in switches["hv1"].ports
    lab.until(lambda: RUNTIME_PORT_BASE not in switches["hv2"].ports)
    assert lab.network.world.ledger.imbalance() == 0

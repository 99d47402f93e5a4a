"""Stock Ryu apps, unmodified, embedded and over TCP: each shows with packets what it is for."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.contrib.igmp import IGMP
from scapy.contrib.lacp import LACP, SlowProtocol
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether

from sdnvirt.openflow.v13.constants import OFPP

STAR = """
    name: star
    switches: {s1: {kind: openflow}}
    hosts: {"h[1-3]": {address: "10.0.0.[1-3]/24"}}
    links: [{between: ["h[1-3]", s1]}]
"""

TRIANGLE = """
    name: triangle
    switches: {"s[1-3]": {kind: openflow}}
    hosts: {"h[1-3]": {address: "10.0.0.[1-3]/24"}}
    links:
      - {between: ["h[1-3]", "s[1-3]"]}
      - {between: [s1, s2]}
      - {between: [s2, s3]}
      - {between: [s3, s1]}
"""

SUBNETS = """
    name: subnets
    switches: {s1: {kind: openflow}}
    hosts:
      h1: {address: 10.0.1.2/24, gateway: 10.0.1.1}
      h2: {address: 10.0.2.2/24, gateway: 10.0.2.1}
    links: [{between: ["h[1-2]", s1]}]
"""

SWITCH_1 = f"{1:016x}"
ECHO_REQUEST = 8


@pytest.mark.parametrize("app", ["ryu.app.simple_switch", "ryu.app.simple_switch_13"])
def test_simple_switches_learn_where_hosts_are(lab: Any, app: str) -> None:
    one = lab(STAR, app)
    assert one.reaches("h1", "h2")
    with one.network.capture("s1:h3") as elsewhere:
        assert one.ping("h1", "h2", count=3) == 3
    assert elsewhere.packets == []


def test_simple_switch_stp_13_blocks_a_loop_and_goes_around_a_dead_link(lab: Any) -> None:
    one = lab(TRIANGLE, "ryu.app.simple_switch_stp_13")
    assert one.ping("h1", "h2") == 0  # ports listen and learn at first
    one.until(lambda: one.told("NON_DESIGNATED_PORT / BLOCK"), "40s")
    one.until(lambda: one.ping("h1", "h2"), "40s")
    for source, target in (("h1", "h2"), ("h2", "h3"), ("h3", "h1")):
        assert one.ping(source, target) == 1
    one.network.set_link("s1--s2", up=False)
    one.until(lambda: one.ping("h1", "h2"), "60s")


def test_simple_switch_lacp_13_bundles_ports_while_the_peer_speaks(lab: Any) -> None:
    one = lab(STAR, "ryu.app.simple_switch_lacp_13")
    hello = (
        Ether(src="02:00:00:00:00:01", dst="01:80:c2:00:00:02")
        / SlowProtocol()
        / LACP(actor_system="02:00:00:00:00:01", actor_state=0x3F)  # short time-out: 3 s
    )
    with one.network.capture("s1:h1") as peer:
        one.network.inject("s1:h1", hello)
        one.until(lambda: len(peer.packets) == 2, "2s")
    (answer,) = (packet for packet in peer.packets if packet.src != "02:00:00:00:00:01")
    assert answer[LACP].partner_system == "02:00:00:00:00:01"
    one.until(lambda: one.told("slave state changed port: 1 enabled: True"), "1s")
    assert not one.told("enabled: False")
    one.until(lambda: one.told("slave state changed port: 1 enabled: False"), "5s")


def test_simple_switch_igmp_13_sends_groups_where_they_were_joined(lab: Any) -> None:
    one = lab(STAR, "ryu.app.simple_switch_igmp_13")
    assert one.reaches("h1", "h2")
    network, group = one.network, "225.1.2.3"
    to_group = Ether(src="02:00:00:00:00:01", dst="01:00:5e:01:02:03")
    report = IP(src="10.0.0.1", dst=group, ttl=1) / IGMP(type=0x16, gaddr=group)
    network.inject("s1:h1", to_group / report)
    network.run_for("500ms")
    with network.capture("s1:h1") as member, network.capture("s1:h3") as other:
        network.inject("s1:h2", to_group / IP(dst=group) / UDP())
        network.run_for("200ms")
    assert [packet[IP].dst for packet in member.packets] == [group]
    assert other.packets == []


def test_a_distant_controller_delays_only_what_it_is_asked_about(embedded_lab: Any) -> None:
    delay_ns = 7_000_000
    near, far = [], []
    for times, delay in ((near, 0), (far, delay_ns)):
        one = embedded_lab(STAR, "ryu.app.simple_switch_13", control_delay_ns=delay)
        one.network.run_until("1s")  # the handshake, too, takes its time
        for _ in range(2):
            times.append(one.network["h1"].ping("h2", count=1).rtts_ns[0])
        one.network.close()
    # Asked about: the ARP request, its answer and the echo request, one after the other. The echo
    # reply's entry was made for the ARP answer.
    assert [slow - fast for fast, slow in zip(near, far, strict=True)] == [3 * 2 * delay_ns, 0]


def test_simple_monitor_13_reads_the_counters_of_flows_and_ports(lab: Any) -> None:
    one = lab(STAR, "ryu.app.simple_monitor_13")
    assert one.ping("h1", "h2", count=5) == 5
    h1, h2 = (str(one.network.port(f"{name}:s1").mac) for name in ("h1", "h2"))

    def rows() -> list[list[str]]:
        return [line[line.index(SWITCH_1) :].split() for line in one.lines if SWITCH_1 in line]

    # It asks every 10 s, and tells of all flows, then of all ports.
    one.until(lambda: any(row[1] == "3" for row in rows()), "12s")
    # The first request went by the controller; the entry for answers was made by ARP's.
    flows = [row[1:5] for row in rows() if h1 in row or h2 in row]
    assert flows == [["1", h2, "2", "4"], ["2", h1, "1", "5"]]
    port = one.network.port("s1:h1")
    assert [SWITCH_1, "1", str(port.rx_packets), str(port.rx_bytes), "0"] in [
        row[:5] for row in rows()
    ]


def test_ofctl_rest_programs_and_reads_the_tables(lab: Any) -> None:
    one = lab(STAR, "ryu.app.ofctl_rest")
    assert one.rest("GET", "/stats/switches") == [1]
    assert one.ping("h1", "h2") == 0
    for source, target in ((1, 2), (2, 1)):
        entry = {
            "dpid": 1,
            "match": {"in_port": source},
            "actions": [{"type": "OUTPUT", "port": target}],
        }
        one.rest("POST", "/stats/flowentry/add", entry)
    assert one.ping("h1", "h2", count=3) == 3
    flows = one.rest("GET", "/stats/flow/1")["1"]
    assert [(flow["match"], flow["actions"]) for flow in flows] == [
        ({"in_port": 1}, ["OUTPUT:2"]),
        ({"in_port": 2}, ["OUTPUT:1"]),
    ]
    ports = one.rest("GET", "/stats/port/1")["1"]
    assert {port["port_no"]: port["rx_packets"] for port in ports} == {
        "LOCAL" if number == OFPP.LOCAL else number: port.rx_packets
        for number, port in one.network["s1"].device.ports.items()
    }
    one.rest("DELETE", "/stats/flowentry/clear/1")
    assert one.rest("GET", "/stats/flow/1") == {"1": []}


def test_rest_topology_discovers_links_by_lldp(lab: Any) -> None:
    one = lab(TRIANGLE, "ryu.app.rest_topology", controller_options=["--observe-links"])

    def links() -> set[tuple[int, int]]:
        found = one.rest("GET", "/v1.0/topology/links")
        return {(int(link["src"]["dpid"], 16), int(link["dst"]["dpid"], 16)) for link in found}

    everything = {(1, 2), (2, 1), (2, 3), (3, 2), (3, 1), (1, 3)}
    one.until(lambda: links() == everything, "5s")
    one.network.set_link("s1--s2", up=False)
    one.until(lambda: links() == everything - {(1, 2), (2, 1)}, "1s")
    switches = one.rest("GET", "/v1.0/topology/switches")
    assert [len(switch["ports"]) for switch in switches] == [3, 3, 3]


def test_rest_router_routes_between_subnets(lab: Any) -> None:
    one = lab(SUBNETS, "ryu.app.rest_router")
    assert one.ping("h1", "h2") == 0
    for address in ("10.0.1.1/24", "10.0.2.1/24"):
        (answer,) = one.rest("POST", f"/router/{SWITCH_1}", {"address": address})
        assert answer["command_result"][0]["result"] == "success", answer
    assert one.reaches("h1", "10.0.1.1")
    assert one.reaches("h1", "h2")
    with one.network.capture("s1:h2") as hop:
        assert one.ping("h1", "h2", count=3) == 3
    (request, *_) = (packet for packet in hop.packets if ICMP in packet)
    assert (request[IP].src, request[IP].ttl) == ("10.0.1.2", 63)


def test_rest_firewall_lets_through_what_a_rule_allows(lab: Any) -> None:
    one = lab(STAR, "ryu.app.rest_firewall")
    one.rest("PUT", f"/firewall/module/enable/{SWITCH_1}")
    assert one.ping("h1", "h2") == 0
    for source, target in (("10.0.0.1", "10.0.0.2"), ("10.0.0.2", "10.0.0.1")):
        rule = {"nw_src": f"{source}/32", "nw_dst": f"{target}/32", "nw_proto": "ICMP"}
        (answer,) = one.rest("POST", f"/firewall/rules/{SWITCH_1}", rule)
        assert answer["command_result"][0]["result"] == "success", answer
    assert one.reaches("h1", "h2")
    assert one.ping("h1", "h3") == 0
    assert one.told("Blocked packet")


def test_rest_qos_marks_and_meters(lab: Any) -> None:
    # The app classifies in table 0 and leaves forwarding to table 1, here by fixed entries.
    one = lab(STAR, "ryu.app.rest_qos, ryu.app.ofctl_rest")
    for source, target in ((1, 2), (2, 1)):
        entry = {
            "dpid": 1,
            "table_id": 1,
            "match": {"in_port": source},
            "actions": [{"type": "OUTPUT", "port": target}],
        }
        one.rest("POST", "/stats/flowentry/add", entry)
    meter = {"meter_id": "1", "flags": "PKTPS", "bands": [{"type": "DROP", "rate": "1"}]}
    one.rest("POST", f"/qos/meter/{SWITCH_1}", meter)
    marking = {"match": {"in_port": "1", "dl_type": "IPv4"}, "actions": {"mark": "26"}}
    one.rest("POST", f"/qos/rules/{SWITCH_1}", marking)
    with one.network.capture("s1:h2") as marked:
        assert one.ping("h1", "h2", count=5) == 5
    requests = [packet for packet in marked.packets if ICMP in packet]
    assert {packet[IP].tos >> 2 for packet in requests if packet[ICMP].type == ECHO_REQUEST} == {26}
    policing = {"match": {"in_port": "2", "dl_type": "IPv4"}, "actions": {"meter": "1"}}
    one.rest("POST", f"/qos/rules/{SWITCH_1}", policing)
    assert 1 <= one.network["h1"].ping("h2", count=10, interval="100ms").received <= 3

"""The database and the switch: what each learns of the other."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.addresses import Ipv4
from sdnvirt.network.network import RUNTIME_PORT_BASE, Network
from tests.control.ovsdb.client import Client

NO_REMOTE = "options:remote_ip: expected an IPv4 address, or flow with key=flow"
NO_KEY = "options:key: expected a VNI from 1 to 16777215, or flow with remote_ip=flow"
FIRST = RUNTIME_PORT_BASE
PEER = {"remote_ip": "172.16.0.2", "key": "9"}


def interface(client: Client, name: str) -> Any:
    (found,) = client.select("Interface", "ofport", "error", where=[["name", "==", name]])
    return found


def tunnels(network: Network) -> dict[int, tuple[Any, Any]]:
    """Return the tunnels that the switch has got since it was built, by port."""
    return {
        number: (str(getattr(tunnel, "remote", "flow")), getattr(tunnel, "key", "flow"))
        for number, tunnel in network.plant.hypervisors["hv1"].tunnels.items()
        if number >= FIRST
    }


def test_the_tables_tell_of_the_switch(client: Client) -> None:
    assert client.select("Bridge", "name", "datapath_id", "fail_mode") == [
        ("hv1", f"{1:016x}", "secure")
    ]
    assert client.select("Interface", "name", "type", "ofport", "options") == [
        ("hv1", "internal", 65534, ["map", []]),
        ("vm1", "", 1, ["map", []]),
        ("vx-hv2", "vxlan", 65538, ["map", [["key", "flow"], ["remote_ip", "172.16.0.2"]]]),
    ]
    assert [name for (name,) in client.select("Port", "name")] == ["hv1", "vm1", "vx-hv2"]


def test_an_interface_becomes_a_port_and_is_gone_with_it(client: Client, network: Network) -> None:
    client.add_interface("vx9", PEER)
    assert interface(client, "vx9") == (FIRST, ["set", []])
    assert tunnels(network) == {FIRST: ("172.16.0.2", 9)}
    port = network.port("hv1:vx9")
    assert client.select("Interface", "mac_in_use", where=[["name", "==", "vx9"]]) == [
        (str(port.mac),)
    ]
    assert client.delete_port("vx9") == [{"count": 1}]
    assert tunnels(network) == {}
    assert FIRST not in network.plant.switches["hv1"].ports
    assert client.select("Interface", "name", where=[["name", "==", "vx9"]]) == []


def test_a_port_may_ask_for_its_number(client: Client, network: Network) -> None:
    client.add_interface("vx9", PEER, ofport_request=77)
    client.add_interface("vx10", {**PEER, "key": "10"}, ofport_request=77)
    assert set(network.plant.switches["hv1"].ports) >= {77, FIRST}
    assert interface(client, "vx9")[0] == 77
    assert interface(client, "vx10")[0] == FIRST


def test_other_options_make_another_tunnel_at_the_same_port(
    client: Client, network: Network
) -> None:
    client.add_interface("vx9", PEER)
    options = ["map", [["remote_ip", "172.16.0.7"], ["key", "11"]]]
    where = [["name", "==", "vx9"]]
    client.transact(
        {"op": "update", "table": "Interface", "where": where, "row": {"options": options}}
    )
    assert tunnels(network) == {FIRST: ("172.16.0.7", 11)}
    assert interface(client, "vx9") == (FIRST, ["set", []])


@pytest.mark.parametrize(
    ("options", "columns", "error"),
    [
        (PEER, {"type": "gre"}, "type 'gre': only vxlan interfaces can be added"),
        (PEER, {"type": ""}, "type '': only vxlan interfaces can be added"),
        ({"key": "9"}, {}, NO_REMOTE),
        ({"remote_ip": "::1", "key": "9"}, {}, NO_REMOTE),
        ({**PEER, "remote_ip": "172.16.0.1"}, {},
         "options:remote_ip=172.16.0.1: expected another endpoint's address"),
        ({**PEER, "remote_ip": "224.0.0.1"}, {},
         "options:remote_ip=224.0.0.1: expected another endpoint's address"),
        ({"remote_ip": "172.16.0.2"}, {}, NO_KEY),
        ({**PEER, "key": "flow"}, {}, NO_KEY),
        ({**PEER, "remote_ip": "flow"}, {}, NO_REMOTE),
        ({**PEER, "key": "0"}, {}, NO_KEY),
        ({**PEER, "key": "16777216"}, {}, NO_KEY),
        ({**PEER, "key": "²"}, {}, NO_KEY),
        ({**PEER, "key": "9" * 500}, {}, NO_KEY),
        ({**PEER, "local_ip": "172.16.0.9"}, {},
         "options:local_ip=172.16.0.9: the endpoint here is 172.16.0.1"),
        ({**PEER, "dst_port": "8472"}, {}, "options:dst_port=8472: expected 4789"),
        ({**PEER, "tos": "inherit"}, {},
         "options:tos is not one of remote_ip, key, local_ip, dst_port"),
    ],
)  # fmt: skip
def test_an_interface_that_cannot_be_tells_why(
    client: Client, network: Network, options: Any, columns: Any, error: str
) -> None:
    client.add_interface("bad", options, **columns)
    assert interface(client, "bad") == (-1, error)
    assert tunnels(network) == {}
    assert client.delete_port("bad") == [{"count": 1}]


def test_two_interfaces_cannot_be_the_same_tunnel(client: Client, network: Network) -> None:
    client.add_interface("vx9", PEER)
    client.add_interface("twin", PEER)
    assert interface(client, "twin") == (-1, "another interface leads network 9 to 172.16.0.2")
    assert tunnels(network) == {FIRST: ("172.16.0.2", 9)}


def test_there_is_one_flow_based_tunnel(client: Client, network: Network) -> None:
    options = {"remote_ip": "flow", "key": "flow"}
    client.add_interface("vxlan0", options)
    assert interface(client, "vxlan0") == (FIRST, ["set", []])
    assert tunnels(network) == {FIRST: ("flow", "flow")}
    client.add_interface("vxlan1", options)
    assert interface(client, "vxlan1") == (-1, "another interface leads to all endpoints")
    client.delete_port("vxlan0")
    assert tunnels(network) == {}


@pytest.mark.parametrize("name", ["vm1", "vx-hv2", "hv1"])
def test_what_is_of_the_topology_stays(client: Client, name: str) -> None:
    refused = {"error": "not supported", "details": f"Port {name} is part of the topology"}
    assert client.delete_port(name) == [{"count": 1}, refused]
    where = [["name", "==", name]]
    kind = {"op": "update", "table": "Interface", "where": where, "row": {"type": "gre"}}
    assert client.transact(kind)[-1]["error"] == "not supported"
    notes = {"external_ids": ["map", [["owner", "me"]]]}
    told = client.transact({"op": "update", "table": "Interface", "where": where, "row": notes})
    assert told == [{"count": 1}]


def test_a_port_without_an_interface_of_its_own_is_refused(client: Client) -> None:
    ((theirs,),) = client.select("Interface", "_uuid", where=[["name", "==", "vm1"]])
    port = {"name": "p", "interfaces": theirs}
    results = client.transact(
        {"op": "insert", "table": "Port", "uuid-name": "p", "row": port},
        {
            "op": "mutate", "table": "Bridge", "where": [],
            "mutations": [["ports", "insert", ["named-uuid", "p"]]],
        },
    )  # fmt: skip
    assert results[-1]["details"] == "port p: expected one interface, which is added with it"


def test_a_name_is_given_once(client: Client, network: Network) -> None:
    results = client.add_interface("vm1", PEER)
    assert results[-1]["error"] == "constraint violation"
    assert tunnels(network) == {}


@pytest.mark.parametrize("name", ["", "x" * 65, "two words", "line\nbreak", "\0", "é", "\ud800"])
def test_a_name_can_be_shown(client: Client, network: Network, name: str) -> None:
    results = client.add_interface(name, PEER)
    assert results[-1]["error"] == "not supported"
    assert tunnels(network) == {}


def test_notes_are_kept_as_they_are(client: Client) -> None:
    notes = ["map", [["\ud800", "é\0\U0001f600"]]]
    client.transact(
        {"op": "update", "table": "Bridge", "where": [], "row": {"external_ids": notes}}
    )
    assert client.select("Bridge", "external_ids") == [(notes,)]


def test_a_crash_keeps_what_is_in_the_database(client: Client, network: Network) -> None:
    """Open vSwitch's database is on disk; what flow entries were is lost."""
    client.add_interface("vx9", PEER)
    network.faults.crash("hv1")
    network.run_for("1s")
    network.faults.restart("hv1")
    client.tables.refresh()
    assert tunnels(network) == {FIRST: ("172.16.0.2", 9)}
    assert interface(client, "vx9") == (FIRST, ["set", []])
    assert network.port("hv1:vx9").up


def test_ports_that_come_otherwise_are_entered(client: Client, network: Network) -> None:
    tunnel = network.add_tunnel("hv1", "vx5", Ipv4("172.16.0.2"), 5)
    client.tables.refresh()
    assert interface(client, "vx5") == (FIRST, ["set", []])
    network.plant.hypervisors["hv1"].remove_tunnel(tunnel)
    client.tables.refresh()
    assert client.select("Interface", "name", where=[["name", "==", "vx5"]]) == []

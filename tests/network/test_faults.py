"""What breaks in a network, what it does to packets, and that repairs undo just their own fault."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any

import networkx as nx
import pytest

from sdnvirt.devices.jitter import UniformJitter
from sdnvirt.devices.link import LinkParameters
from sdnvirt.drops import DropReason
from sdnvirt.errors import UserError
from sdnvirt.network.network import Network
from sdnvirt.network.parameters import KINDS
from sdnvirt.openflow.v13.constants import OFPP

RING = """
    name: ring
    switches:
      s[1-3]: {kind: openflow}
    hosts:
      h[1-3]: {address: '10.0.0.[1-3]/24'}
    links:
      - {between: ['h[1-3]', 's[1-3]']}
      - {between: [s1, s2], delay: 1ms}
      - {between: [s2, s3]}
    controller: {app: controllers/learning_switch.py}
"""

OVERLAY = """
    name: overlay
    underlay: {leaf_spine: {spines: 1, leaves: 2}}
    hypervisors:
      hv1: {attach: leaf1}
      hv2: {attach: leaf2}
    tenants: {acme: {networks: {web: {vni: 70001, subnet: 10.0.0.0/24, dhcp: true}}}}
    vms:
      a: {network: acme/web, hypervisor: hv1}
      b: {network: acme/web, hypervisor: hv2}
    controller: {app: controllers/virtual_network.py}
"""

pytestmark = pytest.mark.topology(text=RING)


def answered(network: Network, a: str, b: str) -> bool:
    return network[a].ping(b, count=1, timeout="500ms").received == 1


@pytest.fixture
def booted(network: Network) -> Network:
    assert network.boot()
    network.run_for("1s")
    assert answered(network, "h1", "h2")
    return network


# links


def test_a_link_comes_up_with_the_last_fault_that_holds_it_down(booted: Network) -> None:
    faults = booted.faults
    faults.pull("s1--s2")
    faults.partition(["s1", "h1"], ["s2", "s3"])
    faults.crash("s1")
    for repair in (lambda: faults.restart("s1"), faults.heal):
        repair()
        assert not booted.link("s1--s2").up
    faults.plug("s2--s1")
    assert booted.link("s1--s2").up
    booted.run_for("1s")
    assert answered(booted, "h1", "h2")


def test_a_repair_of_what_is_whole_does_nothing(booted: Network) -> None:
    booted.faults.plug("s1--s2")
    booted.faults.heal()
    booted.faults.mend_direction("s1--s2", "s1")
    assert booted.link("s1--s2").up
    assert answered(booted, "h1", "h2")


def test_a_direction_that_breaks_is_told_to_nobody(booted: Network) -> None:
    graph = booted.graph
    booted.faults.break_direction("s1--s2", "s2")
    booted.faults.break_direction("s1--s2", "s2")
    assert not answered(booted, "h1", "h2")
    drops = booted.world.ledger.by_reason()
    assert drops[DropReason.ONE_WAY] == 1  # the reply: the request got through
    assert booted.port("s1:s2").up
    assert nx.has_path(graph, "h1", "h2")
    booted.faults.mend_direction("s2--s1", "s2")
    assert answered(booted, "h1", "h2")


def test_a_partition_separates_its_parts_and_nobody_else(booted: Network) -> None:
    booted.faults.partition(["h1", "s1"], ["h2", "s2"])
    assert [name for name, link in booted.plant.links.items() if not link.up] == ["s1--s2"]
    assert not answered(booted, "h1", "h2")
    assert answered(booted, "h2", "h3")
    assert not nx.has_path(booted.graph, "h1", "h3")
    booted.faults.heal()
    assert answered(booted, "h1", "h3")


def test_a_link_can_be_changed_in_one_direction_or_both(booted: Network) -> None:
    faults = booted.faults
    faults.change("s1--s2", start="s1", delay_ns=20_000_000)
    assert booted["h1"].ping("h2", count=1).max_ns // 1_000_000 == 21
    faults.change("s1--s2", delay_ns=5_000_000, jitter=UniformJitter(True, 1_000))
    assert booted.graph.edges["s1", "s2"]["delay_ns"] == 5_000_000
    assert booted["h1"].ping("h2", count=1).max_ns == pytest.approx(10_000_000, abs=10_000)
    faults.change("s1--s2", start="s2", loss=1.0)
    assert not answered(booted, "h1", "h2")
    assert booted.world.ledger.by_reason()[DropReason.LINK_LOSS] == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"loss": 2}, "loss of a link: found 2, expected a share from 0 to 1"),
        ({"loss": "10%"}, "found '10%', expected a share from 0 to 1"),
        ({"duplicate": float("nan")}, "found nan, expected a share from 0 to 1"),
        ({"delay_ns": -5}, "found -5, expected nanoseconds from 0"),
        ({"delay_ns": 1.5}, "found 1.5, expected nanoseconds from 0"),
        ({"rate_bps": 0}, "found 0, expected bits a second from 1"),
        ({"rate_bps": "1Mbit/s"}, "found '1Mbit/s', expected bits a second from 1"),
        ({"mtu": 0}, "found 0, expected bytes from 68 to 65535"),
        ({"queue_bytes": True}, "found True, expected bytes from 0"),
        ({"jitter": "5ms"}, "found '5ms', expected a Jitter"),
        ({"discipline": "red"}, "found 'red', expected a Discipline"),
        ({"delay": "5ms"}, "a link has no 'delay'; did you mean delay_ns?"),
    ],
)
def test_a_change_that_no_link_can_make_is_refused(
    booted: Network, change: dict[str, Any], expected: str
) -> None:
    before = booted.link("s1--s2").parameters_from(booted.port("s1:s2"))
    with pytest.raises(UserError) as caught:
        booted.faults.change("s1--s2", **change)
    assert expected in str(caught.value)
    assert booted.link("s1--s2").parameters_from(booted.port("s1:s2")) == before


def test_every_parameter_of_links_can_be_changed_and_is_checked() -> None:
    assert list(KINDS) == [field.name for field in fields(LinkParameters)]


# nodes


def test_a_host_that_crashed_runs_nothing(booted: Network) -> None:
    booted.faults.crash("h1")
    with pytest.raises(UserError, match="h1 has crashed, and runs no program"):
        booted["h1"].call(asyncio.sleep(1))
    with pytest.raises(UserError, match="h1 has crashed, and runs no command"):
        booted["h1"].cmd("ping -c 1 10.0.0.2")
    booted.faults.restart("h1")
    assert booted["h1"].cmd("ping -c 1 10.0.0.2").status == 0


def test_a_switch_that_crashes_loses_its_tables_and_its_controller(booted: Network) -> None:
    switch = booted.plant.switches["s2"]
    agent = switch.agents[0]
    assert len(switch.datapath.tables[0]) > 1
    booted.faults.crash("s2")
    assert not agent.ready
    assert not any(switch.datapath.tables.values())
    assert not booted.port("s1:s2").up
    assert not answered(booted, "h1", "h3")
    booted.run_for("10s")
    assert not agent.ready
    booted.faults.restart("s2")
    booted.run_for("5s")
    assert agent.ready
    assert answered(booted, "h1", "h3")
    assert booted.world.ledger.imbalance() == 0


def test_a_switch_keeps_what_it_was_configured_with(booted: Network) -> None:
    switch = booted.plant.switches["s2"]
    number = booted.port("s2:s1").number
    switch.add_queue(number, 7, max_rate_bps=10**6)
    switch.configure_port(number, 0x4)
    booted.faults.crash("s2")
    booted.faults.restart("s2")
    assert switch.datapath.state.queues == {number: (7,)}
    assert switch.datapath.ports == {n: n != OFPP.LOCAL for n in switch.ports}
    assert switch.datapath.state.configs == {}


@pytest.mark.topology(text=OVERLAY)
def test_with_a_hypervisor_go_its_guests(network: Network) -> None:
    assert network.boot()
    assert answered(network, "a", "b")
    network.faults.crash("hv2")
    assert network.faults.is_down("hv2")
    assert network.faults.is_down("b")
    assert not network.faults.is_down("a")
    assert network.plant.hosts["b"].address is None
    network.faults.restart("hv2")
    network.run_for("5s")
    assert answered(network, "a", "b")
    assert network.world.ledger.imbalance() == 0


@pytest.mark.topology(text=OVERLAY)
def test_a_guest_that_crashed_stays_down_when_its_hypervisor_comes_back(network: Network) -> None:
    assert network.boot()
    network.faults.crash("b")
    network.faults.crash("hv2")
    network.faults.restart("hv2")
    network.run_for("5s")
    assert network.faults.is_down("b")
    assert network.plant.hosts["b"].address is None
    network.faults.restart("b")
    network.run_for("5s")
    assert answered(network, "a", "b")


@pytest.mark.topology(text=OVERLAY)
def test_a_vm_that_restarts_asks_for_its_lease_again(network: Network) -> None:
    assert network.boot()
    host = network.plant.hosts["b"]
    address = host.address
    network.faults.crash("b")
    assert (host.address, host.lease, len(host.routes)) == (None, None, 0)
    network.run_for("30s")
    assert host.lease is None
    network.faults.restart("b")
    network.run_for("5s")
    assert host.address == address
    assert answered(network, "a", "b")
    assert network.world.ledger.imbalance() == 0


@pytest.mark.topology(text=OVERLAY)
def test_a_function_that_restarts_serves_again(network: Network) -> None:
    assert network.boot()
    network.faults.crash("acme-web-dhcp")
    network.faults.crash("b")
    network.faults.restart("b")
    network.run_for("20s")
    assert network.plant.hosts["b"].lease is None
    network.faults.restart("acme-web-dhcp")
    network.run_for("70s")  # a client's longest pause
    assert network.plant.hosts["b"].lease is not None


def test_a_host_that_crashes_forgets_its_connections_without_a_word(booted: Network) -> None:
    seen: list[str] = []

    async def listener() -> None:
        async def handler(reader: Any, writer: Any) -> None:
            try:
                await reader.read()
            except ConnectionResetError:
                seen.append("reset")
            writer.close()

        await (await asyncio.start_server(handler, port=7)).serve_forever()

    async def talker() -> None:
        _, writer = await asyncio.open_connection("10.0.0.2", 7)
        writer.write(b"x")
        await asyncio.sleep(3600)

    booted["h2"].run(listener())
    booted["h1"].run(talker())
    booted.run_for("1s")
    h1, h2 = booted.plant.hosts["h1"], booted.plant.hosts["h2"]
    assert len(h1.tcp.connections) == len(h2.tcp.connections) == 1
    sent = booted.port("h1:s1").tx_packets
    booted.faults.crash("h1")
    booted.run_for("1s")
    assert not h1.tcp.connections
    assert not h1.interface.arp.neighbours
    assert booted.port("h1:s1").tx_packets == sent
    assert len(h2.tcp.connections) == 1  # nobody has told it
    booted.faults.restart("h1")
    (other,) = h2.tcp.connections.values()
    other.write(b"are you there?")
    booted.run_for("5s")
    assert seen == ["reset"]
    assert not h2.tcp.connections
    assert booted.world.ledger.imbalance() == 0


def test_fragments_that_a_crashing_host_holds_are_lost_with_it(booted: Network) -> None:
    from scapy.layers.inet import ICMP, IP, fragment
    from scapy.layers.l2 import Ether

    port = booted["h2"].port()
    whole = IP(src="10.0.0.1", dst="10.0.0.2") / ICMP() / bytes(2_000)
    first, *_ = fragment(whole, fragsize=800)
    booted.inject(port, Ether(src="02:00:00:00:00:77", dst=str(port.mac)) / first)
    booted.run_for("1ms")
    assert len(booted.plant.hosts["h2"].fragments) == 1
    booted.faults.crash("h2")
    assert booted.world.ledger.by_reason()[DropReason.CRASHED] == 1
    booted.run_for("60s")
    assert booted.world.ledger.imbalance() == 0


# mistakes


def test_nothing_can_be_injected_into_a_node_that_is_down(network: Network) -> None:
    network.faults.crash("s1")
    with pytest.raises(UserError, match="s1 has crashed, and takes no frame"):
        network.inject("s1:h1", bytes(60))


@pytest.mark.parametrize(
    ("do", "answer"),
    [
        (lambda f: f.pull("s1--s9"), "no link 's1--s9' in ring"),
        (lambda f: f.crash("s11"), "no node 's11' in ring; did you mean s1?"),
        (lambda f: f.restart("s1"), "s1 cannot restart: it did not crash"),
        (lambda f: (f.crash("s1"), f.crash("s1")), "s1 cannot crash: it is down already"),
        (lambda f: f.partition(["s1"], ["s2", "s1"]), "s1 is in two parts of the partition"),
        (lambda f: f.partition(["s1"], ["s22"]), "no node 's22' in ring; did you mean s2?"),
        (lambda f: f.break_direction("s1--s2", "s3"), "s1--s2 does not begin at 's3'"),
        (lambda f: f.change("s1--s2", los=0.5), "a link has no 'los'; did you mean loss?"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing_more(network: Network, do: Any, answer: str) -> None:
    with pytest.raises(UserError) as caught:
        do(network.faults)
    assert str(caught.value).startswith(answer)

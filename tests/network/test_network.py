"""The live network as programs hold it: time, names, the graph, injected frames, captures."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether

from sdnvirt.errors import UserError
from sdnvirt.network.network import Network
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.pcapng import Direction

SQUARE = """
    name: square
    switches:
      b[1-2]: {kind: bridge}
    hosts:
      h[1-2]: {address: '10.0.0.[1-2]/24'}
    links:
      - {between: [h1, b1], rate: 1Gbit/s, delay: 10us}
      - {between: [b1, b2], rate: 1Gbit/s, delay: 3ms, mtu: 9000}
      - {between: [b2, h2]}
    timeline:
      - {at: 5s, down: b1--b2}
      - {at: 6s, up: b1--b2}
"""

SWITCH = "b1 is a switch, and only hosts"
HOSTS = "there are h1, h2"

pytestmark = pytest.mark.topology(text=SQUARE)


def echo(source: str = "10.0.0.1") -> Any:
    return (
        Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff")
        / IP(src=source, dst="10.0.0.2")
        / ICMP()
    )


# time


def test_time_runs_for_a_while_and_until_a_moment(network: Network) -> None:
    assert network.now == 0
    network.run_for("1.5s")
    assert network.now == 1_500_000_000
    network.run_until("2s")
    assert network.now == 2 * NS_PER_S
    network.run_until(network.now + 7)
    assert network.now == 2 * NS_PER_S + 7
    network.run_until("1s")  # has been already
    assert network.now == 2 * NS_PER_S + 7


def test_run_while_looks_at_its_condition_when_it_is_woken(network: Network) -> None:
    seen: list[int] = []

    def note(_: None) -> None:
        seen.append(network.now)
        network.wake()

    for second in (1, 2, 3):
        network.world.scheduler.call_at(second * NS_PER_S, note)
    network.run_while(lambda: len(seen) < 2, 10 * NS_PER_S)
    assert network.now == 2 * NS_PER_S
    network.run_while(lambda: True, 500_000_000)  # the limit is from now
    assert network.now == 2_500_000_000
    network.run_while(lambda: False, NS_PER_S)
    assert network.now == 2_500_000_000


def test_a_failure_ends_the_run_once(network: Network) -> None:
    done: list[int] = []
    scheduler = network.world.scheduler
    scheduler.call_at(NS_PER_S, lambda _: network.fail(UserError("the app is wrong")))
    scheduler.call_at(2 * NS_PER_S, lambda _: done.append(network.now))
    with pytest.raises(UserError, match="the app is wrong"):
        network.run_until("3s")
    assert done == []
    network.run_until("3s")
    assert done == [2 * NS_PER_S]
    assert network.now == 3 * NS_PER_S


# names


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda net: net["h11"], "no node 'h11' in square; did you mean h1?"),
        (lambda net: net["h1"].ping("h22"), "no node 'h22' in square; did you mean h2?"),
        (lambda net: net["h1"].ping("b1"), "b1 has no address to ping"),
        (lambda net: net.port("b1:h11"), "no port 'h11' on b1; there are h1, b2; did you mean h1?"),
        (lambda net: net.port("b1"), "no port '' on b1; there are h1, b2"),
        (lambda net: net["b1"].cmd("true"), f"{SWITCH} run commands; {HOSTS}"),
        (lambda net: net["b1"].call(None), f"{SWITCH} run programs; {HOSTS}"),
        (lambda net: net["b1"].ping("h1"), f"{SWITCH} send pings; {HOSTS}"),
        (lambda net: net["b1"].port(), "no port None on b1; there are h1, b2"),
        (lambda net: net.capture("b3:h1"), "no node 'b3' in square"),
        (lambda net: net.inject("h1:b2", echo()), "no port 'b2' on h1; there are b1"),
        (lambda net: net.link("b1--b3"), "no link 'b1--b3' in square; did you mean b1--b2?"),
        (lambda net: net.set_link("b1", up=False), "no link 'b1' in square"),
        (lambda net: net["x"], "no node 'x' in square; there are b1, b2, h1, h2"),
    ],
)
def test_a_wrong_name_is_told_with_the_nearest(network: Network, ask: Any, answer: str) -> None:
    with pytest.raises(UserError) as caught:
        ask(network)
    assert str(caught.value).startswith(answer)


def test_a_switch_has_nothing_that_hosts_have(network: Network) -> None:
    assert not hasattr(network["b1"], "cmd")
    with pytest.raises(AttributeError, match="'Node' has no attribute 'comand'"):
        _ = network["b1"].comand


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda net: net.run_for("soon"), "'soon' is not a time"),
        (lambda net: net.run_until(1.5), "1.5 is not a time; expected whole nanoseconds or text"),
        (lambda net: net.inject("h1:b1", 7.5), "7.5 is not a frame; expected bytes or a scapy"),
        (lambda net: net.inject("h1:b1", echo(), at="late"), "'late' is not a time"),
        (lambda net: net["h1"].ping("h2", count=0), "0 echo requests; expected 1 to 65535"),
        (lambda net: net["h1"].ping("h2", count=65_536), "65536 echo requests; expected 1 to"),
        (lambda net: net["h1"].ping("h2", timeout="never"), "'never' is not a time"),
        (lambda net: net["h1"].ping("h2", interval=-1), "a time of -1 ns; expected 0 or more"),
        (lambda net: net["h1"].ping("h2", size=65_508), "65508 bytes of echo data; expected 0 to"),
        (lambda net: net["h1"].ping("10.0.0.256"), "'10.0.0.256' is not an IPv4 address"),
        (lambda net: net["b1"].explain("h1", 7.5), "7.5 is not a frame; expected bytes or a scapy"),
    ],
)
def test_a_wrong_figure_is_told(network: Network, ask: Any, answer: str) -> None:
    with pytest.raises(UserError) as caught:
        ask(network)
    assert str(caught.value).startswith(answer)
    assert network.now == 0


def test_links_and_ports_go_by_any_of_their_names(network: Network) -> None:
    assert network.link("b1--b2") is network.link("b2--b1")
    assert network.port("b1:h1") is network["b1"].port("h1") is network["b1"].port(1)
    assert network["h1"].port() is network.port("h1:b1")


# the graph


def test_the_graph_is_the_network_as_it_is_now(network: Network) -> None:
    graph = network.graph
    assert nx.shortest_path(graph, "h1", "h2") == ["h1", "b1", "b2", "h2"]
    network.run_until("5.5s")
    assert not nx.has_path(graph, "h1", "h2")
    network.run_until("6.5s")
    assert nx.has_path(graph, "h1", "h2")
    network.set_link("b2--b1", up=False)
    assert {frozenset(edge) for edge in graph.edges} == {
        frozenset(("h1", "b1")),
        frozenset(("b2", "h2")),
    }


def test_the_graph_tells_what_nodes_and_links_are_like(network: Network) -> None:
    graph = network.graph
    assert dict(graph.nodes(data="kind")) == {
        "b1": "switch", "b2": "switch", "h1": "host", "h2": "host"
    }  # fmt: skip
    edge = graph.edges["b1", "b2"]
    assert edge["links"] == [network.link("b1--b2")]
    assert (edge["up"], edge["rate_bps"], edge["delay_ns"], edge["mtu"]) == (
        True, 10**9, 3_000_000, 9000,
    )  # fmt: skip
    assert edge["weight"] == 3_000_000 + 9000 * 8


# frames


def test_an_injected_frame_arrives_as_if_over_the_link(network: Network) -> None:
    frame = bytes(echo())
    before = network["h1"].port().tx_packets
    with network.capture("b1:h1") as capture:
        cause = network.inject("b1:h1", frame, at="2s")
        network.run_until("3s")
    (captured,) = capture
    assert (captured.time_ns, captured.direction) == (2 * NS_PER_S, Direction.INBOUND)
    assert captured.data == frame
    assert network["h1"].port().tx_packets == before
    assert network.stories.nodes(cause) == ("b1", "b2", "h2")


def test_a_frame_cannot_be_injected_into_the_past(network: Network) -> None:
    network.run_until("2s")
    with pytest.raises(UserError, match="a frame cannot be injected at 1 s, it is 2 s already"):
        network.inject("b1:h1", echo(), at="1s")
    assert network.world.ledger.sent == 0


def test_a_capture_ends_with_its_block(network: Network) -> None:
    with network.capture("h2:b2") as capture:
        assert network["h1"].ping("h2", count=1).received == 1
    seen = len(capture)
    assert seen == 4  # ARP and echo, each asked and answered
    assert network["h1"].ping("h2", count=1).received == 1
    assert len(capture) == seen


def test_explaining_changes_nothing(network: Network) -> None:
    told = network["b1"].explain("h1", echo())
    assert any("b1:b2" in line for line in told)
    assert network.port("b1:h1").rx_packets == 0
    assert network.world.ledger.sent == 0


# several networks


def test_networks_of_one_process_know_nothing_of_each_other(load_network: Any) -> None:
    file = "topologies/learning-switch.yaml"
    results = []
    for _ in range(2):
        with load_network(file, seed=5) as network:
            assert network["h1"].ping("h2").received == 3
            results.append((network.now, network.trace.digest.hexdigest()))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "run",
    [
        lambda net: net.run_for("1s"),
        lambda net: net.run_until("0s"),
        lambda net: net.run_while(lambda: True, NS_PER_S),
        lambda net: net["h1"].ping("h2"),
    ],
)
def test_what_is_closed_does_not_run(network: Network, run: Any) -> None:
    network.close()
    with pytest.raises(UserError, match="square is closed; load it again to run it again"):
        run(network)
    assert network.now == 0


def test_closing_twice_is_once(network: Network) -> None:
    closed: list[str] = []
    network.on_close(lambda: closed.append("first"))
    network.on_close(lambda: closed.append("last"))
    network.close()
    network.close()
    assert closed == ["last", "first"]

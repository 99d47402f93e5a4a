"""What a network does whose controller dies, hangs, and comes back."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt import topology
from sdnvirt.control.life import STALLED_BYTES
from sdnvirt.drops import DropReason
from sdnvirt.errors import ControllerError, UserError
from sdnvirt.network.network import Network
from sdnvirt.session import open_network
from sdnvirt.topology.events import ControllerFault

STAR = """
    name: star
    switches:
      s1: {kind: openflow}
    hosts:
      h[1-3]: {address: '10.0.0.[1-3]/24'}
    links:
      - {between: ['h[1-3]', s1]}
    controller: {app: controllers/learning_switch.py}
"""

pytestmark = pytest.mark.topology(text=STAR)


def answered(network: Network, a: str, b: str) -> bool:
    return network[a].ping(b, count=1, timeout="500ms").received == 1


@pytest.fixture
def booted(network: Network) -> Network:
    assert network.boot()
    assert answered(network, "h1", "h2")
    return network


def control(network: Network, what: str) -> None:
    network.faults.control(ControllerFault(what))


def test_a_dead_controller_leaves_what_was_installed_and_learns_nothing_new(
    booted: Network,
) -> None:
    control(booted, "kill")
    booted.run_for("1s")
    assert not booted.plant.switches["s1"].agents[0].ready
    assert answered(booted, "h1", "h2")  # by the flow entries of before
    assert not answered(booted, "h1", "h3")
    assert booted.world.ledger.by_reason()[DropReason.PACKET_IN_LOST] > 0


def test_after_a_restart_switches_come_back_by_themselves(booted: Network) -> None:
    control(booted, "kill")
    booted.run_for("20s")
    control(booted, "restart")
    booted.run_for("8s")  # the longest back-off
    assert booted.plant.switches["s1"].agents[0].ready
    assert answered(booted, "h1", "h3")
    assert booted.world.ledger.imbalance() == 0


def test_a_restarted_app_remembers_nothing(booted: Network) -> None:
    before = booted.port("h3:s1").rx_packets
    assert answered(booted, "h1", "h2")
    assert booted.port("h3:s1").rx_packets == before  # the app knows where h2 is
    control(booted, "kill")
    control(booted, "restart")
    booted.faults.crash("s1")
    booted.faults.restart("s1")
    booted.run_for("10s")
    assert answered(booted, "h1", "h2")
    assert booted.port("h3:s1").rx_packets > before  # it has to flood again


def test_a_stalled_controller_keeps_its_connections_and_answers_later(booted: Network) -> None:
    control(booted, "stall")
    assert not answered(booted, "h1", "h3")
    assert booted.plant.switches["s1"].agents[0].ready
    control(booted, "resume")
    booted.run_for("1s")
    assert answered(booted, "h1", "h3")


def test_what_a_stalled_controller_is_told_is_bounded(booted: Network) -> None:
    control(booted, "stall")
    port = booted.port("s1:h1")
    for number in range(2_000):
        source = number.to_bytes(6, "big")
        booted.inject(port, b"\xff" * 6 + source + b"\x88\xb5" + bytes(1_400))
    booted.run_for("1s")
    before = booted.port("h2:s1").rx_packets
    control(booted, "resume")
    booted.run_for("1s")
    flooded = booted.port("h2:s1").rx_packets - before
    assert STALLED_BYTES // 1_500 - 50 < flooded < STALLED_BYTES // 1_400
    assert answered(booted, "h1", "h3")


@pytest.mark.parametrize(
    ("faults", "answer"),
    [
        (["restart"], "the controller cannot be restarted: it was not killed"),
        (["kill", "kill"], "the controller cannot be killed: it is dead already"),
        (["kill", "stall"], "the controller cannot stall: it is dead"),
    ],
)
def test_a_fault_that_cannot_be(booted: Network, faults: list[str], answer: str) -> None:
    *before, last = faults
    for fault in before:
        control(booted, fault)
    with pytest.raises(ControllerError, match=answer):
        control(booted, last)


@pytest.mark.parametrize("state", ["kill", "stall"])
def test_rest_says_what_became_of_the_controller(booted: Network, state: str) -> None:
    control(booted, state)
    said = {"kill": "was killed", "stall": "is stalled"}[state]
    with pytest.raises(ControllerError, match=f"GET /x: the controller {said}"):
        booted.controller.rest("GET", "/x")


TIMELINE = (
    STAR
    + """
    timeline:
      - {at: 2s, controller: stall}
      - {at: 3s, controller: resume}
      - {at: 4s, controller: kill}
      - {at: 6s, controller: restart}
"""
)


@pytest.mark.topology(text=TIMELINE)
def test_the_timeline_does_all_of_it(network: Network) -> None:
    states: list[bool] = []
    for time in ("1s", "2.5s", "3.5s", "5s", "15s"):
        network.run_until(time)
        states.append(network.plant.switches["s1"].agents[0].ready)
    assert states == [True, True, True, False, True]
    assert answered(network, "h1", "h3")


def loaded(controller: str) -> Any:
    import textwrap

    return open_network(topology.loads(textwrap.dedent(TIMELINE), "t.yaml"), controller)


def test_only_an_embedded_controller_can_be_broken() -> None:
    with pytest.raises(UserError) as caught:
        loaded("none")
    assert str(caught.value) == (
        "t.yaml:12: stall controller: expected an embedded controller, found 'none'"
    )
